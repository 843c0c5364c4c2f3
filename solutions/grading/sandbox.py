"""
Which isolation this machine has, and a worker that runs submissions in it.

Three modes: ``"warm"`` (one bubblewrap that has imported what notebooks import, and a world of namespaces of its own
for each submission), ``"bwrap"`` (one bubblewrap a submission, where nested user namespaces are refused) and
``"unsafe"`` (a plain process with resource limits only, where the instructor asks for it).

A job is a dict, all of it JSON::

    {"cells": [{"id": "gradient", "source": "..."}, ...],   # the code cells as handed in, in order
     "setup": "import numpy as np\n...",                    # source of the probe-setup cells, "" for none
     "questions": {"gradient": [{"source": "returned = gradient(t, e)", "seed": 8213}, ...]}}

Each probe runs in a fresh namespace: ``setup`` first, then ``rng = np.random.default_rng(seed)`` and the answer under
its name, then the probe; seed is an int or a list of ints. Answers, expected numbers and tolerances have no place in
the job of a student's submission. The answer notebook is run by a job of its own.
"""

import functools
import itertools
import json
import os
import secrets
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from solutions.grading.channel import ENDED, LINE_BYTES, LINES, OUT_OF_TIME, Problem, Result, Story, clean, parse_lines

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("runner.py")
MODULES = (  # what the set-up cells of the course import, imported once by the warm process
    "autograd", "autograd.numpy", "autograd.scipy.stats", "autograd.scipy.special", "autograd.test_util", "helpers",
    "helpers.datasets", "helpers.inference", "helpers.likelihoods", "helpers.plotting", "helpers.simulate",
    "helpers.timing", "IPython.core.inputtransformer2", "matplotlib.pyplot", "numpy.testing", "pandas",
    "scipy.optimize", "scipy.special", "scipy.stats",
)  # fmt: skip
ENVIRONMENT = {
    "HOME": "/scratch", "LANG": "C.UTF-8", "MPLBACKEND": "agg", "MPLCONFIGDIR": "/scratch", "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1",
}  # fmt: skip
GRACE = 0.75  # seconds after which what should have ended by itself is ended
START_SECONDS = 60.0  # for a process to get ready, imports included
CHANNEL_BYTES = 16 << 20  # of all records of one run
SETUP_FAILED = 70  # as in runner.py

# bubblewrap ends its sandbox when the thread that started it ends, so one thread that lives as long as we starts it
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")
_uids = itertools.count(secrets.randbelow(4000))


class SandboxError(RuntimeError):
    """The sandbox itself failed, never the submission, of which nothing is known. The text says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Seconds of the clock; bytes; counts."""

    cell_seconds: float = 60.0
    probe_seconds: float = 30.0
    wall_seconds: float = 300.0  # of the whole submission, re-runs included
    memory_bytes: int = 1 << 30  # address space of each process; all of them together twice that
    processes: int = 16
    file_bytes: int = 32 << 20
    output_bytes: int = 64 << 10  # kept; more may be printed and is thrown away
    reruns: int = 8


@dataclass(frozen=True)
class Isolation:
    """
    Answer of `available`.

    Attributes
    ----------
    mode : str
        ``"warm"``, ``"bwrap"`` or ``"none"``.
    description : str
        One sentence for the instructor.
    reason : str
        Why it is not better; empty for ``"warm"``.
    remedy : str
        The line that gets a sandbox on this system; empty where there is one.
    """

    mode: str
    description: str
    reason: str = ""
    remedy: str = ""


@functools.cache
def available():
    """
    Find out by trying, once a process, which isolation this machine has.

    Returns
    -------
    Isolation
    """
    reason = ""
    for mode, description in (
        ("warm", "bubblewrap; each submission runs in a world of namespaces of its own inside a warm process"),
        ("bwrap", "bubblewrap, started anew for each submission (slower; a warm process is not possible here)"),
    ):
        try:
            with Worker(mode, modules=()) as worker:
                worker.run({"cells": [], "setup": "", "questions": {}})
            return Isolation(mode, description, reason)
        except SandboxError as error:
            reason = str(error)
    return Isolation("none", "no isolation: student code could do all that you can", reason, remedy(reason))


def remedy(reason="", system=None):
    """
    The line that gets a sandbox on this system.

    Parameters
    ----------
    reason : str
        What bubblewrap said.
    system : str, optional
        As ``sys.platform``.

    Returns
    -------
    str
    """
    system = system or sys.platform
    if system == "win32":
        return "wsl --install -d Debian   # then, in Debian: sudo apt install bubblewrap python3-venv, and grade there"
    if system == "darwin":
        return (
            "brew install lima && limactl start --name=grading template://debian && "
            "limactl shell grading sudo apt install -y bubblewrap python3-venv   # then grade in: limactl shell grading"
        )
    if not system.startswith("linux"):
        return "grade on Linux, with bubblewrap installed"
    if shutil.which("bwrap") is None:
        return "sudo apt install bubblewrap"
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":  # Ubuntu 24.04
        return (
            "printf 'abi <abi/4.0>,\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' | "
            "sudo tee /etc/apparmor.d/bwrap && sudo systemctl reload apparmor"
        )
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _setting("user/max_user_namespaces") == "0":
        return "sudo sysctl -w user.max_user_namespaces=15000"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "start the container with --privileged, or grade outside it"
    return f"make this work: bwrap --unshare-all --ro-bind / / true   # it says: {reason}"


def _setting(name):
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def _mounts(helpers):
    """bubblewrap's options for what is to be seen inside: system, interpreter, environment, helpers, runner."""
    options = []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = f"/{name}"
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"):
        options += ["--ro-bind-try", path, path]
    folders = {"/usr"}
    made = {"/", "/tmp", "/usr", "/etc"}

    def make_parents(path):
        for parent in reversed(Path(path).parents):
            if str(parent) not in made and not _inside(parent, folders):
                made.add(str(parent))
                options.extend(["--perms", "0755", "--dir", str(parent)])  # bubblewrap's own would be 0700

    prefixes = {path for prefix in (sys.prefix, sys.base_prefix) for path in (prefix, os.path.realpath(prefix))}
    for prefix in sorted(prefixes):
        if not _inside(prefix, folders):
            make_parents(prefix)
            options += ["--ro-bind", prefix, prefix]
            folders.add(prefix)
    program = sys.executable
    while os.path.islink(program):
        target = os.path.normpath(os.path.join(os.path.dirname(program), os.readlink(program)))
        if not _inside(program, folders):
            make_parents(program)
            options += ["--symlink", target, program]
        program = target
    for private in (ROOT / "solutions", Path.home()):
        if str(private) != "/" and _inside(private, folders):
            raise SandboxError(f"{private} lies in a folder that student code has to read ({sorted(folders)}): move it")
    make_parents("/course/helpers")
    options += ["--ro-bind", str(helpers), "/course/helpers", "--ro-bind", str(RUNNER), "/course/runner.py"]
    return ["--ro-bind", "/usr", "/usr", *options], folders


def _fonts():
    """matplotlib's list of fonts, which takes it a second to make where it is not there."""
    try:
        import matplotlib
        from matplotlib.font_manager import FontManager
    except ImportError:
        return []
    name = f"fontlist-v{FontManager.__version__}.json"
    return ["--ro-bind-try", os.path.join(matplotlib.get_cachedir(), name), f"/scratch/{name}"]


def _inside(path, folders):
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _command(mode, helpers):
    """bubblewrap's command line, up to and including the interpreter."""
    if shutil.which("bwrap") is None:
        raise SandboxError("bubblewrap is not installed (no bwrap on the PATH)")
    mounts, folders = _mounts(helpers)
    warm = mode == "warm"
    if warm and any(_inside(folder, ("/tmp", "/dev/shm", "/scratch")) for folder in folders):
        raise SandboxError(f"{sys.prefix} lies where each submission gets an empty folder of its own")
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    if os.geteuid() != 0:
        options += ["--unshare-user"]
    else:  # an unprivileged user may not reach our interpreter from outside: set up as root, then stop being root
        for right in ("SETUID", "SETGID", "SETPCAP", *(["SYS_ADMIN"] if warm else [])):
            options += ["--cap-add", f"CAP_{right}"]
    if not warm:
        options += ["--as-pid-1"]
    for name, value in {**ENVIRONMENT, "PATH": f"{sys.prefix}/bin:/usr/bin"}.items():
        options += ["--setenv", name, value]
    options += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    for folder in ("/tmp", "/scratch", "/dev/shm"):
        size = [] if warm else ["--size", str(64 << 20)]  # warm: each world mounts its own, and bubblewrap may be old
        options += [*size, "--perms", "1777", "--tmpfs", folder]
    options += mounts
    if not warm:
        options += _fonts()
    options += ["--remount-ro", "/", "--chdir", "/" if warm else "/scratch"]
    return ["bwrap", *options, sys.executable, "-P", "-s", "-B", "/course/runner.py"]


class _Process:
    """A process of ours, what it complains about, and our end of the line on which it says how a run went."""

    def __init__(self, command, control, descriptors, **options):
        self.control, self.complaint = control, tempfile.TemporaryFile()
        self.popen = _starter.submit(
            subprocess.Popen,
            command,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.complaint,
            start_new_session=True,
            **options,
        ).result()

    def kill(self):
        """End it at once, from any thread: bubblewrap ends what is inside, and without one it is a group."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def stop(self):
        """Wait for its end, and return its complaint in one line."""
        os.close(self.control)  # the warm process ends by itself on this
        try:
            self.popen.wait(5 * GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
            self.popen.wait()
        with self.complaint as file:
            file.seek(0)
            return clean(file.read().decode("utf-8", "replace").strip()[-300:]) or "the sandbox did not start"


class _Pipes:
    """Both ends of what connects us with one run, the job included."""

    def __init__(self, job):
        self.results, results = os.pipe()
        self.output, output = os.pipe()
        leash, self.leash = os.pipe()
        in_memory = hasattr(os, "memfd_create")
        with open(os.memfd_create("job"), "w+b") if in_memory else tempfile.TemporaryFile() as file:
            file.write(job)
            file.seek(0)
            self.theirs = [os.dup(file.fileno()), results, output, leash]
        self.ours = [self.results, self.output, self.leash]

    def hand_over(self):
        """Close the ends that are the run's."""
        while self.theirs:
            os.close(self.theirs.pop())

    def let_go(self):
        """Close the leash: the keeper at its other end ends its world."""
        if self.leash in self.ours:
            self.ours.remove(self.leash)
            os.close(self.leash)

    def close(self):
        self.hand_over()
        while self.ours:
            os.close(self.ours.pop())


class Worker:
    """
    Runs submissions one at a time, isolated. A context manager. One thread at a time, but for `close`.

    Parameters
    ----------
    mode : {None, "warm", "bwrap", "unsafe"}
        None takes the best that `available` finds and never ``"unsafe"``.
    limits : Limits
    helpers : path, optional
        The release's ``helpers/``; by default this checkout's.
    modules : iterable of str
        What the warm process imports in advance.

    Raises
    ------
    SandboxError
        Where the mode is not to be had; the text holds reason and remedy.
    """

    def __init__(self, mode=None, limits=Limits(), helpers=None, modules=MODULES):  # noqa: B008 (frozen)
        if mode is None:
            found = available()
            if found.mode == "none":
                raise SandboxError(f"{found.description} ({found.reason}). To get a sandbox:\n  {found.remedy}")
            mode = found.mode
        if mode == "unsafe" and sys.platform == "win32":
            raise SandboxError(f"not possible on Windows, not even without isolation:\n  {remedy()}")
        self.mode, self.limits, self.modules = mode, limits, list(modules)
        self.helpers = Path(helpers or ROOT / "helpers").resolve()
        self._command = None if mode == "unsafe" else _command(mode, self.helpers)
        self._warm = self._warm_up() if mode == "warm" else None
        self._busy, self._closed = threading.Lock(), False
        self._bell, self._rope = os.pipe()

    def run(self, job):
        """
        Run one submission.

        Parameters
        ----------
        job : dict
            As above.

        Returns
        -------
        Result
            Never an exception because of what the student wrote.

        Raises
        ------
        SandboxError
            Where the sandbox could not be started; safe to try again.
        """
        start = time.monotonic()
        end = start + self.limits.wall_seconds
        story, output = Story(job), bytearray()
        without, reason, runs = set(), "", 0
        while True:
            story.new_run()
            runs += 1
            with self._busy:
                if self._closed:
                    raise SandboxError("the worker was closed")
                cause = self._once(self._payload(job, without), story, output, end)
            story.end_run(cause)
            if cause is None:
                break
            if time.monotonic() >= end:
                reason = f"more than {self.limits.wall_seconds:g} s in all"
            elif story.at is None:
                reason = "the process ended before the first cell"
            elif story.at in without or runs > self.limits.reruns:
                reason = f"the process ended {runs} times"
            if reason:
                break
            without.add(story.at)
        return Result(
            status="cut short" if reason else "finished",
            reason=reason,
            questions=story.questions,
            cells=story.cells,
            output="\n".join(clean(line, len(line)) for line in output.decode("utf-8", "replace").split("\n")),
            isolation=self.mode,
            safe=self.mode != "unsafe",
            runs=runs,
            seconds=time.monotonic() - start,
        )

    def _payload(self, job, without):
        return json.dumps(
            {
                "cells": [
                    None if ("cell", index) in without else cell["source"] for index, cell in enumerate(job["cells"])
                ],
                "setup": job["setup"],
                "questions": {
                    name: probes for name, probes in job["questions"].items() if ("question", name) not in without
                },
                "cell_seconds": self.limits.cell_seconds,
                "probe_seconds": self.limits.probe_seconds,
            }
        ).encode()

    def _order(self):
        return json.dumps(
            {
                "mode": self.mode,
                "modules": self.modules,
                "course": "/course" if self.mode != "unsafe" else str(self.helpers.parent),
                "uid": 61184 + next(_uids) % 4000,  # as root: a user nobody is, each run another
                "wall_seconds": self.limits.wall_seconds + 5 * GRACE,  # in case we are not there to end it
                "memory_bytes": self.limits.memory_bytes,
                "processes": self.limits.processes,
                "file_bytes": self.limits.file_bytes,
            }
        )

    def _warm_up(self):
        """Start the warm process and wait until it is ready."""
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [*self._command, "serve", self._order(), str(theirs.fileno())]
            process = _Process(command, control.detach(), [theirs.fileno()])
        ready, _, _ = select.select([process.control], [], [], START_SECONDS)
        if not ready or not os.read(process.control, 4096):
            raise SandboxError(process.stop())
        return process

    def _once(self, job, story, output, end, again=True):
        """One run of a notebook; None, or the Problem because of which it did not come to its end."""
        pipes, process, status = _Pipes(job), None, None
        try:
            with tempfile.TemporaryDirectory() if self.mode == "unsafe" else nullcontext() as folder:
                process = self._begin(pipes, folder)
                status, cause = self._listen(pipes, process.control, story, output, end)
                if self.mode == "unsafe":
                    process.kill()
                if self.mode != "warm" or status is None:
                    complaint, self._warm = process.stop(), None
        except BaseException:  # we were interrupted
            pipes.let_go()
            if process is not None:
                process.kill()
                process.stop()
                self._warm = None
            raise
        finally:
            pipes.close()
        if status == SETUP_FAILED:
            raise SandboxError(clean(output.decode("utf-8", "replace")))
        if status is None and story.at is None:
            if again and self.mode == "warm":  # somebody ended the warm process before it had the job
                return self._once(job, story, output, end, again=False)
            raise SandboxError(complaint)
        if cause is None and (status != 0 or not story.ended):
            cause = Problem(ENDED, "the process crashed, left or was killed")
        return cause

    def _begin(self, pipes, folder):
        """Start a run; the process that will say how it went."""
        if self.mode == "warm":
            self._warm = self._warm or self._warm_up()
            with socket.socket(fileno=os.dup(self._warm.control)) as control, suppress(OSError):  # we shall hear of it
                socket.send_fds(control, [self._order().encode()], pipes.theirs)
            pipes.hand_over()
            return self._warm
        control, theirs = os.pipe()
        descriptors = [theirs, *pipes.theirs]
        arguments = ["once", self._order(), *map(str, descriptors)]
        try:
            if self.mode == "bwrap":
                return _Process([*self._command, *arguments], control, descriptors)
            command = [sys.executable, "-P", "-s", "-B", str(RUNNER), *arguments]
            environment = {**ENVIRONMENT, "HOME": folder, "MPLCONFIGDIR": folder, "PATH": os.environ.get("PATH", "")}
            return _Process(command, control, descriptors, cwd=folder, env=environment)
        finally:
            os.close(theirs)
            pipes.hand_over()

    def _listen(self, pipes, control, story, output, end):
        """Follow a run until its keeper reports (exit status) or fell silent (None), and why we ended it if we did."""
        status, cause, done = None, None, False
        line, size, lines = b"", 0, 0
        heard = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for descriptor in (pipes.results, pipes.output, control, self._bell):
                selector.register(descriptor, selectors.EVENT_READ)
                os.set_blocking(descriptor, descriptor == control)
            while True:
                due = heard + 5 * GRACE if done or cause else min(heard + self._patience(story.at), end)
                ready = [key.fd for key, _ in selector.select(0 if done else max(0, due - time.monotonic()))]
                if self._bell in ready:
                    raise SandboxError("the worker was closed")
                for descriptor in ready:
                    try:
                        data = os.read(descriptor, 1 << 16)
                    except BlockingIOError:
                        continue
                    except ConnectionResetError:
                        data = b""
                    if descriptor == control:
                        status, done, heard = json.loads(data)["status"] if data else None, True, time.monotonic()
                    if not data or descriptor == control:
                        selector.unregister(descriptor)
                    elif descriptor == pipes.output:
                        output.extend(data[: self.limits.output_bytes - len(output)])
                    else:
                        size, lines = size + len(data), lines + data.count(b"\n")
                        whole, _, line = (line + data).rpartition(b"\n")
                        line = line[-LINE_BYTES:]
                        if cause is None and (records := parse_lines(whole)):
                            story.read(records)
                            heard = time.monotonic()
                        if size > CHANNEL_BYTES or lines > LINES:
                            cause = cause or Problem(ENDED, "it flooded the channel to the grader")
                late = time.monotonic() >= due
                if done and (late or not set(ready) - {control}):
                    return status, cause
                if late and cause is not None:
                    return None, cause
                if late:
                    cause = Problem(OUT_OF_TIME, self._complaint(story.at, end))
                if cause is not None and pipes.leash in pipes.ours:
                    pipes.let_go()
                    heard = time.monotonic()

    def _patience(self, at):
        if at is None:
            return START_SECONDS
        return GRACE + (self.limits.cell_seconds if at[0] == "cell" else self.limits.probe_seconds)

    def _complaint(self, at, end):
        if time.monotonic() >= end:
            return f"the whole notebook took more than {self.limits.wall_seconds:g} s"
        return f"more than {self._patience(at) - GRACE:g} s, and it could not be interrupted"

    def close(self):
        """End the worker's process and all it started, from any thread; what runs is given up with a SandboxError."""
        self._closed = True
        if self._rope is not None:
            rope, self._rope = self._rope, None
            os.close(rope)  # rings the bell
            with self._busy:
                os.close(self._bell)
                if self._warm is not None:
                    self._warm.stop()
                    self._warm = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
