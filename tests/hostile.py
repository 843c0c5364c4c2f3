"""
Submissions that attack the grader. Each function returns the code of one hostile cell; it stands in a notebook between
two honest answers, `first` and `last`, and may bind `middle`, which it must never get right.
"""

SETUP = "import numpy as np"
FIRST = "def first(x):\n    return float(np.sum(x))"
LAST = "def last(x):\n    return {'mean': x.mean(), 'range': [x.min(), x.max()]}"
MIDDLE = "def middle(x):\n    return float(np.median(x))"  # right, for comparison only
PROBE_SETUP = "import numpy as np"
PROBES = {
    name: [{"source": f"returned = {name}(rng.normal(size=9))", "seed": [91, number]} for number in range(2)]
    for name in ("first", "middle", "last")
}

ATTACKS = {}


class Canary:
    """What an attack may look for: a listening port, files it should not read, processes it should not see."""

    port = 9
    paths = ("/etc/shadow", "/etc/passwd", "/home", "/var", "/sys", "/run", "/mnt", "/course/solutions")
    marker = "the marker of another submission"


def attack(function=None, *, waits=0):
    """Register; `waits`: how many time limits it runs into. Each keeps the marks of the answers around it."""

    def register(function):
        function.waits, function.keeps = waits, ("first", "last")
        ATTACKS[function.__name__] = function
        return function

    return register(function) if function else register


def cells(name, canary=Canary):
    """The code cells of one hostile submission, as a job has them."""
    sources = [SETUP, FIRST, ATTACKS[name](canary), LAST]
    return [{"id": f"cell-{index}", "source": source} for index, source in enumerate(sources)]


def job(sources):
    return {"cells": sources, "setup": PROBE_SETUP, "questions": PROBES}


def honest():
    """The job of the submission whose answers are all right."""
    sources = [SETUP, FIRST, MIDDLE, LAST]
    return job([{"id": f"cell-{index}", "source": source} for index, source in enumerate(sources)])


# Never ending


@attack(waits=1)
def infinite_loop(canary):
    return "while True:\n    pass"


@attack(waits=2)
def swallowed_interrupt(canary):
    return """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""


@attack(waits=2)
def blocked_alarm(canary):
    return """
import signal, time
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
time.sleep(3600)
"""


@attack(waits=2)
def endless_arithmetic(canary):
    return "10 ** 10 ** 10"


@attack
def endless_thread(canary):
    return """
import threading
threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
"""


@attack
def many_threads(canary):
    return """
import threading, time
for _ in range(1000):
    threading.Thread(target=time.sleep, args=(3600,)).start()
"""


@attack(waits=1)
def answer_hangs(canary):
    return "def middle(x):\n    while True:\n        pass"


@attack(waits=1)
def answer_hangs_for_good(canary):
    return """
def middle(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


@attack
def hostile_equality(canary):
    return """
class Name(str):
    def __hash__(self):
        return hash('middle')
    def __eq__(self, other):
        raise SystemExit('compared')
globals()[Name()] = len
"""


# Ending the process


@attack
def leaves(canary):
    return "import os\nos._exit(0)"


@attack
def leaves_politely(canary):
    return "import sys\nsys.exit(0)"


@attack
def kills_itself(canary):
    return "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


@attack
def segmentation_fault(canary):
    return "import ctypes\nctypes.string_at(0)"


@attack
def kills_everyone(canary):
    return """
import os
for target in (1, os.getppid(), -1, 0):
    try:
        os.kill(target, 9)
    except OSError:
        pass
"""


@attack
def answer_kills_the_notebook(canary):
    return """
import os
def middle(x):
    os.kill(os.getppid(), 9)
"""


@attack
def answer_leaves(canary):
    return "import os\ndef middle(x):\n    os._exit(0)"


@attack
def deep_recursion(canary):
    return """
import sys
sys.setrecursionlimit(10 ** 9)
class Deep:
    def __repr__(self):
        return repr([self])
repr(Deep())
"""


@attack
def deep_source(canary):
    return "(" * 100_000 + ")" * 100_000


@attack
def null_bytes(canary):
    return "x = '\0'\n%%\ud800"


# Too much of everything


@attack
def four_gigabytes(canary):
    return "x = bytearray(4 << 30)"


@attack
def four_gigabytes_in_parts(canary):
    return """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = b'x' * (400 << 20)
        time.sleep(3600)
time.sleep(3600)
"""


@attack
def half_a_gigabyte_of_output(canary):
    return """
import os
line = b'x' * (1 << 20)
for _ in range(500):
    os.write(1, line)
"""


@attack(waits=2)
def fork_bomb(canary):
    return """
import os
while True:
    try:
        os.fork()
    except BaseException:
        pass
"""


@attack
def full_disk(canary):
    return """
for folder in ('/tmp', '/scratch', '/dev/shm', '/dev', '/course', '/usr', '/'):
    try:
        for number in range(100):
            with open(f'{folder}/{number}', 'wb') as file:
                file.write(bytes(16 << 20))
    except OSError as error:
        pass
    else:
        print('LEAK no limit on', folder)
"""


@attack
def answer_returns_a_huge_array(canary):
    return "def middle(x):\n    return np.broadcast_to(1.0, (10 ** 6, 10 ** 6))"


@attack
def answer_returns_a_generator(canary):
    return "def middle(x):\n    while True:\n        yield 1.0"


@attack
def answer_returns_itself(canary):
    return "def middle(x):\n    return middle"


@attack
def answer_returns_a_nest(canary):
    return """
def middle(x):
    nest = 0.0
    for _ in range(10 ** 4):
        nest = [nest]
    return nest
"""


@attack
def answer_returns_no_number(canary):
    return """
answers = iter([float('nan'), 10 ** 400])
def middle(x):
    return [float('nan'), float('inf'), -float('inf')] if x[0] > 0 else 10 ** 400
"""


@attack
def answer_raises_nonsense(canary):
    return """
class Nonsense(BaseException):
    def __str__(self):
        return '<script>' + '\\ud800\\x1b[2J\\n' * 10 ** 6
def middle(x):
    raise Nonsense
"""


# Marks without work


@attack
def equals_everything(canary):
    return """
class Right:
    def __eq__(self, other):
        return True
    __lt__ = __le__ = __gt__ = __ge__ = __call__ = __getattr__ = __sub__ = __rsub__ = lambda self, *rest: self
    def __float__(self):
        return 0.0
middle = Right()
"""


@attack
def patched_comparison(canary):
    return """
import builtins, json, math
import numpy.testing
numpy.testing.assert_allclose = np.allclose = math.isclose = lambda *arguments, **keywords: True
json.dumps = json.JSONEncoder.encode = lambda *arguments, **keywords: '{"right": true}'
builtins.isinstance = builtins.callable = builtins.len = builtins.type = lambda *arguments: True
middle = lambda x: True
"""


@attack
def patched_system(canary):
    return """
import os, signal, select, sys, time
os.write = lambda descriptor, data: len(data)
os.fork = os.getpid = lambda: 0
os._exit = os.waitpid = signal.setitimer = select.select = time.monotonic = sys.setrecursionlimit = lambda *rest: None
open = lambda *arguments: 1 / 0
middle = lambda x: 0.0
"""


@attack
def forged_records(canary):
    return """
import os
lines = ['{"question": "middle", "cell": 2}', '{"end": true}', '{"mark": 100, "status": "graded"}']
lines += ['{"question": "middle", "probe": %d, "returned": %r}' % (n, v) for n in (0, 1) for v in (0.0, [1e999])]
lines += ['{"question": "middle", "probe": 0, "problem": [[[]], {}]}', '{"question": "middle", "bound": "..."}']
for descriptor in range(3, 64):
    try:
        os.write(descriptor, '\\n'.join(lines).encode())
    except OSError:
        pass
"""


@attack(waits=1)
def forged_clock(canary):
    return """
import os, time
while True:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'\\n{"cell": 0}\\n{"cell": 3, "problem": null}\\n{"cell": 2}\\n')
        except OSError:
            pass
    time.sleep(0.01)
"""


@attack
def broken_channel(canary):
    return """
import os
for descriptor in range(3, 64):
    for data in (b'{"question": "last', b'[' * 10 ** 5, b'\\xff\\x00', b'{"cell": ' + b'9' * 10 ** 5, b'x' * (2 << 20)):
        try:
            os.write(descriptor, data)
        except OSError:
            break
"""


@attack
def flooded_channel(canary):
    return """
import os
while True:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'{}\\n' * 10_000)
        except OSError:
            pass
"""


@attack
def closed_descriptors(canary):
    return "import os\nos.closerange(0, 256)"


@attack
def closed_output(canary):
    return "import sys\nsys.stdout.close()\nsys.stderr = None\nprint('x')"


@attack
def looks_for_the_answers(canary):
    return """
import gc, sys
frame, found = sys._getframe(), []
while frame:
    found += [text for text in frame.f_locals.values() if isinstance(text, str)]
    frame = frame.f_back
found += [text for thing in gc.get_objects() if isinstance(thing, dict) for text in thing.values()
          if isinstance(text, str)]
if any('float(np.' + 'median(x))' in text for text in found):
    print('LEAK the answer')
def middle(x):
    return sys._getframe(1).f_globals.get('expected', 0.0)
"""


@attack
def answers_by_another_check(canary):
    return """
import sys
check = lambda *arguments: True
sys.modules['helpers.checks'].exercise = lambda *arguments: check
sys.modules.pop('__main__')
middle = check
"""


# Reaching out


@attack
def reads_files(canary):
    return f"""
import os
for path in {tuple(canary.paths)!r}:
    if os.path.lexists(path):
        print('LEAK', path)
middle = lambda x: float(open('/course/answers').read())
"""


@attack
def connects(canary):
    return f"""
import socket
for family, address in ((socket.AF_INET, ('127.0.0.1', {canary.port})), (socket.AF_INET, ('192.0.2.1', 80)),
                        (socket.AF_INET6, ('::1', {canary.port})), (socket.AF_UNIX, '\\0canary')):
    try:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(0.2)
        connection.connect(address)
        print('LEAK connected to', address)
    except OSError:
        pass
"""


@attack
def leaves_files(canary):
    return f"""
import os
for folder in ('/tmp', '/scratch', '/dev/shm', '/var/tmp', '/dev', '/course', '/'):
    if os.path.isdir(folder) and {canary.marker!r} in os.listdir(folder):
        print('LEAK a file in', folder)
    try:
        open(os.path.join(folder, {canary.marker!r}), 'w').close()
    except OSError:
        pass
"""


@attack
def leaves_a_daemon(canary):
    return """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(1)
    os._exit(0)
"""


@attack
def looks_at_others(canary):
    return f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for number in filter(str.isdigit, os.listdir('/proc')):
    if int(number) == os.getpid():
        continue
    if libc.ptrace(16, int(number), 0, 0) == 0:
        print('LEAK attached to', number)
    for name in ('mem', 'environ', 'maps', 'fd'):
        try:
            os.listdir(f'/proc/{{number}}/fd') if name == 'fd' else open(f'/proc/{{number}}/{{name}}', 'rb').read(1)
            print('LEAK', name, 'of', number)
        except OSError:
            pass
    if {canary.marker!r} in open(f'/proc/{{number}}/cmdline').read():
        print('LEAK a neighbour')
if len([name for name in os.listdir('/proc') if name.isdigit()]) > 3:
    print('LEAK more processes than the keeper and this')
"""


@attack
def uses_the_keyring(canary):
    return """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for session in (-3, -4, -5):  # of the session, the user, the user's session
    key = libc.syscall(248, b'user', b'canary', b'x', 1, session)
    if key >= 0 or libc.syscall(250, 11, session, ctypes.create_string_buffer(99), 99) >= 0:
        print('LEAK keyring', session)
"""


@attack
def makes_a_world(canary):
    return """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for flags in (0x10000000, 0x10020000, 0x20000, 0x40000000, 0x20000000):
    if libc.unshare(flags) == 0:
        print('LEAK unshare', hex(flags))
    child = libc.syscall(56, flags | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child > 0:
        print('LEAK clone', hex(flags))
if libc.syscall(435, 0, 0) != -1 or ctypes.get_errno() != 38:
    print('LEAK clone3')
"""


@attack
def becomes_root(canary):
    return """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for action in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.chroot('/scratch'),
               lambda: os.remove('/course/runner.py'), lambda: open('/usr/x', 'w'),
               lambda: open('/proc/sys/kernel/hostname', 'w').write('x'),
               lambda: os.mknod('/scratch/disk', 0o60600, 0x800)):
    try:
        action()
        print('LEAK an action of root')
    except OSError:
        pass
if libc.mount(b'tmpfs', b'/scratch', b'tmpfs', 0, None) == 0 or libc.umount2(b'/tmp', 2) == 0:
    print('LEAK mount')
"""


@attack
def lowers_limits(canary):
    return """
import resource
for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
    resource.setrlimit(kind, (1, 1))
"""


@attack
def lowers_the_recursion_limit(canary):
    return "import sys\nsys.setrecursionlimit(len(__import__('inspect').stack()) + 20)"


@attack
def ignores_its_children(canary):
    return """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    raise SystemExit
"""


@attack
def runs_a_shell(canary):
    return "!touch /tmp/shell && cat /etc/shadow\n%run /etc/passwd\nfiles = !ls /\n%sx id\n%system id\nprint(files)"


@attack
def asks_for_input(canary):
    return "name = input('LEAK? '.lower())"
