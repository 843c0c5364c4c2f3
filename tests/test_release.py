# ruff: noqa: E501 (the table of refusals reads best with one slip a line)
"""An answer notebook becomes an exercise that holds no answer; what could leak or mislead is refused, and said where."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile

import nbformat
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from solutions import answers
from solutions.release import (
    FOLDER,
    ROOT,
    WRITE_HERE,
    bundle,
    differing,
    exercise,
    release,
    release_of,
    run,
)

FILE = "09-try.ipynb"

SETUP = """import sys

import numpy as np

from helpers.checks import exercise

check = exercise("09", release="answers")"""

GOOD = [
    ("markdown", "title", "# Try it", []),
    ("code", "setup", SETUP, ["setup"]),
    ("code", "given", "def loss(theta, t):\n    return np.sum((t - theta) ** 2)", []),
    ("markdown", "hint", "<details><summary>A nudge</summary>Which way is down?</details>", []),
    (
        "code",
        "slope-sign",
        "# MISTAKE slope wrong-sign\ndef slope(theta, t):\n    return 2 * np.sum(t - theta)",
        ["mistake"],
    ),
    (
        "code",
        "slope-answer",
        "# BEGIN SOLUTION\n# BLANK slope = ...  # what goes here?\n"
        "def slope(theta, t):\n    return 2 * np.sum(theta - t)\n# END SOLUTION",
        ["answer"],
    ),
    ("code", "slope-check", 'if check("slope"):\n    steepest = slope(0.0, np.array([1.0]))\n    print(steepest)', []),
    ("code", "probe-setup", "import numpy as np\n\nrng = np.random.default_rng(0)", ["probe-setup"]),
    (
        "code",
        "slope-probe",
        "# PROBE slope points=2 rtol=1e-6\nt = rng.normal(size=5)\nreturned = slope(0.3, t)",
        ["probe"],
    ),
    (
        "code",
        "fit-answer",
        "def fit(t):\n    start = t[0]\n    # BEGIN SOLUTION\n    # BLANK centre = ...  # fill this in.\n"
        "    # BLANK return ...\n    centre = np.mean(t) + 0 * start\n    return centre\n    # END SOLUTION",
        ["answer"],
    ),
    ("code", "fit-check", 'check("fit")', []),
    (
        "code",
        "fit-probe",
        "# PROBE fit points=1.5 rtol=1e-6 atol=1e-9\nx = rng.normal(size=5)\nreturned = {'fit': fit(x)}\ntolerance = 0.1",
        ["probe"],
    ),
    ("markdown", "why", "<!-- WRITTEN points=2 -->\nThe mean has slope zero.", ["written-answer"]),
    ("code", "summary", "check.summary()", ["summary"]),
]


def text(cells):
    made = []
    for kind, id_, source, tags in cells:
        cell = {"cell_type": kind, "id": id_, "source": source, "metadata": {"tags": tags} if tags else {}}
        if kind == "code":
            output = {"output_type": "stream", "name": "stdout", "text": f"OUTPUT of {id_}"}
            cell |= {"execution_count": 7, "outputs": [output]}
        made.append(cell)
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def refused(cells, file=FILE):
    with pytest.raises(answers.Refused) as caught:
        answers.examine(file, text(cells))
    return caught.value.problems


def changed(id_, old, new, cells=GOOD):
    assert any(id_ == other and old in source for _, other, source, _ in cells), f"{old!r} is not in {id_}"
    return [(kind, i, s.replace(old, new) if i == id_ else s, tags) for kind, i, s, tags in cells]


def tagged(id_, *tags):
    return [(kind, i, s, list(tags) if i == id_ else old) for kind, i, s, old in GOOD]


def without(id_):
    return [cell for cell in GOOD if cell[1] != id_]


def after(id_, source, *tags, kind="code", new="new"):
    place = [cell[1] for cell in GOOD].index(id_) + 1
    return [*GOOD[:place], (kind, new, source, list(tags)), *GOOD[place:]]


def test_the_exercise_holds_blanks_and_the_course_and_nothing_else():
    released = exercise(answers.examine(FILE, text(GOOD)))
    nbformat.validate(released)
    sources = {cell.id: cell.source for cell in released.cells}
    gone = {"slope-sign", "probe-setup", "slope-probe", "fit-probe"}
    assert list(sources) == [cell[1] for cell in GOOD if cell[1] not in gone]
    assert sources["slope-answer"] == "slope = ...  # what goes here?"
    assert sources["fit-answer"] == "def fit(t):\n    start = t[0]\n    centre = ...  # fill this in.\n    return ..."
    assert sources["why"] == WRITE_HERE
    for _, id_, source, tags in GOOD:
        if id_ not in gone and not tags:
            assert sources[id_] == source
    assert not any(cell.outputs or cell.execution_count for cell in released.cells if cell.cell_type == "code")
    kept = {cell.id: cell.metadata.tags for cell in released.cells if cell.metadata}
    assert kept == {
        "setup": ["setup"],
        "slope-answer": ["answer"],
        "fit-answer": ["answer"],
        "why": ["written-answer"],
        "summary": ["summary"],
    }


def test_what_grading_reads_of_an_answer_notebook():
    read = answers.examine(FILE, text(GOOD))
    assert read.number == "09"
    assert list(read.questions) == ["slope", "fit"]
    assert [(probe.cell, probe.points, probe.rtol, probe.atol) for probe in read.questions["fit"].probes] == [
        ("fit-probe", 1.5, 1e-6, 1e-9)
    ]
    assert list(read.questions["slope"].mistakes) == ["wrong-sign"]
    assert read.written == {"why": 2.0}
    assert "default_rng" in read.probe_setup


def test_the_release_changes_with_what_students_see_and_with_nothing_else():
    def version(cells):
        released = exercise(answers.examine(FILE, text(cells)))
        assert f'check = exercise("09", release="{release_of(released)}")' in released.cells[1].source
        return release_of(released)

    now = version(GOOD)
    assert re.fullmatch("[0-9a-f]{8}", now)
    assert version(changed("setup", '"answers"', "'anything'")) == now
    assert version(changed("slope-probe", "size=5", "size=6")) == now
    assert version(changed("slope-sign", "2 * ", "2.0 * ")) == now
    assert version(changed("fit-answer", "np.mean(t)", "np.median(t)")) == now
    assert version(changed("fit-answer", "fill this in.", "fill me in.")) != now
    assert version(changed("hint", "nudge", "push")) != now


@pytest.mark.parametrize(
    "bad",
    [
        "#BEGIN SOLUTION",
        "### BEGIN SOLUTION",
        "# BEGIN SOLUTIONS",
        "# begin solution",
        "# Begin Solution",
        "# BEGIN SOLUTON",
        "# BEGIN  SOLUTION",
        "# BEGIN SOLUTION ",
        "# BEGIN SOLUTION: the gradient",
        "# BEGIN ANSWER",
        "# BEING SOLUTION",
        "# BEGINSOLUTION",
        "# BEGIN-SOLUTION",
        "#\u00a0BEGIN SOLUTION",
        "# BEGIN \u0405OLUTION",
        "pass  # BEGIN SOLUTION",
    ],
)
@pytest.mark.parametrize("place", ["begin", "end"])
def test_a_misspelt_marker_is_refused_with_its_line(bad, place):
    if place == "begin":
        problems, line = refused(changed("slope-answer", "# BEGIN SOLUTION", bad)), 1
    else:
        bad = bad.replace("BEGIN", "END").replace("egin", "nd").replace("BEING", "EDN")
        problems, line = refused(changed("slope-answer", "# END SOLUTION", bad)), 5
    assert any(
        p.startswith(f"{FILE}, cell slope-answer, line {line}: looks like a marker and is none") for p in problems
    ), problems


# fmt: off
BROKEN = {
    # markers
    "unclosed": (changed("slope-answer", "\n# END SOLUTION", ""), "slope-answer", 1, "never closed"),
    "unopened": (changed("slope-answer", "# BEGIN SOLUTION\n# BLANK slope = ...  # what goes here?\n", ""), "slope-answer", 3, "without '# BEGIN"),
    "nested": (changed("slope-answer", "def slope", "# BEGIN SOLUTION\ndef slope"), "slope-answer", 3, "within the region that began in line 1"),
    "no blank": (changed("slope-answer", "# BLANK slope = ...  # what goes here?\n", ""), "slope-answer", 1, "has no '# BLANK"),
    "late blank": (changed("fit-answer", "    return centre", "    return centre\n    # BLANK return ..."), "fit-answer", 8, "directly after"),
    "no answer": (changed("fit-answer", "    centre = np.mean(t) + 0 * start\n    return centre\n", ""), "fit-answer", 3, "holds no answer"),
    "indentation": (changed("fit-answer", "    # END", "# END"), "fit-answer", 8, "not indented"),
    "misspelt blank": (changed("slope-answer", "# BLANK slope", "#BLANK slope"), "slope-answer", 2, "looks like a marker"),
    "small blank": (changed("slope-answer", "# BLANK slope", "# Blank: slope"), "slope-answer", 2, "looks like a marker"),
    "marker in the course": (changed("given", "def loss", "# BEGIN SOLUTION\ndef loss"), "given", 1, "outside a cell tagged 'answer'"),
    "blank in the course": (changed("given", "def loss", "# BLANK loss = ...\ndef loss"), "given", 1, "outside a cell tagged 'answer'"),
    "marker in prose": (changed("hint", "<details>", "# BEGIN SOLUTION\n"), "hint", 1, "looks like a marker"),
    "answer without region": (after("given", "y = 1", "answer"), "new", None, "has no '# BEGIN"),
    # blanks
    "no ellipsis": (changed("slope-answer", "slope = ...  #", "slope = None  #"), "slope-answer", 1, "holds no `...`"),
    "lone ellipsis": (changed("fit-answer", "# BLANK return ...", "# BLANK ..."), "fit-answer", 5, "a lone `...`"),
    "inside a call": (changed("slope-answer", "slope = ...  #", "slope = np.abs(...)  #"), "slope-answer", 2, "would raise unfilled"),
    "unpacked": (changed("slope-answer", "slope = ...  #", "slope, other = ...  #"), "slope-answer", 2, "would raise unfilled"),
    "in arithmetic": (changed("slope-answer", "slope = ...  #", "slope = 1 + ...  #"), "slope-answer", 2, "would raise unfilled"),
    "called at once": (changed("slope-answer", "# END SOLUTION", "# END SOLUTION\nprint(slope(1, 2))"), "slope-answer", 6, "its own blank"),
    "blank does not compile": (changed("slope-answer", "slope = ...  #", "slope ... = #"), "slope-answer", 2, "with its blanks, does not compile"),
    "answer does not compile": (changed("slope-answer", "return 2 *", "return 2 * *"), "slope-answer", 4, "does not compile"),
    "magic": (changed("given", "def loss", "%matplotlib inline\ndef loss"), "given", 1, "does not compile"),
    "blank binds another": (changed("slope-answer", "slope = ...  #", "slop = ...  #"), "slope-answer", 1, "the blank does not bind 'slope'"),
    # tags, ids, headers
    "unknown tag": (tagged("given", "setpu"), "given", None, "unknown tag 'setpu'"),
    "two roles": (tagged("slope-probe", "probe", "mistake"), "slope-probe", None, "do not go together"),
    "tag on prose": (tagged("hint", "answer"), "hint", None, "belongs on a code cell"),
    "tag lost": (tagged("slope-answer"), "slope-answer", 1, "outside a cell tagged 'answer'"),
    "probe's tag lost": (tagged("slope-probe"), "slope-probe", 1, "looks like a marker"),
    "mistake's tag lost": (tagged("slope-sign"), "slope-sign", 1, "looks like a marker"),
    "written answer's tag lost": (tagged("why"), "why", 1, "looks like a marker"),
    "id twice": (after("given", "y = 1", new="hint"), "hint", None, "stands twice"),
    "probe's header": (changed("slope-probe", "points=2", "point=2"), "slope-probe", 1, "must begin with"),
    "probe without points": (changed("slope-probe", "points=2 ", ""), "slope-probe", 1, "needs points="),
    "probe without tolerance": (changed("slope-probe", " rtol=1e-6", ""), "slope-probe", 1, "needs rtol="),
    "mistake's header": (changed("slope-sign", "wrong-sign", "Wrong_sign"), "slope-sign", 1, "must begin with"),
    "written answer's header": (changed("why", "points", "pts"), "why", 1, "must begin with"),
    "no answer in words": (changed("why", "\nThe mean has slope zero.", ""), "why", 1, "holds no more"),
    "probes without set-up": (without("probe-setup"), None, None, "must be tagged 'probe-setup'"),
    "no summary": (without("summary"), None, None, "must be tagged 'summary'"),
    "summary says more": (changed("summary", "summary()", "summary()\nprint(3)"), "summary", 1, "must be 'check.summary()'"),
    "no questions": ([cell for cell in GOOD if cell[1] in ("title", "setup", "summary")], None, None, "has no cell tagged 'answer'"),
    "set-up not first": (after("title", "y = 1"), None, None, "the first code cell"),
    "another number": (changed("setup", '"09"', '"08"'), None, None, 'check = exercise("09"'),
    "no release": (changed("setup", ', release="answers"', ""), None, None, 'check = exercise("09"'),
    # names
    "read by the course": (after("fit-check", "print(slope(1.0, 2.0))"), "new", 1, "reads 'slope', which the blank of cell slope-answer binds"),
    "read inside a function": (after("fit-check", "def later(t):\n    return slope(0.0, t)"), "new", 2, "reads 'slope'"),
    "read by another answer": (changed("fit-answer", "np.mean(t)", "slope(0.0, t)"), "fit-answer", 6, "reads 'slope'"),
    "read by another blank": (changed("fit-answer", "# BLANK centre = ...", "# BLANK centre = ..., slope"), "fit-answer", None, "reads 'slope'"),
    "read by another's probe": (changed("fit-probe", "fit(x)", "fit(slope(x))"), "fit-probe", 3, "reads 'slope'"),
    "read under another's check": (changed("slope-check", "print(steepest)", "print(fit(1))"), "slope-check", 3, "reads 'fit'"),
    "read in the else": (changed("slope-check", "    print(steepest)", "else:\n    print(slope)"), "slope-check", 4, "reads 'slope'"),
    "guarded value read later": (after("slope-check", "print(steepest)"), "new", 1, "binds under a check"),
    "guarded value read by an answer": (changed("fit-answer", "start = t[0]", "start = steepest"), "fit-answer", 2, "binds under a check"),
    "bound twice": (after("fit-check", "slope = 3"), "new", 1, "binds 'slope', the answer of cell slope-answer"),
    "bound by an import": (after("fit-check", "from math import sqrt as fit"), "new", 1, "binds 'fit'"),
    "bound by a loop": (after("fit-check", "for fit in range(3):\n    pass"), "new", 1, "binds 'fit'"),
    "bound by global": (after("fit-check", "def change():\n    global fit\n    fit = 3"), "new", 3, "binds 'fit'"),
    "deleted": (after("fit-check", "del fit"), "new", 1, "binds 'fit'"),
    "import *": (after("given", "from math import *"), "new", 1, "import by name"),
    "check rebound": (after("given", "check = print"), "new", 1, "binds 'check', which the set-up owns"),
    "check of no question": (after("fit-check", 'check("median")'), "new", 1, "checks 'median', which no blank binds"),
    "check of no name": (after("fit-check", "check(name)"), "new", 1, "must be called with the name"),
    "check in an answer": (changed("slope-answer", "# END SOLUTION", '# END SOLUTION\ncheck("slope")'), "slope-answer", 6, "give it a cell of its own"),
    "check too early": (after("given", 'check("fit")'), "new", 1, "before its answer"),
    "question without check": (without("fit-check"), "fit-answer", None, "one must be checked"),
    "mistake of no question": (changed("slope-sign", "MISTAKE slope", "MISTAKE slop"), "slope-sign", 1, "no question 'slop'"),
    "mistake binds nothing": (changed("slope-sign", "def slope", "def slop"), "slope-sign", 1, "does not bind 'slope'"),
    "mistake too late": (after("slope-check", "# MISTAKE slope late\nslope = abs", "mistake"), "new", 1, "must stand before the answer"),
    "mistake twice": (after("hint", "# MISTAKE slope wrong-sign\nslope = abs", "mistake"), "slope-sign", 1, "already has a mistake"),
    "mistake of another answer": (changed("slope-sign", "np.sum(t - theta)", "fit(t)"), "slope-sign", 3, "reads 'fit'"),
    "probe of no question": (changed("slope-probe", "PROBE slope", "PROBE slop"), "slope-probe", 1, "no question 'slop'"),
    "probe too early": (after("given", "# PROBE slope points=1 rtol=1\nreturned = slope(0.0, 1.0)", "probe"), "new", 1, "must stand after"),
    "probe returns nothing": (changed("slope-probe", "returned", "result"), "slope-probe", 1, "does not assign 'returned'"),
    "probe prints": (changed("slope-probe", "\nreturned", "\nprint(3)\nreturned"), "slope-probe", 3, "shows nothing"),
    "probe reads the notebook": (changed("slope-probe", "slope(0.3, t)", "slope(0.3, loss(0.0, t))"), "slope-probe", 3, "reads 'loss'"),
    "probe of a value": (changed("slope-probe", "slope(0.3, t)", "slope + t"), "slope-probe", 3, "as a value"),
    "probe without data": (changed("slope-probe", "slope(0.3, t)", "slope()"), "slope-probe", 3, "without data"),
    "probe of nothing": (changed("slope-probe", "slope(0.3, t)", "t"), "slope-probe", 1, "does not call 'slope'"),
    "answer without arguments": (changed("slope-answer", "def slope(theta, t)", "def slope()"), "slope-answer", 3, "no function of its data"),
    "answer that is a number": (changed("slope-answer", "def slope(theta, t):\n    return 2 * np.sum(theta - t)", "slope = np.array([3.0]).max(axis=0).real"), "slope-answer", 3, "no function of its data"),
    "course reads the probe's name": (after("fit-probe", "print(rng.normal())"), "new", 1, "which the instructor's cell probe-setup binds"),
    "id of a question": ([(k, "fit" if i == "why" else i, s, t) for k, i, s, t in GOOD], "fit", None, "also the name of a question"),
    # leaks
    "answer in a hint": (changed("hint", "Which way is down?", "Try `2 * np.sum(theta - t)`."), "hint", None, "of the answer in cell slope-answer"),
    "answer in a cell": (after("given", "def other(theta, t):\n    return 2 * np.sum(theta - t)"), "slope-answer", 1, "the whole answer stands in cell new"),
}
# fmt: on


@pytest.mark.parametrize("what", BROKEN)
def test_refused_with_notebook_cell_and_line(what):
    cells, cell, line, message = BROKEN[what]
    where = FILE + (f", cell {cell}" if cell else "") + (f", line {line}" if line else "") + ": "
    problems = refused(cells)
    assert any(problem.startswith(where) and message in problem for problem in problems), problems


def test_a_name_without_number_and_an_attachment_are_refused():
    assert any("must be named NN-short-name.ipynb" in problem for problem in refused(GOOD, "9-try.ipynb"))
    notebook = json.loads(text(GOOD))
    notebook["cells"][0]["attachments"] = {"answer.png": {"image/png": ""}}
    with pytest.raises(answers.Refused, match="cell title: holds an attachment"):
        answers.examine(FILE, json.dumps(notebook))


def test_what_must_not_be_refused():
    for cells in (
        after("fit-check", 'if check("slope") and check("fit"):\n    print(slope(0.0, fit(np.ones(3))))'),
        after("slope-check", 'if check("slope"):\n    print(steepest)'),
        after("given", "half = 0.5  # begin with the middle; the end of the interval is blank"),
        after("given", "corner = np.eye(3)[..., 0]"),
        after("given", "def shadow(slope):\n    fit = slope\n    return fit"),
        after("probe-setup", "rng = np.random.default_rng(1)\nprint(rng.normal())"),
        after("given", "1 / 0", "raises-exception"),
        changed("slope-answer", "def slope(theta, t):\n    return 2 * np.sum(theta - t)", "slope = np.gradient"),
    ):
        answers.examine(FILE, text(cells))


def test_every_slip_of_every_notebook_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "solutions").mkdir()
    one = changed("slope-answer", "# END SOLUTION", "# END SOLUTON", tagged("given", "setpu"))
    (tmp_path / "solutions" / FILE).write_text(text(one))
    (tmp_path / "solutions" / "08-other.ipynb").write_text("{broken")
    (tmp_path / "solutions" / "07-good.ipynb").write_text(text(changed("setup", '"09"', '"07"')))
    for attempt in release, differing:
        with pytest.raises(answers.Refused) as caught:
            attempt(tmp_path)
        problems = "\n".join(caught.value.problems)
        for part in (
            "cell given: unknown tag",
            "cell slope-answer, line 5: looks like",
            "08-other.ipynb: is not a note",
        ):
            assert part in problems
    with pytest.raises(answers.Refused):
        bundle(tmp_path / "student.zip", tmp_path)
    assert not (tmp_path / "exercises").exists()
    assert not (tmp_path / "student.zip").exists()


def test_release_writes_and_check_names_what_differs(tmp_path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / FILE).write_text(text(GOOD))
    assert list(differing(tmp_path)) == [FILE]
    release(tmp_path)
    written = tmp_path / "exercises" / FILE
    first = written.read_bytes()
    assert b"\r" not in first
    assert differing(tmp_path) == {}
    release(tmp_path)
    assert written.read_bytes() == first
    written.write_bytes(first.replace(release_of(nbformat.read(written, 4)).encode(), b"12345678"))
    assert list(differing(tmp_path)) == [FILE], "another release string"
    (tmp_path / "exercises" / "08-stale.ipynb").write_text("{}")
    assert differing(tmp_path)["08-stale.ipynb"] is None
    release(tmp_path)
    assert [path.name for path in (tmp_path / "exercises").iterdir()] == [FILE]
    assert written.read_bytes() == first


def test_the_command_fails_where_it_must(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("solutions.release.differing", lambda: {"03-weibull.ipynb": "text"})
    assert run(check=True, bundle_path=None) == 1
    assert "exercises/03-weibull.ipynb" in capsys.readouterr().out
    monkeypatch.setattr("solutions.release.differing", lambda: {})
    assert run(check=True, bundle_path=None) == 0

    def refuse(*_):
        raise answers.Refused(["03-weibull.ipynb, cell fit, line 3: no"])

    monkeypatch.setattr("solutions.release.exercises", refuse)
    assert run(check=False, bundle_path=tmp_path / "student.zip") == 1
    assert "cell fit, line 3: no" in capsys.readouterr().err


def test_committed_exercises_are_what_release_writes_now():
    assert differing() == {}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The student's copy of this very course, unpacked."""
    folder = tmp_path_factory.mktemp("student")
    bundle(folder / "student.zip")
    with zipfile.ZipFile(folder / "student.zip") as archive:
        archive.extractall(folder)
    return folder / FOLDER


def test_the_students_copy_is_the_same_bytes_every_time(copy, tmp_path):
    bundle(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (copy.parent / "student.zip").read_bytes()


def test_the_students_copy_holds_what_a_student_needs_and_nothing_of_the_instructor(copy):
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert {"README.md", "requirements.txt", "pyproject.toml", "LICENSE", "helpers/course.mplstyle"} <= names
    assert {f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")} <= names
    assert {f"exercises/{path.name}" for path in ROOT.glob("solutions/*.ipynb")} <= names
    allowed = re.compile(r"README\.md|requirements\.txt|pyproject\.toml|LICENSE|\.ci/constraints\.txt|"
                         r"(notebooks|exercises)/\d\d-[a-z0-9-]+\.ipynb|helpers/[\w/.-]+\.(py|mplstyle|csv)")  # fmt: skip
    assert all(allowed.fullmatch(name) for name in names), [name for name in names if not allowed.fullmatch(name)]
    words = re.compile(rb"# (PROBE|MISTAKE|BEGIN|END) ")
    assert not [name for name in names if words.search((copy / name).read_bytes())]
    for line in re.findall(r"-[rc] (\S+)", (copy / "README.md").read_text()):
        assert line.replace("\\", "/") in names


def test_the_students_copy_leaves_out_what_lies_about(tmp_path):
    given_out = {
        "helpers/x.py",
        "helpers/data/y.csv",
        "notebooks/01-a.ipynb",
        "requirements.txt",
        ".ci/constraints.txt",
    }
    lies_about = {"helpers/__pycache__/x.pyc", "helpers/.hidden", "helpers/.ipynb_checkpoints/x.py", "notebooks/draft.ipynb",
                  "notebooks/.ipynb_checkpoints/01-a.ipynb", "exercises/08-stale.ipynb", "tests/t.py", ".ci/run", "notes.md"}  # fmt: skip
    for name in given_out | lies_about:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / FILE).write_text(text(GOOD))
    bundle(tmp_path / "student.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "student.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        names = {name.removeprefix(FOLDER + "/") for name in archive.namelist()}
    assert names == given_out | {"README.md", f"exercises/{FILE}"}


def test_the_students_copy_has_all_that_its_install_names(copy):
    """The install itself needs a network: `.ci/run` does the same one, from the same files."""
    project = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))
    for file in [project["project"]["readme"], *project["project"]["license-files"]]:
        assert (copy / file).is_file()
    for pattern in project["tool"]["setuptools"]["package-data"]["helpers"]:
        assert list((copy / "helpers").glob(pattern)), pattern
    assert (copy / "requirements.txt").read_text().endswith("-e .\n")


def test_exercises_of_the_students_copy_run_unfilled_and_by_themselves(copy):
    here = {"cwd": copy, "check": True, "capture_output": True, "text": True}
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    script = (
        "import sys, json, pathlib; sys.path.insert(0, '.'); import helpers.checks, matplotlib; matplotlib.use('agg')\n"
        "assert pathlib.Path(helpers.checks.__file__).is_relative_to(pathlib.Path.cwd()), helpers.checks.__file__\n"
        "assert 'solutions' not in sys.modules\n"
        "for path in sorted(pathlib.Path('exercises').glob('*.ipynb')):\n"
        "    names = {'__name__': '__main__', 'display': print}\n"
        "    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:\n"
        "        if cell['cell_type'] == 'code' and 'raises-exception' not in cell['metadata'].get('tags', []):\n"
        "            exec(''.join(cell['source']), names)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], env={**clean, "PYTHONIOENCODING": "utf-8"}, **here)
    assert "Traceback" not in ran.stderr, ran.stderr


# Notebooks at random. Whatever is the instructor's bears the word SECRET, whatever is the course's KEEP.

secret = st.integers(0, 10**6).map("SECRET{}".format)
keep = st.integers(0, 10**6).map("KEEP{}".format)
ANSWER_LINES = [
    "{0} = '{0}'",
    "# {0}",
    "x = {0} = 3",
    "if '{0}':\n    {0} = 2",
    "'{0}'",
    "x = [\n'{0}',\n]",
    "\n{0} = 1",
]
BLANKS = ["{0} = ...  # {1}", "def {0}(x):\n    return ...  # {1}", "{0} = lambda x: ...  # {1}", "{0}, {1} = ..., ..."]
COURSE = [
    "{0} = 1",
    "def {0}(x):\n    return x",
    'if check("{1}"):\n    print({1}(1), "{0}")',
    "# {0}\nprint(sys.path)",
]


@st.composite
def regions(draw, blank, last_line, indent=""):
    answer = [draw(st.sampled_from(ANSWER_LINES)).format(draw(secret)) for _ in range(draw(st.integers(0, 3)))]
    lines = "\n".join(answer + [last_line]).split("\n")
    marked = ["# BEGIN SOLUTION", *(f"# BLANK {line}" for line in blank.split("\n")), *lines, "# END SOLUTION"]
    return "\n".join(indent + line for line in marked)


@st.composite
def questions(draw, name):
    """The cells of one question."""
    cells = []
    for i in range(draw(st.integers(0, 2))):
        mistake = f"# MISTAKE {name} mistake-{i}\ndef {name}(x):\n    return '{draw(secret)}'"
        cells.append(("code", f"{name}-mistake-{i}", mistake, ["mistake"]))
    if draw(st.booleans()):
        blank = draw(st.sampled_from(BLANKS)).format(name, draw(keep))
        source = draw(regions(blank, f"def {name}(x):\n    return '{draw(secret)}', x"))
    else:
        inner = regions(f"return ...  # {draw(keep)}", f"return '{draw(secret)}'", indent="    ")
        source = f"def {name}(x):\n    {draw(keep)} = x\n" + "\n".join(draw(st.lists(inner, min_size=1, max_size=2)))
    source = draw(st.sampled_from(["{}", "# {keep}\n{}", "{}\n{keep} = 1"])).format(source, keep=draw(keep))
    cells.append(("code", f"{name}-answer", source, ["answer"]))
    cells.append(("code", f"{name}-check", f'check("{name}")', []))
    for i in range(draw(st.integers(0, 2))):
        probe = f"# PROBE {name} points=1 rtol=1e-6\n{draw(secret)} = 1\nreturned = {name}('{draw(secret)}')"
        cells.append(("code", f"{name}-probe-{i}", probe, ["probe"]))
    for i in range(draw(st.integers(0, 2))):
        source = draw(st.sampled_from(COURSE)).format(draw(keep), name)
        cells.append(("code", f"{name}-course-{i}", source, []))
    if draw(st.booleans()):
        cells.append(("markdown", f"{name}-prose", f"## {draw(keep)}\n\n<details>{draw(keep)}</details>", []))
    if draw(st.booleans()):
        words = f"<!-- WRITTEN points=1 -->\n{draw(secret)}\n\n# {draw(secret)}"
        cells.append(("markdown", f"{name}-words", words, ["written-answer"]))
    return cells


@st.composite
def notebooks(draw):
    cells = [("code", "setup", SETUP, ["setup"])]
    cells.append(("code", "probe-setup", f"{draw(secret)} = 1", ["probe-setup"]))
    for number in range(draw(st.integers(1, 3))):
        cells += draw(questions(f"question_{number}"))
    return [*cells, ("code", "summary", "check.summary()", ["summary"])]


def released(cells):
    stored = text(cells).replace("OUTPUT of", "SECRET output of")
    return nbformat.writes(exercise(answers.examine(FILE, stored)))


at_random = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@settings(at_random, max_examples=150)
@given(notebooks())
def test_no_line_of_an_answer_a_probe_a_mistake_or_an_output_survives(cells):
    given_out = released(cells)
    assert "SECRET" not in given_out
    course = re.findall("KEEP[0-9]+", "".join(source for _, _, source, tags in cells if "answer" not in tags))
    blanks = re.findall("# BLANK .*(KEEP[0-9]+)", "".join(source for _, _, source, _ in cells))
    assert all(word in given_out for word in course + blanks)


SLIPS = {
    "a character lost": lambda line, i: line[:i] + line[i + 1 :],
    "a character doubled": lambda line, i: line[:i] + line[i : i + 1] + line[i:],
    "a character changed": lambda line, i: line[:i] + "x" + line[i + 1 :],
    "a space put in": lambda line, i: line[:i] + " " + line[i:],
    "capitals swapped": lambda line, i: line.swapcase(),
    "a hash put in front": lambda line, i: "#" + line,
    "the line lost": lambda line, i: None,
    "the line doubled": lambda line, i: line + "\n" + line,
}


@settings(at_random, max_examples=400)
@given(notebooks(), st.data())
def test_with_one_slip_in_a_marker_or_a_tag_nothing_survives_either(cells, data):
    """Either the notebook is refused, or the slip did no harm."""
    instructors = [i for i, cell in enumerate(cells) if cell[3] and cell[3] not in (["setup"], ["summary"])]
    place = data.draw(st.sampled_from(instructors))
    kind, id_, source, tags = cells[place]
    marked = [i for i, line in enumerate(source.split("\n")) if re.match(r" *(# [A-Z]+ |<!-- )", line)]
    if data.draw(st.booleans()) or not marked:
        assume(tags != ["probe-setup"] or any(cell[3] == ["probe"] for cell in cells))
        other = data.draw(st.sampled_from(["", tags[0][:-1], "raises-exception", "setup", "markdown", "code"]))
        kind, tags = (other, tags) if other in ("markdown", "code") else (kind, [other] if other else [])
    else:
        lines = source.split("\n")
        number = data.draw(st.sampled_from(marked))
        slip = SLIPS[data.draw(st.sampled_from(sorted(SLIPS)))]
        lines[number] = slip(lines[number], data.draw(st.integers(0, len(lines[number]) - 1)))
        source = "\n".join(line for line in lines if line is not None)
    try:
        given_out = released([*cells[:place], (kind, id_, source, tags), *cells[place + 1 :]])
    except answers.Refused:
        return
    assert "SECRET" not in given_out
