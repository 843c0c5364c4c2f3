"""
Runs inside the sandbox: cells in, numbers out, as JSON lines. `sandbox` starts it, alone: it imports nothing of ours.

Processes, from the trusted to the student's::

    warm process ── keeper │ notebook ── probe         warm: the keeper stands outside a world of namespaces
                    keeper ── notebook ── probe        bubblewrap made the world, or nobody did

The *warm process* has imported what notebooks import and never reads a job. The *keeper* makes the world, never runs
student code, and ends the world with all that is in it when the notebook ends, when the grader lets go of the leash,
when the time or the memory of all processes together is spent. The *notebook* runs the cells. A *probe* is its fork,
taken right after the cell that bound the answer. Whatever goes wrong in the notebook's process, it may just die: the
grader knows which cell or question was at work and runs the rest again without it.
"""

import builtins
import ctypes
import functools
import gc
import importlib
import os
import platform
import resource
import socket
import struct
import sys
import types
from json import dumps, load, loads  # by value, as all that the notebook's process needs: students may patch modules
from os import WNOHANG, _exit, close, fork, getpid, kill, read, waitpid, waitstatus_to_exitcode, write
from random import seed as seed_python
from resource import getrlimit, setrlimit
from select import select
from signal import (
    ITIMER_REAL,
    SIG_DFL,
    SIG_SETMASK,
    SIGALRM,
    SIGCHLD,
    SIGINT,
    SIGKILL,
    Signals,
    pthread_sigmask,
    setitimer,
    signal,
)
from time import monotonic

MOST_NUMBERS = 10_000  # of one probe
MOST_TEXT = 300  # characters of a message
SPARE_PROCESSES = 4  # kept from the cells, so that what they leave running does not stop the probes
GRACE = 0.25  # seconds between the polite and the impolite end of a probe
PULSE = 0.25  # seconds between two looks at the memory of a world
PROBE_DONE, PROBE_RAISED, PROBE_OUT_OF_TIME = b".", b"!", b"?"  # verdicts
SETUP_FAILED = 70  # exit status of a keeper that could not make its world
NOBODY = 65534
SMALL = "size=64m,mode=1777"  # of each file system a submission may write to


# The notebook and its probes: student code runs in these processes, nothing here is safe from it


class OutOfTime(KeyboardInterrupt):
    """What a cell or a probe sees when its time is over, like an interrupted kernel."""


class NotAttempted(Exception):
    """The answer returned ``...``."""


class NotNumbers(Exception):
    """The answer returned something that cannot be compared."""


class Check:
    """Stands for an exercise's `check`: nothing is correct, nothing is shown."""

    def __call__(self, *arguments, **keywords):
        return False

    def __getattr__(self, name):
        return lambda *arguments, **keywords: None


class Shell:
    """Stands for IPython: what is timed or captured runs once, other magics and shell commands do nothing."""

    def __init__(self, run):
        self.run = run

    def run_line_magic(self, magic, line, *rest):
        if magic in ("time", "prun"):
            self.run(line)

    def run_cell_magic(self, magic, line, body):
        if magic in ("time", "timeit", "prun", "capture"):
            self.run(body)

    def getoutput(self, command, *rest):
        return []

    def __getattr__(self, name):
        return lambda *arguments, **keywords: None


def python(source, name):
    """Code object of a cell; what is plain Python stays as it is, else IPython's magics are translated first."""
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        from IPython.core.inputtransformer2 import TransformerManager

        return compile(TransformerManager().transform_cell(source), name, "exec", dont_inherit=True)


def numbers(value):
    """
    Plain floats, nested lists of them, or a flat dict of either, from what an answer returned.

    Examples
    --------
    >>> numbers({"estimate": (1, 2.5), "converged": True})
    {'estimate': [1.0, 2.5], 'converged': 1.0}
    >>> numbers("1.5")
    Traceback (most recent call last):
        ...
    solutions.grading.runner.NotNumbers: a str
    """
    from numpy import asarray

    if isinstance(value, dict):
        if len(value) > MOST_NUMBERS or any(isinstance(entry, dict) for entry in value.values()):
            raise NotNumbers("a dict that is not small and flat")
        return {str(key)[:MOST_TEXT]: numbers(entry) for key, entry in value.items()}
    if value is ...:
        raise NotAttempted("returned ...")
    if isinstance(value, int):
        return float(value)  # whatever its size
    try:
        found = asarray(value)
    except ValueError:
        raise NotNumbers(f"a {type(value).__name__} of unequal parts") from None
    if found.dtype.kind not in "biuf":
        raise NotNumbers(f"a {type(value).__name__}{' of complex numbers' if found.dtype.kind == 'c' else ''}")
    if found.size > MOST_NUMBERS:
        raise NotNumbers(f"{found.size} numbers; at most {MOST_NUMBERS} are compared")
    return found.astype(float).tolist()


def attempted(answer):
    """The answer, except that a blank inside it is told from a wrong value."""

    def call(*arguments, **keywords):
        value = answer(*arguments, **keywords)
        if value is ...:
            raise NotAttempted("returned ...")
        return value

    return call


def describe(error):
    """Kind and message of an exception, bounded; its methods may be hostile."""
    try:
        message = str(error)[:MOST_TEXT]
    except BaseException:
        message = ""
    return [type(error).__name__[:MOST_TEXT], message]


def attempt(action, seconds):
    """Call `action` with a time limit; None, or kind and message of what it raised."""

    def interrupt(number, frame):
        raise OutOfTime(f"more than {seconds:g} s")

    try:
        signal(SIGALRM, interrupt)
        setitimer(ITIMER_REAL, seconds)
        try:
            action()
        finally:
            setitimer(ITIMER_REAL, 0)
    except BaseException as error:
        return describe(error)


def limits_in_force():
    kinds = ("AS", "CPU", "DATA", "FSIZE", "NOFILE", "NPROC", "STACK")
    return [getrlimit(getattr(resource, "RLIMIT_" + kind)) for kind in kinds]


class Notebook:
    """
    One run of a submission's cells, in the process that makes it.

    Parameters
    ----------
    job : dict
        ``cells`` (list of source, None for those to leave out), ``setup``, ``questions`` (as in `sandbox`, without
        those to leave out), ``cell_seconds``, ``probe_seconds``.
    results : int
        File descriptor the records go to.
    world : bool
        Whether all other processes it can see belong to this run.
    """

    def __init__(self, job, results, world):
        from numpy import random

        self.job, self.results, self.world = job, results, world
        self.generator, self.seed_numpy = random.default_rng, random.seed
        self.builtins, self.depth = dict(builtins.__dict__), sys.getrecursionlimit()
        self.taken = {}  # name → answer
        self.doubtful = {}  # name → index of the cell; a probe raised
        self.space = self.new_space()

    def new_space(self):
        """The student's namespace, with stubs for what would mark, plot or run a shell."""
        import helpers

        helpers.checks = sys.modules["helpers.checks"] = types.ModuleType("helpers.checks")
        helpers.checks.exercise = lambda *arguments, **keywords: Check()
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        shell = Shell(lambda source: self.execute(source, "<magic>"))
        main.__dict__.update(check=Check(), get_ipython=lambda: shell, display=lambda *shown, **keywords: None)
        return main.__dict__

    def execute(self, source, name):
        exec(python(source, name), self.space)

    def tell(self, **record):
        """Write one record, on a line of its own even after a student's half line."""
        line = b"\n" + dumps(record).encode() + b"\n"
        while line:
            line = line[write(self.results, line) :]

    def run(self):
        """Run the cells in order, take each answer when it is bound, and say so."""
        self.spare_processes(SPARE_PROCESSES)
        me, limits = getpid(), limits_in_force()
        self.fix_chance()
        for index, source in enumerate(self.job["cells"]):
            if source is None:
                continue
            self.tell(cell=index)
            problem = attempt(functools.partial(self.execute, source, f"<cell {index}>"), self.job["cell_seconds"])
            if getpid() != me:
                _exit(0)  # the cell forked and this is the copy
            self.repair()
            if problem and problem[0] == "OutOfTime":
                self.end_others()
            if limits_in_force() != limits:
                _exit(1)  # no later cell shall suffer for it: this one will be left out
            self.tell(cell=index, problem=problem)
            for name in self.job["questions"]:
                answer = self.space.get(name)
                if callable(answer) and self.taken.get(name) is not answer:
                    self.take(name, answer, index)
        for name, index in list(self.doubtful.items()):
            if index < len(self.job["cells"]) - 1:
                self.take(name, self.taken[name], index)  # what it needs may stand further down
        for name in self.job["questions"]:
            if name not in self.taken and name in self.space:
                value = self.space[name]
                self.tell(question=name, bound="..." if value is ... else type(value).__name__[:MOST_TEXT])
        self.flush()
        self.tell(end=True)

    def take(self, name, answer, index):
        """Probe an answer in a fork of this process as it is now, and in another where a probe ends the first."""
        self.taken[name] = answer
        self.doubtful.pop(name, None)
        self.tell(question=name, cell=index)
        self.flush()
        self.spare_processes(0)
        seconds, waiting = self.job["probe_seconds"], list(enumerate(self.job["questions"][name]))
        while waiting:
            process, verdicts = self.probe_all(name, answer, waiting)
            verdict = PROBE_DONE
            while waiting and verdict in (PROBE_DONE, PROBE_RAISED):
                ready, _, _ = select([verdicts], [], [], seconds + GRACE)
                verdict = read(verdicts, 1) if ready else None
                if verdict in (PROBE_DONE, PROBE_RAISED):
                    waiting.pop(0)
                if verdict == PROBE_RAISED:
                    self.doubtful[name] = index
            close(verdicts)
            kill(process, SIGKILL)
            status = waitstatus_to_exitcode(waitpid(process, 0)[1])
            if verdict is None:
                self.tell(question=name, probe=waiting[0][0], problem=["OutOfTime", f"more than {seconds:g} s"])
            if verdict in (None, PROBE_OUT_OF_TIME):
                self.end_others()
                break  # the question's other probes would take as long
            if waiting:
                number, _ = waiting.pop(0)
                how = f"signal {Signals(-status).name}" if status < 0 else f"exit status {status}"
                self.tell(question=name, probe=number, problem=["ProcessEnded", f"the process ended with {how}"])
        self.spare_processes(SPARE_PROCESSES)

    def probe_all(self, name, answer, probes):
        """Start a fork that runs these probes; its process, and a pipe that brings one byte after each."""
        verdicts, tell = os.pipe()
        try:
            process = fork()
        except OSError:  # too many processes are left from the cells
            self.end_others()
            process = fork()
        if process == 0:
            me = getpid()
            try:
                for number, probe in probes:
                    self.tell(question=name, probe=number)
                    verdict = self.probe(name, answer, number, probe)
                    if getpid() != me:
                        break  # the answer forked and this is the copy
                    write(tell, verdict)
                    if verdict == PROBE_OUT_OF_TIME:
                        break
            finally:
                _exit(0)
        close(tell)
        return process, verdicts

    def probe(self, name, answer, number, probe):
        """In the fork: a fresh namespace, the probe, one record; the verdict."""
        space, record = {"__name__": "probe"}, {}

        def work():
            exec(compile(self.job["setup"], "<probe-setup>", "exec", dont_inherit=True), space)
            space.update({name: attempted(answer), "rng": self.generator(probe["seed"])})
            try:
                exec(compile(probe["source"], "<probe>", "exec", dont_inherit=True), space)
            finally:
                if "returned" in space:
                    record["returned"] = numbers(space["returned"])
            if "returned" not in space:
                raise NotNumbers("the probe assigned nothing to `returned`")
            if "tolerance" in space:
                record["tolerance"] = numbers(space["tolerance"])

        sys.setrecursionlimit(max(self.depth, sys.getrecursionlimit()))
        self.fix_chance()
        problem = attempt(work, self.job["probe_seconds"])
        self.tell(question=name, probe=number, problem=problem, **record)
        kind = problem[0] if problem else "NotAttempted"
        return {"NotAttempted": PROBE_DONE, "OutOfTime": PROBE_OUT_OF_TIME}.get(kind, PROBE_RAISED)

    def fix_chance(self):
        """Code that draws without a seed shall give the same numbers in every run."""
        seed_python(0)
        self.seed_numpy(0)

    def repair(self):
        """Undo what would reach from one cell to another question through Python itself."""
        signal(SIGCHLD, SIG_DFL)
        pthread_sigmask(SIG_SETMASK, ())
        builtins.__dict__.update(self.builtins)
        sys.setrecursionlimit(max(self.depth, sys.getrecursionlimit()))

    def spare_processes(self, count):
        """Keep so many processes of the limit unused."""
        if self.world:
            _, most = getrlimit(resource.RLIMIT_NPROC)
            setrlimit(resource.RLIMIT_NPROC, (most - count, most))

    def end_others(self):
        """End and bury every process that cells or probes have left in this world."""
        if self.world:
            try:
                kill(-1, SIGKILL)  # all but this process and process 1
                while waitpid(-1, 0):
                    pass
            except (ProcessLookupError, ChildProcessError):
                pass

    def flush(self):
        attempt(lambda: sys.stdout.flush(), GRACE)


# The keeper never runs student code


def keep(order, job, results, output, leash, *private):
    """
    Make a world, run the notebook in it, end both.

    Parameters
    ----------
    order : dict
        ``mode`` ("warm", "bwrap", "unsafe"), ``uid`` to become if root, ``wall_seconds``, ``memory_bytes``,
        ``processes``, ``file_bytes``.
    job, results, output, leash, *private : int
        File descriptors: the job to read, the records and the printed text to write; a pipe whose other end the grader
        holds; what else the notebook must not have.

    Returns
    -------
    int
        0 where the notebook ended by itself without an error, `SETUP_FAILED`, or 1.
    """
    ready, tell = os.pipe()
    process = None
    try:
        if order["mode"] == "warm":
            new_world()
        elif order["mode"] == "bwrap":
            confine(order)
        most_memory = memory() + 2 * order["memory_bytes"] if order["mode"] != "unsafe" else None
        process = fork()
        if process == 0:
            for descriptor in (ready, leash, *private):
                close(descriptor)
            if order["mode"] == "warm":
                os.setsid()  # a process group reaches across worlds: kill(0, …) would hit the warm process
                furnish()
            if order["mode"] != "bwrap":
                confine(order)
            write(tell, b"!")
            close(tell)
            play(job, results, output, world=order["mode"] != "unsafe")
    except BaseException as error:
        write(output, f"{type(error).__name__}: {error}".encode())
        if process == 0:
            _exit(SETUP_FAILED)
        return SETUP_FAILED
    for descriptor in (tell, job, results, output):
        close(descriptor)
    if not os.read(ready, 1):
        return SETUP_FAILED
    return watch(process, leash, order["wall_seconds"], most_memory)


def play(job, results, output, world):
    """The notebook's process, from its first line to its last; does not return."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(descriptor, standard)
        close(nothing)
        close(output)
        sys.argv = ["notebook"]
        sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)
        with open(job, encoding="utf-8") as file:
            job = load(file)
        Notebook(job, results, world).run()
        status = 0
    except BaseException as error:
        write(2, ": ".join(describe(error)).encode("utf-8", "backslashreplace"))
    finally:
        _exit(status)


def watch(process, leash, seconds, most_memory):
    """Wait for the notebook; end it where the grader lets go, or time or the memory of all processes is spent."""
    end = monotonic() + seconds
    handle = [os.pidfd_open(process)] if hasattr(os, "pidfd_open") else []
    while True:
        ready, _, _ = select([leash, *handle], [], [], PULSE if handle else GRACE / 20)
        found = True
        while found:
            found, status = waitpid(-1, WNOHANG)  # orphans come to process 1 to be buried
            if found == process:
                return int(status != 0)
        if leash in ready or monotonic() > end or (most_memory and memory() > most_memory):
            kill(process, SIGKILL)
            waitpid(process, 0)
            return 1


def memory():
    """Bytes resident in all processes to be seen."""
    pages = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/statm") as file:
                    pages += int(file.read().split()[1])
            except OSError:
                pass  # gone meanwhile
    return pages * resource.getpagesize()


def confine(order):
    """Limits for good; and, but for the unsafe mode, no rights and fewer system calls."""
    if order["mode"] != "unsafe" and getpid() != 1:
        raise OSError("not process 1 of a world of its own")
    limit(order)
    if order["mode"] != "unsafe":
        give_up_rights(order["uid"])
        forbid_system_calls()


def limit(order):
    """Limits of each process; those this system does not know are left (macOS has no address space limit)."""
    cpu = int(order["wall_seconds"]) + 1
    for kind, most in (
        ("AS", order["memory_bytes"]),
        ("CPU", cpu),
        ("NPROC", order["processes"] if order["mode"] != "unsafe" else None),  # there it would count the grader's own
        ("FSIZE", order["file_bytes"]),
        ("NOFILE", 256),
        ("CORE", 0),
    ):
        if most is not None:
            try:
                setrlimit(getattr(resource, "RLIMIT_" + kind), (most, most))
            except (ValueError, OSError):
                if order["mode"] != "unsafe":
                    raise


# Linux's own means, by system call

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE, MNT_DETACH = 2, 4, 8, 1 << 14, 1 << 18, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47

# What no notebook needs and an attack may: another process's memory, keyrings, new namespaces, the kernel's own code.
# name: (x86_64, aarch64), from the kernel's tables
FORBIDDEN = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "kcmp": (312, 272), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "unshare": (272, 97),
    "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column above, audit name, clone
CLONE3, ENOSYS, EPERM = 435, 38, 1


def call(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind, flags, options=None):
    encoded = [None if text is None else text.encode() for text in (source, target, kind, options)]
    call(libc.mount(*encoded[:3], flags, encoded[3]), f"mount {target}")


def new_world():
    """Leave the warm process's namespaces; the next child is process 1 of a world of its own."""
    uid, gid = os.getuid(), os.getgid()
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else the maps belong to root
    call(
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS), "unshare"
    )
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def furnish():
    """File systems of a new world: its own processes in /proc, empty folders to write to; and no further worlds."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for folder in ("/tmp", "/scratch", "/dev/shm"):
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, SMALL)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    os.chdir("/scratch")


def give_up_rights(uid=None):
    """Become `uid` if root and drop every capability, for good; nobody may look into this process."""
    if os.geteuid() == 0 and uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails past the last one there is, or where it is no right
    if os.geteuid() == 0 and uid is not None:
        os.setresuid(uid, uid, uid)
    libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)  # clear all
    header, none = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0] * 6)
    call(libc.capset(header, none), "capset")
    call(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    call(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.geteuid() == 0:
        raise OSError("still root")


def forbid_system_calls():
    """Install the filter (seccomp-bpf) for this process and all to come."""
    load_word, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000
    try:
        column, machine, clone = MACHINES[platform.machine()]
    except KeyError:
        raise OSError(f"no table of system calls for {platform.machine()}") from None
    program = [(load_word, 0, 0, 4), (equal, 1, 0, machine), (answer, 0, 0, refuse | EPERM), (load_word, 0, 0, 0)]
    if machine == 0xC000003E:
        program += [(at_least, 0, 1, 0x40000000), (answer, 0, 0, refuse | ENOSYS)]  # the x32 tables
    program += [(equal, 0, 1, CLONE3), (answer, 0, 0, refuse | ENOSYS)]  # its flags are out of reach; libc then uses:
    program += [(equal, 0, 4, clone), (load_word, 0, 0, 16), (any_bit, 0, 1, CLONE_NEWUSER)]
    program += [(answer, 0, 0, refuse | EPERM), (answer, 0, 0, allow)]
    for numbers_of_call in FORBIDDEN.values():
        program += [(equal, 0, 1, numbers_of_call[column]), (answer, 0, 0, refuse | EPERM)]
    program += [(answer, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    call(libc.prctl(PR_SET_SECCOMP, 2, struct.pack("HP", len(program), ctypes.addressof(code)), 0, 0), "seccomp")


# The warm process


def warm_up(modules):
    """Import; a module that is missing is no failure, a notebook that needs it will say so."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        pyplot.close(pyplot.figure())
    gc.collect()
    gc.freeze()  # else each fork's first collection would copy every page
    collapse_memory()


def collapse_memory():
    """Gather our memory in huge pages: a fork copies a page table, and there are up to 512 times fewer entries."""
    advice, size = 25, 1 << 21  # MADV_COLLAPSE; older kernels than 6.1 refuse, which costs time only
    with open("/proc/self/maps") as file:
        for line in file:
            span, access, _, _, _, *name = line.split()
            if access == "rw-p" and name in ([], ["[heap]"]):
                first, last = (int(end, 16) for end in span.split("-"))
                first, last = -(-first // size) * size, last // size * size
                if first < last:
                    libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), advice)


def serve(control, order):
    """Become nobody, warm up, then one world after the other until the grader closes the control socket."""
    control = socket.socket(fileno=control)
    if os.geteuid() == 0:
        call(libc.umount2(b"/proc", MNT_DETACH), "umount /proc")  # bubblewrap covers parts, and what is covered
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)  # may not be mounted anew in a world
    give_up_rights(NOBODY)
    warm_up(order["modules"])
    control.send(dumps({"ready": True}).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
        if not message:
            return
        order = loads(message)
        process = fork()
        if process == 0:
            control.close()
            _exit(keep(order, *descriptors))
        for descriptor in descriptors:
            close(descriptor)
        _, status = waitpid(process, 0)
        control.send(dumps({"status": waitstatus_to_exitcode(status)}).encode())


def once(control, order, *descriptors):
    """One run in a world that bubblewrap has made, or in none."""
    status = keep(order, *descriptors, control)
    try:
        write(control, dumps({"status": status}).encode())
    finally:
        if order["mode"] == "unsafe":
            os.killpg(0, SIGKILL)


if __name__ == "__main__":
    signal(SIGINT, SIG_DFL)
    what, order, *descriptors = sys.argv[1], loads(sys.argv[2]), *map(int, sys.argv[3:])
    sys.path.insert(0, order["course"])
    if what == "serve":
        serve(*descriptors, order)
    else:
        once(descriptors[0], order, *descriptors[1:])
