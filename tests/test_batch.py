"""Many submissions: nothing is run twice or lost, an interrupted run goes on, and a cluster gives the same marks."""

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from solutions.grading import batch, command, questions, sandbox
from tests import grading_course as course

REAL = sandbox.Worker
FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


@pytest.fixture(autouse=True)
def _no_sandbox(monkeypatch):
    """Submissions here are the course's own: they need no sandbox, and are counted."""
    ran.clear()
    monkeypatch.setattr(questions, "_sentences", lambda number: course.SENTENCES)
    monkeypatch.setattr(sandbox, "Worker", Counting)


ran = []


class Counting(course.InProcess):
    def run(self, job):
        ran.append(job)
        return super().run(job)


@pytest.fixture
def folder(tmp_path):
    """Answers, and a class of six."""
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / f"{course.STEM}.ipynb").write_bytes(course.dump(course.answers()))
    (tmp_path / "class").mkdir()
    wrong = course.MISTAKES["gradient"]["wrong-sign"]
    for i, book in enumerate([course.right(), course.exercise(), course.right(gradient=wrong)] * 2):
        (tmp_path / "class" / f"student{i}.ipynb").write_bytes(course.dump(book | {"metadata": {"n": i}}))
    return tmp_path


def grade(folder, **arguments):
    """Run the command as if typed; 0 where it succeeded."""
    typed = {
        "submissions": folder / "class", "out": folder / "out", "answers": folder / "answers", "roster": None,
        "seed": None, "show_answers": False, "dry_run": False, "compare": None, "jobs": 2, "dask": None,
        "cell_seconds": None, "wall_seconds": None, "unsafe_no_sandbox": False,
    }  # fmt: skip
    return command.run(SimpleNamespace(**(typed | arguments)))


def gradebook(folder, out="out"):
    return (folder / out / "gradebook.csv").read_bytes()


REFERENCE = 2  # runs: the answers, and the mistakes


def test_what_was_graded_is_not_run_again(folder):
    assert grade(folder) == 0
    assert len(ran) == REFERENCE + 6
    before = gradebook(folder)
    assert grade(folder) == 0
    assert len(ran) == REFERENCE + 6
    assert gradebook(folder) == before


@pytest.mark.parametrize("what", ["submission", "answers", "seed", "grader", "limits", "sandbox", "damage"])
def test_what_changed_is_run_again(folder, what, monkeypatch):
    grade(folder, seed=1)
    ran.clear()
    again, arguments = 6, {"seed": 1}
    if what == "submission":
        again = 1
        (folder / "class" / "student0.ipynb").write_bytes(course.dump(course.exercise()))
    elif what == "answers":
        changed = course.answers(title=course.text("# Small course, corrected", "title"))
        (folder / "answers" / f"{course.STEM}.ipynb").write_bytes(course.dump(changed))
    elif what == "seed":
        arguments["seed"] = 2
    elif what == "grader":
        monkeypatch.setattr(batch, "LIBRARIES", ("numpy",))
    elif what == "limits":
        arguments["cell_seconds"] = 5.0
    elif what == "sandbox":
        arguments["unsafe_no_sandbox"] = True
    elif what == "damage":
        again = 1
        next((folder / "out" / "marks").glob("*student0*")).write_text('{"made": ')
    assert grade(folder, **arguments) == 0
    assert len(ran) == REFERENCE + again


def test_the_seed_is_drawn_once_and_kept(folder):
    grade(folder)
    seed = json.loads((folder / "out" / "run.json").read_text())["seed"]
    ran.clear()
    grade(folder)
    assert json.loads((folder / "out" / "run.json").read_text())["seed"] == seed
    assert not ran
    grade(folder, out=folder / "other")
    assert json.loads((folder / "other" / "run.json").read_text())["seed"] != seed


def test_a_seed_that_was_passed_over_stays_in_the_summary(folder):
    (folder / "out").mkdir()
    (folder / "out" / "run.json").write_text('{"seed": 3, "passed over": ["seed 3 passed over: too near"]}')
    grade(folder, seed=3)
    assert "too near" in (folder / "out" / "summary.html").read_text()


def test_the_gradebook_holds_no_time_and_does_not_depend_on_the_order(folder):
    grade(folder, seed=3)
    grade(folder, seed=3, jobs=1, out=folder / "other")
    assert gradebook(folder) == gradebook(folder, "other")
    names = [path.name for path in (folder / "out" / "marks").iterdir()]
    assert all((folder / "out/marks" / n).read_bytes() == (folder / "other/marks" / n).read_bytes() for n in names)


def test_late_and_newer_are_looked_at_anew_without_a_run(folder):
    grade(folder, seed=3)
    path = folder / "class" / "student0.ipynb"
    grade(folder, seed=3, out=folder / "other")
    ran.clear()
    (folder / "class" / "student0 (1).ipynb").write_bytes(b"{}")
    os.utime(folder / "class" / "student0 (1).ipynb", (0, path.stat().st_mtime - 100))
    grade(folder, seed=3)
    assert not ran
    assert b"not graded: student0 (1).ipynb" in gradebook(folder)
    (folder / "class" / "student0 (1).ipynb").unlink()
    path.rename(folder / "class" / "renamed.ipynb")
    grade(folder, seed=3)
    assert not list((folder / "out" / "marks").glob("*student0*"))
    assert b"student0" not in gradebook(folder)


def test_what_cannot_be_read_is_not_run_and_stands_in_the_gradebook(folder):
    (folder / "class" / "student0.ipynb").write_bytes(b"{}")
    assert grade(folder) == 0
    assert len(ran) == REFERENCE + 5
    assert b"student0,,90,,8,unreadable,not a notebook: it has no list of cells" in gradebook(folder)


def test_a_sandbox_that_fails_leaves_it_to_a_person_and_the_next_run(folder, monkeypatch):
    class Failing(Counting):
        def run(self, job):
            if "right" in str(job) and "rate - t.sum()" in str(job["cells"][1:2]):
                raise sandbox.SandboxError("no more memory")
            return super().run(job)

    monkeypatch.setattr(sandbox, "Worker", Failing)
    monkeypatch.setattr(course, "ANSWERS", course.ANSWERS | {"gradient": "right = 1\n" + course.ANSWERS["gradient"]})
    bad = course.right(gradient="right = 1\n" + course.MISTAKES["gradient"]["wrong-sign"])
    (folder / "class" / "student0.ipynb").write_bytes(course.dump(bad))
    assert grade(folder, seed=3) == 0
    (row,) = [line for line in gradebook(folder).decode().splitlines() if line.startswith("student0")]
    assert row == 'student0,,90,,8,needs a person,"the grader failed, run it again: SandboxError: no more memory"'
    monkeypatch.setattr(sandbox, "Worker", Counting)
    ran.clear()
    grade(folder, seed=3)
    assert len(ran) == REFERENCE + 1
    assert b"student0,,90,4,8,partly graded," in gradebook(folder)


def test_a_sandbox_that_fails_once_is_started_anew(folder, monkeypatch):
    class Failing(Counting):
        def run(self, job):
            if not ran:
                ran.append(job)
                raise sandbox.SandboxError("no more memory")
            return super().run(job)

    monkeypatch.setattr(sandbox, "Worker", Failing)
    assert grade(folder, jobs=1) == 0
    assert len(ran) == 1 + REFERENCE + 6
    assert b"failed" not in gradebook(folder)


def test_without_a_sandbox_nothing_is_graded_and_the_line_that_gets_one_is_printed(folder, monkeypatch, capsys):
    def refuse(mode, limits):
        raise sandbox.SandboxError("no sandbox here\napt-get install bubblewrap")

    monkeypatch.setattr(sandbox, "Worker", refuse)
    assert grade(folder) == 1
    assert "apt-get install bubblewrap" in capsys.readouterr().err
    assert not (folder / "out" / "gradebook.csv").exists()


def test_unsafe_is_said_on_the_terminal_and_on_every_page(folder, monkeypatch, capsys):
    run = course.InProcess.run

    def unsafe(self, job):
        result = run(self, job)
        result.safe = False
        return result

    monkeypatch.setattr(Counting, "run", unsafe)
    assert grade(folder, unsafe_no_sandbox=True) == 0
    assert "WITHOUT A SANDBOX" in capsys.readouterr().err
    pages = [*(folder / "out" / "feedback").glob("*.html"), *(folder / "out").glob("*.html")]
    assert len(pages) == 8
    assert all("Run without a sandbox" in page.read_text() for page in pages)


# The command


def test_a_dry_run_lists_and_writes_nothing(folder, capsys):
    (folder / "class" / "doejane_LATE_5_1001_x.ipynb").write_bytes(b"{")
    assert grade(folder, dry_run=True) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 7
    assert listed[0].startswith("90  doejane 5  doejane_LATE_5_1001_x.ipynb  [unreadable; not a notebook")
    assert listed[0].endswith("; late]")
    assert not (folder / "out").exists()
    assert not ran


def test_compare_lists_what_changed_between_two_folders(folder, capsys):
    grade(folder, seed=3)
    grade(folder, seed=3, out=folder / "new")
    capsys.readouterr()
    assert grade(folder, compare=[folder / "out", folder / "new"]) == 0
    assert capsys.readouterr().out == "no mark changed\n"
    (folder / "new" / "overrides.csv").write_text("student,question,mark,comment\nstudent1,fit,1,half an idea\n")
    assert grade(folder, compare=[folder / "out", folder / "new"]) == 0
    assert capsys.readouterr().out.startswith("student1, exercise 90: 0 → 1: fit 0 → 1 (half an idea)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"submissions": None}, "which submissions?"),
        ({"compare": ("class", "answers")}, "holds no results"),
        ({"answers": "class"}, "no answer notebooks"),
        ({"submissions": "nowhere"}, "give the one that holds the submissions"),
        ({"submissions": "empty"}, "no submissions in"),
        ({"roster": "answers/90-small-course.ipynb"}, "the roster is no CSV file"),
    ],
)
def test_a_mistake_in_the_command_is_said_in_one_line_before_any_work(folder, capsys, arguments, said):
    (folder / "empty").mkdir()
    given = {
        name: [folder / one for one in value] if isinstance(value, tuple) else value and folder / value
        for name, value in arguments.items()
    }
    assert grade(folder, **given) == 1
    assert said in capsys.readouterr().err
    assert not ran


def test_wrong_overrides_are_refused_and_what_was_graded_stays(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out" / "overrides.csv").write_text("student,question,mark,comment\nnobody,fit,1,\n")
    assert grade(folder) == 1
    assert "overrides.csv, line 2: no submission of a student 'nobody'" in capsys.readouterr().err
    (folder / "out" / "overrides.csv").unlink()
    ran.clear()
    assert grade(folder) == 0
    assert not ran


# Interrupted


def test_a_file_is_the_old_or_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    batch.write(path, "old")
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        batch.write(path, "new")
    assert path.read_text() == "old"


class Slow(Counting):
    def run(self, job):
        if len(job["questions"]) == 3:
            time.sleep(0.2)
        return super().run(job)


@pytest.mark.skipif(FORK is None, reason="needs fork")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_to_the_same_gradebook(folder, monkeypatch, number):
    grade(folder, seed=3, out=folder / "whole")
    monkeypatch.setattr(sandbox, "Worker", Slow)
    run = FORK.Process(target=lambda: os._exit(grade(folder, seed=3, jobs=1)))
    run.start()
    _wait(lambda: len(list(folder.glob("out/marks/*.json"))) >= 2)
    os.kill(run.pid, number)
    run.join(20)
    assert run.exitcode == (command.INTERRUPTED if number == signal.SIGINT else -number)
    saved = len(list(folder.glob("out/marks/*.json")))
    assert 2 <= saved < 6
    monkeypatch.setattr(sandbox, "Worker", Counting)
    ran.clear()
    assert grade(folder) == 0
    assert len(ran) == REFERENCE + 6 - saved
    assert gradebook(folder) == gradebook(folder, "whole")
    assert not list(folder.glob("out/**/.*"))


# Progress


def test_progress_says_how_many_and_how_long():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    assert list(batch.progress(iter("abcd"), 4, shown)) == list("abcd")
    assert "1 of 4, about 0 s left" in shown.getvalue()
    assert "████████████████████ 4 of 4" in shown.getvalue()
    written = io.StringIO()
    list(batch.progress(range(100), 100, written))
    assert written.getvalue().splitlines()[-1] == "100 of 100 graded"
    assert len(written.getvalue().splitlines()) == 10


# A Dask cluster


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A scheduler and two workers, processes of their own on loopback, which run in real sandboxes."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(sandbox, "Worker", REAL)
    if sandbox.available().mode == "none":
        pytest.skip("no sandbox on this machine")
    where = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny"]
    common = ["--no-dashboard", "--scheduler-file", str(where)]
    options = {"env": os.environ | {"PYTHONPATH": str(batch.ROOT)}, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([*dask, *common], **options)]
    try:
        _wait(where.exists)
        processes += [subprocess.Popen([*worker, *common, "--host", "127.0.0.1"], **options) for _ in range(2)]
        yield SimpleNamespace(address=json.loads(where.read_text())["address"], workers=processes[1:])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait(until, seconds=60):
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_cluster_gives_the_marks_of_a_local_run_though_a_worker_is_killed(folder, cluster):
    for path in (folder / "class").iterdir():
        book = json.loads(path.read_text())
        book["cells"].insert(1, course.cell("import time\ntime.sleep(0.5)", "wait"))
        path.write_bytes(course.dump(book))
    assert grade(folder, seed=3, out=folder / "local", jobs=1) == 0

    def kill():
        _wait(lambda: len(list(folder.glob("out/marks/*.json"))) >= 2)
        cluster.workers[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    assert grade(folder, seed=3, dask=cluster.address) == 0
    killer.join()
    assert cluster.workers[0].poll() is not None
    assert gradebook(folder) == gradebook(folder, "local")
    for path in (folder / "local" / "marks").iterdir():
        assert path.read_bytes() == (folder / "out" / "marks" / path.name).read_bytes()
