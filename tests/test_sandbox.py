"""Student code gets its time, its memory and nothing else: the corpus of attacks, and how answers are found."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solutions.grading import channel, sandbox
from tests import hostile

LIMITS = sandbox.Limits(cell_seconds=1, probe_seconds=1, wall_seconds=30)
MODULES = ["numpy", "IPython.core.inputtransformer2"]
HAVE = {"warm": ("warm", "bwrap"), "bwrap": ("bwrap",), "none": ()}[sandbox.available().mode]


def needs(mode):
    found = sandbox.available()
    return pytest.mark.skipif(mode not in HAVE, reason=f"no {mode} sandbox: {found.reason}. {found.remedy}")


MODES = [pytest.param(mode, marks=needs(mode)) for mode in ("warm", "bwrap")]


@pytest.fixture(scope="module")
def canary():
    """A port that listens, files that should not be seen, a process that should not be seen."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    mark = f"{hostile.Canary.marker} {os.getpid()}"
    secret = Path(tempfile.gettempdir(), mark)
    secret.touch()

    class Canary(hostile.Canary):
        marker = mark
        port = listener.getsockname()[1]
        paths = (*hostile.Canary.paths, __file__, str(sandbox.ROOT / "solutions"), str(secret))

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", Canary.marker]) as neighbour:
        yield Canary
        neighbour.kill()
    secret.unlink()
    with pytest.raises(BlockingIOError):
        listener.accept()  # nobody called
    listener.close()


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def worker():
    """How answers are found does not depend on the route: the best there is."""
    if not HAVE:
        pytest.skip(f"no sandbox: {sandbox.available().reason}. {sandbox.available().remedy}")
    with sandbox.Worker(None, LIMITS, modules=MODULES) as worker:
        yield worker


@pytest.fixture(scope="module")
def attacks(request, mode, canary):
    """Every selected attack, two at a time, each in a worker that others use before and after it."""
    chosen = {
        item.callspec.params["name"]
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_attack"
    }
    workers = SimpleQueue()

    def run(job):
        worker = workers.get()
        try:
            return worker.run(job)
        finally:
            workers.put(worker)

    with sandbox.Worker(mode, LIMITS, modules=MODULES) as one, sandbox.Worker(mode, LIMITS, modules=MODULES) as two:
        before, idle = one.run(hostile.honest()), processes()
        workers.put(one)
        workers.put(two)
        with ThreadPoolExecutor(2) as pool:
            jobs = {name: hostile.job(hostile.cells(name, canary)) for name in hostile.ATTACKS if name in chosen}
            results = {name: pool.submit(run, job) for name, job in jobs.items()}
            results["the last"] = pool.submit(run, hostile.honest())
            yield before, results
        assert processes() == idle  # nothing is left behind


def processes():
    return {(process.pid, process.name()) for process in psutil.Process().children(recursive=True)}


def returned(result, name):
    return [probed.returned for probed in result.questions[name].probes]


@pytest.mark.parametrize("name", hostile.ATTACKS)
def test_attack(attacks, name):
    right, results = attacks
    result = results[name].result()
    for question in hostile.ATTACKS[name].keeps:
        assert returned(result, question) == returned(right, question), result
    for mine, expected in zip(returned(result, "middle"), returned(right, "middle"), strict=True):
        assert mine != expected, result
    assert "LEAK" not in result.output, result.output
    assert result.status == "finished"
    assert result.safe


def test_nobody_else_suffers(attacks):
    right, results = attacks
    last = results["the last"].result()
    assert last.questions == right.questions
    assert last.runs == 1


# How answers are found


def submission(*sources, setup="import numpy as np", **questions):
    """A job; a question is given by its probe, or several."""
    probes = {
        name: [{"source": source, "seed": 5} for source in ([found] if isinstance(found, str) else found)]
        for name, found in questions.items()
    }
    return {"cells": [{"id": "x", "source": source} for source in sources], "setup": setup, "questions": probes}


def first(result, name):
    return result.questions[name].probes[0].returned


def problem(result, name):
    return result.questions[name].probes[0].problem


def test_a_probe_gets_its_own_seed_and_returns_what_numpy_returns(worker):
    job = submission("def f(x):\n    return x", f="returned = f(rng.normal(size=3))\ntolerance = 1e-3 * abs(returned)")
    job["questions"]["f"][0]["seed"] = [2**80, 7]
    drawn = np.random.default_rng([2**80, 7]).normal(size=3)
    probed = worker.run(job).questions["f"].probes[0]
    assert probed.returned == drawn.tolist()
    assert probed.tolerance == (1e-3 * abs(drawn)).tolist()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("3", 3.0),
        ("True", 1.0),
        ("10**30", 1e30),
        ("np.float32(0.5)", 0.5),
        ("(1, [2.5], )[1:]", [[2.5]]),
        ("{'a': np.eye(2), 'b': np.int8(3)}", {"a": [[1.0, 0.0], [0.0, 1.0]], "b": 3.0}),
        ("float('inf')", float("inf")),
    ],
)
def test_numbers_come_through(worker, value, found):
    cells = ["import numpy as np", f"def f():\n    return {value}"]
    assert first(worker.run(submission(*cells, f="returned = f()")), "f") == found


@pytest.mark.parametrize(
    "value", ["'1'", "None", "1j", "object()", "{'a': {'b': 1}}", "[1, [2, 3]]", "np.zeros(10**6)"]
)
def test_other_things_do_not(worker, value):
    result = worker.run(submission("import numpy as np", f"def f():\n    return {value}", f="returned = f()"))
    assert first(result, "f") is None
    assert problem(result, "f").kind == channel.NOT_NUMBERS


def test_an_answer_is_taken_when_it_is_bound_and_the_last_one_counts(worker):
    cells = ["scale = 1.0", "def f(x):\n    return scale * x", "scale = 100.0", "f = 3.0"]
    assert first(worker.run(submission(*cells, f="returned = f(2.0)")), "f") == 2.0
    again = [*cells, "def f(x):\n    return -x", "raise ValueError"]
    result = worker.run(submission(*again, f="returned = f(2.0)"))
    assert (first(result, "f"), result.questions["f"].cell) == (-2.0, 4)


def test_what_an_answer_needs_may_stand_below_it(worker):
    result = worker.run(submission("def f(x):\n    return g(x)", "def g(x):\n    return 2 * x", f="returned = f(2.0)"))
    assert first(result, "f") == 4.0


def test_a_notebook_without_code_is_run(worker):
    result = worker.run(submission(f="returned = f()"))
    assert (result.status, result.questions["f"].state) == ("finished", "missing")


def test_one_broken_cell_does_not_stop_the_next(worker):
    cells = ["1 / 0", "x = (", "import nothing", "f = abs"]
    result = worker.run(submission(*cells, f="returned = f(-1)"))
    assert first(result, "f") == 1.0
    assert [(ran.state, ran.problem and ran.problem.kind) for ran in result.cells] == [
        ("raised", "ZeroDivisionError"), ("raised", "SyntaxError"), ("raised", "ModuleNotFoundError"), ("ran", None),
    ]  # fmt: skip


def test_blank_missing_and_not_callable_are_told_apart(worker):
    cells = ["a = ...", "b = 3.0", "def c(x):\n    return ...", "def d(x):\n    return [...]"]
    probes = {name: f"returned = {name}(1.0) + 1" for name in "abcde"}
    result = worker.run(submission(*cells, **probes))
    assert [result.questions[name].state for name in "abcde"] == ["blank", "not callable", "taken", "taken", "missing"]
    assert problem(result, "c").kind == channel.BLANK
    assert problem(result, "d").kind == "TypeError"
    assert result.questions["b"].problem.message == "bound to a float, not to a function"


def test_a_probe_sees_nothing_but_its_set_up_its_answer_and_its_generator(worker):
    cells = ["import numpy as np\nhidden = 1.0\nnp.random.seed(3)\nrng = None", "def f(x):\n    return hidden + x"]
    probes = ["returned = hidden", "returned = f(1.0)", "state = 1\nreturned = f(2.0)", "returned = state", "pass"]
    probed = worker.run(submission(*cells, f=probes)).questions["f"].probes
    assert [found.returned for found in probed] == [None, 2.0, 3.0, None, None]
    assert [found.problem and found.problem.kind for found in probed] == [
        "NameError", None, None, "NameError", channel.NOT_NUMBERS,
    ]  # fmt: skip


def test_a_failing_tolerance_leaves_the_numbers(worker):
    probed = worker.run(submission("f = abs", f="returned = f(-1)\ntolerance = 1 / 0")).questions["f"].probes[0]
    assert (probed.returned, probed.problem.kind) == (1.0, "ZeroDivisionError")


def test_a_hang_costs_its_question_only(worker):
    cells = ["f = abs", "def g(x):\n    while x:\n        pass", "h = abs"]
    result = worker.run(submission(*cells, f="returned = f(-1)", g=["returned = g(1)"] * 5, h="returned = h(-1)"))
    assert (first(result, "f"), first(result, "h")) == (1.0, 1.0)
    kinds = [found.problem.kind for found in result.questions["g"].probes]
    assert kinds == [channel.OUT_OF_TIME] + [channel.NOT_RUN] * 4


def test_the_check_never_says_correct(worker):
    cells = [
        "from helpers.checks import exercise\ncheck = exercise('03', release='1')",
        "if check('f'):\n    print('marks')\ncheck.summary()",
        "f = abs",
    ]
    for sources in (cells, cells[1:]):  # with and without the set-up cell
        result = worker.run(submission(*sources, f="returned = f(-1)"))
        assert {ran.state for ran in result.cells} == {"ran"}
        assert "marks" not in result.output


def test_magics_and_shells_neither_break_nor_run(worker):
    cells = [
        "%matplotlib inline\n!touch /tmp/shell\n%pip install x\nfiles = !ls",
        "import os\nassert not os.path.exists('/tmp/shell')",
        "%%time\ndef f(x):\n    return x + len(files)",
        "%%timeit -n 3\ncalls = globals().get('calls', 0) + 1",
        "%time g = abs\n%timeit 1 / 0\nf?\nget_ipython().run_line_magic('load_ext', 'x')\ndisplay(f)",
        "%%bash\nexit 1",
        "%%capture\n%config InlineBackend.figure_format = 'svg'\nh = lambda: calls",
    ]
    result = worker.run(submission(*cells, f="returned = f(1)", g="returned = g(-1)", h="returned = h()"))
    assert {ran.state for ran in result.cells} == {"ran"}, result.cells
    assert [first(result, name) for name in "fgh"] == [1.0, 1.0, 1.0]


def test_unseeded_draws_are_the_same_in_every_run(worker):
    cells = [
        "import random\nimport numpy as np\nx = [np.random.normal(), random.random()]",
        "def f():\n    return x + [np.random.normal()]",
    ]
    job = submission(*cells, f="returned = f()")
    assert first(worker.run(job), "f") == first(worker.run(job), "f")
    expected = np.random.RandomState(0).normal()
    assert first(worker.run(job), "f")[::2] == [expected, expected]


def test_the_course_is_there_and_figures_are_not_shown(mode):
    cells = [
        "import matplotlib.pyplot as plt\nfrom helpers import simulate\nplt.style.use('helpers.course')",
        "fig, ax = plt.subplots()\nplt.show()\nimport helpers\nassert helpers.__file__.startswith('/course/')",
    ]
    with sandbox.Worker(mode, modules=MODULES) as worker:
        assert {ran.state for ran in worker.run(submission(*cells)).cells} == {"ran"}


def test_the_wall_stops_a_notebook_and_keeps_what_was_found(mode):
    limits = sandbox.Limits(cell_seconds=5, probe_seconds=1, wall_seconds=1.5)
    cells = ["f = abs", "import time\ntime.sleep(9)", "g = abs"]
    with sandbox.Worker(mode, limits, modules=MODULES) as worker:
        result = worker.run(submission(*cells, f="returned = f(-1)", g="returned = g(-1)"))
    assert (first(result, "f"), first(result, "g")) == (1.0, None)
    assert (result.status, result.reason) == ("cut short", "more than 1.5 s in all")
    assert result.seconds < 5


def test_a_notebook_that_always_ends_its_process_is_given_up(mode):
    limits = sandbox.Limits(cell_seconds=1, wall_seconds=30, reruns=2)
    cells = ["f = abs", *["import os; os._exit(0)"] * 5, "g = abs"]
    with sandbox.Worker(mode, limits, modules=MODULES) as worker:
        result = worker.run(submission(*cells, f="returned = f(-1)", g="returned = g(-1)"))
    assert (first(result, "f"), first(result, "g"), result.runs) == (1.0, None, 3)
    assert (result.status, result.reason) == ("cut short", "the process ended 3 times")


# The grader's own accidents

GRADER = """
import json, sys
from solutions.grading import sandbox
print("start", flush=True)
with sandbox.Worker({mode!r}, modules=["numpy"]) as worker:
    worker.run({{"cells": [{{"id": "x", "source": {source!r}}}], "setup": "", "questions": {{}}}})
"""
DAEMON = """
import os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
if os.fork() == 0:
    os.setsid()
    os.fork()
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("mode", [*MODES, "unsafe"])
def test_a_killed_grader_leaves_nothing(mode):
    code = GRADER.format(mode=mode, source=DAEMON if mode != "unsafe" else "while True:\n    pass")
    with subprocess.Popen([sys.executable, "-c", code], cwd=sandbox.ROOT, stdout=subprocess.PIPE) as grader:
        below = psutil.Process(grader.pid)
        expected = {"warm": 7, "bwrap": 5, "unsafe": 2}[mode]
        wait_for(lambda: len(below.children(recursive=True)) >= expected)
        started = below.children(recursive=True)
        grader.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(lives(process) for process in started), seconds=5)


def lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # whoever inherits it may be slow to bury it
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_outlives_the_thread_that_made_it_and_its_own_warm_process(mode):
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(sandbox.Worker, mode, LIMITS, modules=MODULES).result()
    job = submission("f = abs", f="returned = f(-1)")
    with worker:
        assert first(worker.run(job), "f") == 1.0
        if mode == "warm":
            worker._warm.popen.kill()
        assert first(worker.run(job), "f") == 1.0


def test_closing_a_worker_gives_up_what_it_runs(mode):
    worker = sandbox.Worker(mode, modules=MODULES)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(worker.run, submission(DAEMON))
        wait_for(lambda: len(psutil.Process().children(recursive=True)) >= 5)
        worker.close()
        with pytest.raises(sandbox.SandboxError, match="closed"):
            run.result()


MANY = """
import os, time
for _ in range(9):
    if os.fork() == 0:
        x = b'x' * (100 << 20)
        time.sleep(3600)
time.sleep(3600)
"""


def test_the_memory_of_all_processes_together_is_limited(mode):
    limits = sandbox.Limits(cell_seconds=20, wall_seconds=60, memory_bytes=300 << 20)
    with sandbox.Worker(mode, limits, modules=MODULES) as worker:
        result = worker.run(submission(MANY, "f = abs", f="returned = f(-1)"))
    assert first(result, "f") == 1.0
    assert [ran.state for ran in result.cells] == ["left out", "ran"]


def test_every_route_gives_the_same_numbers():
    found = []
    for mode in (*HAVE, "unsafe"):
        with sandbox.Worker(mode, modules=MODULES) as worker:
            found.append(worker.run(hostile.honest()).questions)
    assert found[0]["middle"].probes[0].returned is not None
    assert all(questions == found[0] for questions in found)


def test_without_isolation_it_works_and_says_so():
    before = processes()
    with sandbox.Worker("unsafe", LIMITS) as worker:
        result = worker.run(submission("f = abs", "while True:\n    pass", f="returned = f(-1)"))
    assert (first(result, "f"), result.isolation, result.safe) == (1.0, "unsafe", False)
    assert processes() == before


FEWER_WORLDS = """
import ctypes, os, sys
uid, gid = os.getuid(), os.getgid()
assert ctypes.CDLL(None).unshare(0x10000000) == 0
for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write(sys.argv[1])
os.execv(sys.executable, [sys.executable, "-c", sys.argv[2]])
"""
ASK = """
from solutions.grading import sandbox
found = sandbox.available()
print(found.mode, bool(found.reason), bool(found.remedy))
try:
    with sandbox.Worker() as worker:
        print(worker.run({"cells": [], "setup": "", "questions": {}}).isolation)
except sandbox.SandboxError as error:
    print("refused" if found.remedy in str(error) else error)
"""


@needs("warm")
@pytest.mark.parametrize(
    ("worlds", "said"),
    [
        # root without its rights still owns /proc/sys, so bubblewrap covers that, and then no world may have a /proc
        ("9", "warm False False\nwarm" if os.geteuid() else "bwrap True False\nbwrap"),
        ("0", "none True True\nrefused"),
    ],
)
def test_where_worlds_are_refused_it_falls_back_or_refuses(worlds, said):
    done = subprocess.run(
        [sys.executable, "-c", FEWER_WORLDS, worlds, ASK], cwd=sandbox.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == said


@pytest.mark.parametrize(("system", "word"), [("win32", "wsl"), ("darwin", "limactl"), ("sunos5", "Linux")])
def test_each_system_has_its_remedy(system, word):
    assert word in sandbox.remedy("", system)


def test_an_environment_that_holds_the_answers_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(sandbox.ROOT))
    with pytest.raises(sandbox.SandboxError, match="move it|bubblewrap is not installed"):
        sandbox.Worker("bwrap", LIMITS)


# The channel

ODD = [None, True, -1, 0.5, 1e999, 2**70, "", "...", [], [1.0, [2.0]], {"a": [1.0]}, ["A", "b"], {"f": {}}, "\ud800"]
VALUES = st.sampled_from([*ODD, "f", "g", 0, 1])
RECORDS = st.dictionaries(st.sampled_from([*channel.FIELDS, "other"]), VALUES, max_size=4)
CUTS = st.tuples(RECORDS.map(lambda record: json.dumps(record).encode()), st.integers(0, 60), st.binary(max_size=3))
LINES = CUTS.map(lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :])


@settings(max_examples=1000, deadline=None)
@given(st.lists(LINES, max_size=6))
def test_no_bytes_break_the_channel(lines):
    story = channel.Story(submission("", "", f=["", ""], g=""))
    records = channel.parse_lines(b"\n".join(lines))
    story.read(records)
    story.end_run(channel.Problem("x", "y"))
    json.dumps(records).encode("utf-8")
    assert [len(story.questions[name].probes) for name in "fg"] == [2, 1]
    assert len(story.cells) == 2


NAMES = st.text(max_size=5).map(channel.clean)
NUMBERS = st.floats() | st.lists(st.floats(), max_size=5) | st.dictionaries(NAMES, st.floats(), max_size=5)


@settings(max_examples=500, deadline=None)
@given(NUMBERS, st.integers(0, 9_999))
def test_numbers_pass_the_channel_unchanged(value, number):
    record = {"question": "f", "probe": number, "returned": value}
    assert repr(channel.parse_lines(json.dumps(record).encode())) == repr([record])


@pytest.mark.parametrize(
    "line",
    [
        b'{"returned": ' + b"[" * 500_000,
        b'{"returned": ' + b"[" * 9 + b"1.0" + b"]" * 9 + b"}",
        b'{"returned": ' + b'{"a":' * 100_000,
        b'{"returned": [' + b"1," * 400_000 + b"1]}",
        b'{"returned": ' + b"[[],[]," * 10_000 + b"[]" + b"]" * 10_000 + b"}",
        b'{"cell": ' + b"9" * 500_000 + b"}",
        b'{"returned": "1.0"}',
        b'{"returned": true}',
        b'{"returned": null}',
        b'{"returned": {"a": {"b": 1}}}',
        b'{"cell": true}',
        b'{"cell": 0.5}',
        b'{"cell": NaN}',
        b'{"cell": -1}',
        b'{"end": true, "status": "graded"}',
        b'{"problem": "ab"}',
        b'{"problem": ["a", 1]}',
        b'{"question": ["f"]}',
        b"{" + b" " * (2 << 20) + b"}",
        b"17",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_hostile_line_is_left_out_and_the_next_one_read(line):
    start = time.process_time()
    assert channel.parse_lines(line + b'\n{"cell": 1}\n') == [{"cell": 1}]
    assert time.process_time() - start < 1


def test_text_from_a_student_can_be_stored():
    hostile = b"\\ud800 \\u202e \\u0000 \\u001b[2J " + b"x" * 999
    [record] = channel.parse_lines(b'{"cell": 0, "problem": ["A", "' + hostile + b'"]}')
    kind, message = record["problem"]
    assert (kind, len(message)) == ("A", 300)
    assert message.encode("utf-8").decode().isprintable()


def test_records_for_what_was_not_asked_change_nothing():
    story = channel.Story(submission("", f=""))
    story.read([{"question": "g", "cell": 0}, {"question": "f", "probe": 0, "returned": 1.0}, {"cell": 7}])
    story.end_run()
    assert story.questions["f"].state == "missing"  # numbers for an answer that was never taken
    assert story.cells == [channel.Ran()]
