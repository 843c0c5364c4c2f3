"""
A class as it comes: right, wrong, odd, unreadable and hostile submissions, each with the marks it deserves.

``python -m tests.class_of_200`` grades 200 of them in one run with the right mark for every one, interrupts the same
run with SIGINT and with SIGKILL, resumes it, and compares the gradebooks byte for byte. ``pytest`` grades fewer.
"""

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import psutil

from solutions import release
from solutions.answers import examine
from solutions.grading import questions
from tests import hostile
from tests.grading_course import cell, dump, notebook, text

STEM = "91-class"
SENTENCES = {
    "mean-for-sum": "That is the mean: the sum was asked for.",
    "mean-for-median": "That is the mean: the median was asked for.",
    "extremes-swapped": "Smallest first, then largest.",
}
ANSWERS = {"first": hostile.FIRST, "middle": hostile.MIDDLE, "last": hostile.LAST}
MISTAKES = {
    "first": ("mean-for-sum", "def first(x):\n    return x.mean()"),
    "middle": ("mean-for-median", "middle = np.mean"),
    "last": ("extremes-swapped", "def last(x):\n    return {'mean': x.mean(), 'range': [x.max(), x.min()]}"),
}
POINTS = {"first": 1, "middle": 2, "last": 3}  # of each of two probes
FULL = {name: 2 * points for name, points in POINTS.items()}
PROBE_SETUP = "import numpy as np\n\nrng = np.random.default_rng(0)"
SETUP = 'import numpy as np\nfrom helpers.checks import exercise\n\ncheck = exercise("91", release="answers")'


def answers():
    """The answer notebook of the class."""
    cells = [cell(SETUP, "setup", "setup"), cell(PROBE_SETUP, "probe-setup", "probe-setup")]
    for name, answer in ANSWERS.items():
        mistake, wrong = MISTAKES[name]
        cells.append(cell(f"# MISTAKE {name} {mistake}\n{wrong}", f"mistake-{name}", "mistake"))
        blank = f"# BEGIN SOLUTION\n# BLANK {name} = ...  # your function\n{answer}\n# END SOLUTION"
        cells += [cell(blank, name, "answer"), cell(f'check("{name}")', f"check-{name}")]
        for i in range(2):
            probe = f"# PROBE {name} points={POINTS[name]} rtol=1e-9\nreturned = {name}(rng.normal(size=9))"
            cells.append(cell(probe, f"probe-{name}-{i}", "probe"))
    return notebook(*cells, cell("check.summary()", "summary", "summary"))


@cache
def released():
    """The set-up cell as students have it."""
    source = examine(f"{STEM}.ipynb", dump(answers()).decode())
    return release.with_release(SETUP, release.release_of(release.exercise(source)))


def handed(setup=None, before=(), after=(), **sources):
    """A notebook with the answers, less what ``sources`` puts in their place (None: no such cell)."""
    cells = [text("# Class", "title"), cell(setup or released(), "setup", "setup"), *before]
    for name, source in (ANSWERS | sources).items():
        if source is not None:
            cells += [cell(source, name, "answer"), cell(f'check("{name}")', f"check-{name}")]
    return notebook(*cells, *after, cell("check.summary()", "summary", "summary"))


@dataclass
class Pupil:
    """What one hands in, and what it deserves; ``marks`` None where a person must look."""

    kind: str
    data: bytes
    marks: dict | None = field(default_factory=lambda: dict(FULL))
    status: str = "graded"
    mistake: str = ""


def right():
    """Right answers in odd packaging: all keep all."""
    blanks = {name: f"{name} = ...  # your function" for name in ANSWERS}
    extra = cell("%matplotlib inline\n!pip install nothing\n%timeit -n1 -r1 1 + 1\nx = !ls", "magic")
    plain = handed()
    for kind, book in {
        "as it should be": plain,
        "magics": handed(before=[extra]),
        "an extra cell that raises": handed(before=[cell("1 / 0", "raises")]),
        "a cell that is no Python": handed(after=[cell("def (", "broken")]),
        "checks deleted": notebook(*[each for each in plain["cells"] if "check(" not in each["source"]]),
        "answers twice": notebook(*plain["cells"], *[cell(answer, f"{n}-2") for n, answer in ANSWERS.items()]),
        "blanks left above": handed(**{name: blank + "\n" + ANSWERS[name] for name, blank in blanks.items()}),
        "all in one cell": notebook(cell("\n\n".join([released(), *ANSWERS.values()]), "all")),
        "the other order": notebook(plain["cells"][0], plain["cells"][1], *reversed(plain["cells"][2:])),
        "another form": handed(first="first = lambda x: sum(x)", middle="middle = np.median", last=(
            "class Last:\n    def __call__(self, x):\n        x = sorted(x)\n"
            "        return {'mean': [np.mean(x)], 'range': np.array([x[0], x[-1]])}\nlast = Last()")),
        "the checks' names taken": handed(before=[cell("exercise = print\nrng = None\nreturned = 3", "names")]),
        "plots": handed(after=[cell("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()", "plot")]),
        "its data changed": handed(before=[cell("x = np.zeros(3)\nnp.random.seed(1)", "data")]),
        "the names of variables taken": handed(after=[cell("x = first = first\nnp = None", "late")]),
    }.items():  # fmt: skip
        yield Pupil(kind, dump(book))
    yield Pupil("byte order mark", b"\xef\xbb\xbf" + dump(plain))
    yield Pupil("nbformat 3", dump(nbformat.convert(nbformat.from_dict(plain), 3)))
    yield Pupil("Colab", dump(_colab(handed())))
    yield Pupil("no metadata", dump({"cells": [{k: c[k] for k in ("cell_type", "source")} for c in plain["cells"]]}))
    yield Pupil("another kernel", dump(plain | {"metadata": {"kernelspec": {"name": "sage", "display_name": "x"}}}))
    yield Pupil("Windows line ends", dump(plain).replace(b"\\n", b"\\r\\n"))


def _colab(book):
    for each in book["cells"]:
        each["metadata"] = {"id": "x" + each.pop("id"), "colab": {}}
    return book | {"nbformat_minor": 0, "metadata": {"colab": {"provenance": []}}}


def wrong():
    """Wrong, half done, not done, unreadable."""
    for name, (mistake, source) in MISTAKES.items():
        yield Pupil(f"mistake {mistake}", dump(handed(**{name: source})), FULL | {name: 0}, mistake=mistake)
    yield Pupil("next to right", dump(handed(middle="def middle(x):\n    return sorted(x)[3]")), FULL | {"middle": 0})
    yield Pupil("one left blank", dump(handed(last="last = ...")), FULL | {"last": 0})
    yield Pupil("one deleted", dump(handed(first=None)), FULL | {"first": 0})
    yield Pupil("one that raises", dump(handed(last="def last(x):\n    return x.range()")), FULL | {"last": 0})
    yield Pupil("copied numbers", dump(handed(first="first = lambda x: -0.3721")), FULL | {"first": 0})
    blanks = {name: f"{name} = ..." for name in ANSWERS}
    yield Pupil("nothing done", dump(handed(**blanks)), dict.fromkeys(FULL, 0), "not attempted")
    yield Pupil("nothing in it", b"", None, "unreadable")
    yield Pupil("cut off", dump(handed())[:-30], None, "unreadable")
    yield Pupil("a PDF by that name", b"%PDF-1.7 \xff\xfe\x00", None, "unreadable")
    yield Pupil("deep JSON", b'{"cells":' * 100_000, None, "unreadable")
    yield Pupil("40 MB", b" " * (40 << 20) + dump(handed()), None, "unreadable")
    other = released().replace('"91"', '"55"')
    yield Pupil("another course's", dump(handed(setup=other)), None, "needs a person")


def attacks(quick=False):
    """Each attack between two right answers, which it may or may not keep; what it attacks for, it does not get."""
    for name, attack in hostile.ATTACKS.items():
        if quick and attack.waits:
            continue
        book = handed(middle=attack(hostile.Canary))
        marks = {question: FULL[question] if question in attack.keeps else 0 for question in FULL}
        yield Pupil(f"attack {name}", dump(book), marks)


def pupils(count):
    """A class of that many: one of each kind, then more who are right and wrong."""
    kinds = [*right(), *wrong(), *attacks()]
    again = itertools.cycle([*right(), *wrong()][: len(kinds) - len(hostile.ATTACKS)])
    return [*kinds, *itertools.islice(again, max(0, count - len(kinds)))][:count]


def hand_in(folder, everyone):
    """Write a class in the shapes that learning management systems give; the pupil of each key in the gradebook."""
    keys = {}
    for i, pupil in enumerate(everyone):
        path, key = [
            (f"pupil{i}/{STEM}.ipynb", f"pupil{i}"),
            (f"doe{i}_{'LATE_' * (i % 8 == 1)}{5000 + i}_{90000 + i}_{STEM} ({i}).ipynb", str(5000 + i)),
            (f"Max Müller{i}_{7000 + i}_assignsubmission_file/{STEM}.ipynb", str(7000 + i)),
            (f"pupil{i}.ipynb", f"pupil{i}"),
        ][i % 4]
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(pupil.data)
        keys[key] = pupil
    return keys


def wrongly_marked(out, keys):
    """Who did not get what was deserved: lines to read, none where all is right."""
    rows = {row["id"] or row["student"]: row for row in csv.DictReader((out / "gradebook.csv").open(encoding="utf-8"))}
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "marks").glob("*.json")]
    records = {record["lms_id"] or record["student"]: record for record in records}
    lines = [f"{key}: not in the gradebook" for key in keys.keys() - rows.keys()]
    for key, pupil in keys.items():
        row, found = rows.get(key), {q["name"]: q for q in records[key]["questions"]}
        marks = {name: question["mark"] for name, question in found.items()}
        mistakes = {question["mistake"] for question in found.values()} - {""}
        if pupil.marks is not None and marks != pupil.marks:
            lines.append(
                f"{key}, {pupil.kind}: {marks}, deserves {pupil.marks}: {[q['reason'] for q in found.values()]}"
            )
        if row and row["status"] != pupil.status:
            lines.append(f"{key}, {pupil.kind}: {row['status']}, should be {pupil.status} ({row['flags']})")
        if pupil.mistake and mistakes != {pupil.mistake}:
            lines.append(f"{key}, {pupil.kind}: mistakes {mistakes}")
    return lines


# The whole check

COMMAND = """
import sys
from tests import class_of_200
from solutions import release
from solutions.answers import examine
from solutions.grading import questions
questions._sentences = lambda number: class_of_200.SENTENCES
from solutions.__main__ import main
main()
"""


def start(folder, out, *more):
    options = ["--out", str(out), "--answers", str(folder / "answers"), "--seed", "1", "--cell-seconds", "1"]
    command = [sys.executable, "-c", COMMAND, "grade", str(folder / "class"), *options, *more]
    return subprocess.Popen(command, cwd=questions.__file__.rsplit("/", 3)[0], start_new_session=True)


def peak_memory(process):
    """Wait for a process; the most that it and its children held at a time, in MB."""
    most, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            held = sum(one.memory_full_info().pss for one in [watched, *watched.children(recursive=True)])
            most = max(most, held >> 20)
        except psutil.Error:
            pass
        time.sleep(0.5)
    return most


def stop_at(process, out, count, number):
    while len(list((out / "marks").glob("*.json"))) < count and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, number)
    process.wait()


def main(count=200):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "answers").mkdir()
        (folder / "answers" / f"{STEM}.ipynb").write_bytes(dump(answers()))
        keys = hand_in(folder / "class", pupils(count))
        begin = time.monotonic()
        memory = peak_memory(start(folder, folder / "whole"))
        seconds = time.monotonic() - begin
        lines = wrongly_marked(folder / "whole", keys)
        print(*lines, sep="\n")
        for number, share in ((signal.SIGINT, 0.3), (signal.SIGKILL, 0.6)):
            stop_at(start(folder, folder / "resumed"), folder / "resumed", share * count, number)
        start(folder, folder / "resumed").wait()
        books = [(folder / out / "gradebook.csv").read_bytes() for out in ("whole", "resumed")]
        print(f"{count} submissions, {len(lines)} wrong marks, {seconds:.0f} s, {60 * count / seconds:.0f} a minute")
        print(f"peak memory {memory} MB; the same gradebook after SIGINT, SIGKILL, resumed: {books[0] == books[1]}")
    return bool(lines) or books[0] != books[1]


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
