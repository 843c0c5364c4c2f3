"""
Submissions a minute, of our grader and of nbgrader, on the same class on the same machine in one run.

    python -m tests.benchmarks.grading_speed [--count 30] [--nbgrader VENV]

Thirty students hand in exercise 03, right, or with one of the named mistakes. nbgrader gets the same questions: the
probes as its hidden tests, with the expected numbers in them, compared by `numpy.testing`. The cells that call `check`
are left out for both, because ours does not run them. nbgrader is installed for this alone, by uv, into a folder that
is deleted, unless a virtual environment that has it is given.
"""

import argparse
import csv
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import nbformat
import psutil

from solutions.grading import questions, reference, sandbox
from solutions.grading.questions import MARKERS
from tests.class_of_200 import peak_memory

ROOT = Path(questions.__file__).resolve().parents[2]
STEM = "03-weibull-survival"
NBGRADER = "nbgrader==0.9.6"
OURS = """
import sys
from solutions.grading import command, sandbox
mode = sys.argv.pop(1)
if mode != "best":
    sandbox.available = lambda: sandbox.Isolation(mode, "as the benchmark asks")
from solutions.__main__ import main
main()
"""


def hand_in(exercise, count):
    """Code cells of each student, and which question is wrong ("" for none)."""
    wrong = [(question, code) for question in exercise.questions for _, code in question.mistakes]
    one_in_two = itertools.chain.from_iterable((None, mistake) for mistake in itertools.cycle(wrong[::3]))
    for mistake in itertools.islice(one_in_two, count):
        cells = list(exercise.cells)
        if mistake:
            cells[mistake[0].cell] = mistake[1]
        yield mistake[0].name if mistake else "", as_a_student(cells)


def as_a_student(cells):
    """Without the cells that call `check`, and the lines that mark answers."""
    kept = [source for source in cells if not re.search(r"^(if )?check(\(|\.summary)", source, re.MULTILINE)]
    lines = [[line for line in source.split("\n") if not line.lstrip().startswith(MARKERS)] for source in kept]
    return ["\n".join(found) for found in lines]


def points(exercise, wrong):
    """What the mistakes cost at most, by question, so that both graders' marks can be looked at."""
    return exercise.points - sum(question.points for question in exercise.questions if question.name == wrong)


def ours(folder, everyone, mode):
    """Seconds, peak MB and marks of our command."""
    for student, (_, cells) in everyone.items():
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        (folder / "class" / student).mkdir(parents=True, exist_ok=True)
        nbformat.write(book, folder / "class" / student / f"{STEM}.ipynb")
    out = folder / f"out-{mode}"
    answers = ROOT / "solutions" / f"{STEM}.ipynb"
    command = [
        sys.executable,
        "-c",
        OURS,
        mode,
        "grade",
        folder / "class",
        "--out",
        out,
        "--answers",
        answers,
        "--seed",
        "1",
    ]
    seconds, memory = timed(command, ROOT)
    rows = csv.DictReader((out / "gradebook.csv").open(encoding="utf-8"))
    return seconds, memory, {row["student"]: float(row["marks"]) for row in rows}


def nbgraders(folder, everyone, exercise, python):
    """Seconds, peak MB and marks of ``nbgrader autograde``."""
    source = book_with_tests(exercise, as_a_student(exercise.cells))
    write(source, folder / "source" / "ex" / "ex.ipynb")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    nbgrader = [python, "-m", "nbgrader"]
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    subprocess.run([*nbgrader, "generate_assignment", "ex"], cwd=folder, check=True, capture_output=True)
    for student, (_, cells) in everyone.items():
        write(book_with_tests(exercise, cells), folder / "submitted" / student / "ex" / "ex.ipynb")
    seconds, memory = timed([*nbgrader, "autograde", "ex"], folder)
    subprocess.run([*nbgrader, "export", "--to", "grades.csv"], cwd=folder, check=True, capture_output=True)
    rows = csv.DictReader((folder / "grades.csv").open(encoding="utf-8"))
    return seconds, memory, {row["student_id"]: float(row["score"]) for row in rows}


def book_with_tests(exercise, cells, _expected={}):  # noqa: B006 (made once)
    """A notebook in nbgrader's format: each probe is a locked test after the cells, with our numbers in it."""
    if not _expected:
        with sandbox.Worker() as worker:
            result = worker.run(reference.job(exercise, 1, exercise.cells, tolerances=True))
        _expected |= {
            name: [(p.returned, p.tolerance) for p in taken.probes] for name, taken in result.questions.items()
        }
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    book.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    seeds = reference.job(exercise, 1, [])["questions"]
    for question in exercise.questions:
        for i, probe in enumerate(question.probes):
            returned, tolerance = _expected[question.name][i]
            limits = f"atol={tolerance}" if tolerance is not None else f"rtol={probe.rtol}, atol={probe.atol}"
            test = (
                f"{exercise.probe_setup}\nrng = np.random.default_rng({seeds[question.name][i]['seed']})\n"
                f"{questions.without_tolerance(probe.code)}\nimport numpy.testing\nexpected = {returned!r}\n"
                "for key in expected if isinstance(expected, dict) else [...]:\n"
                "    numpy.testing.assert_allclose(returned if key is ... else returned[key], "
                f"expected if key is ... else expected[key], {limits})"
            )
            cell = nbformat.v4.new_code_cell(test)
            cell.metadata["nbgrader"] = {
                "grade": True, "grade_id": f"{question.name}-{i}", "locked": True, "points": probe.points,
                "schema_version": 3, "solution": False, "task": False, "cell_type": "code",
            }  # fmt: skip
            book.cells.append(cell)
    return book


def write(book, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def timed(command, folder):
    """Wall seconds of a command, and the most memory that it and its children held."""
    begin = time.perf_counter()
    process = psutil.Popen(
        [str(part) for part in command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    memory = peak_memory(process)
    if process.returncode:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - begin, memory


def install(folder):
    """A virtual environment with nbgrader and the course in it; its interpreter."""
    python = folder / "venv" / "bin" / "python"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    wanted = [NBGRADER, "-r", ROOT / "requirements.txt", "-c", ROOT / ".ci" / "constraints.txt"]
    subprocess.run(["uv", "pip", "install", "-q", "--python", python, *wanted], check=True, cwd=ROOT)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--nbgrader", type=Path, metavar="VENV")
    arguments = parser.parse_args()
    (exercise,) = questions.load(ROOT / "solutions" / f"{STEM}.ipynb").values()
    everyone = {f"student{i:03}": pupil for i, pupil in enumerate(hand_in(exercise, arguments.count))}
    given = arguments.nbgrader and arguments.nbgrader / "bin" / "python"
    with tempfile.TemporaryDirectory() as name, nullcontext(Path(name)) as folder:
        python = given or install(folder)
        rows = {
            "ours": ours(folder, everyone, "best"),
            "ours, one bubblewrap a submission": ours(folder, everyone, "bwrap"),
            "nbgrader autograde": nbgraders(folder, everyone, exercise, python),
        }
    slowest = rows["nbgrader autograde"][0]
    print(f"{'':34} {'seconds':>8} {'a minute':>9} {'times':>6} {'MB':>6}  marks as deserved")
    for name, (seconds, memory, marks) in rows.items():
        fair = sum(
            mark == exercise.points if not everyone[student][0] else points(exercise, everyone[student][0]) <= mark < 20
            for student, mark in marks.items()
        )
        rate = 60 * len(everyone) / seconds
        print(f"{name:34} {seconds:8.1f} {rate:9.0f} {slowest / seconds:6.1f} {memory:6}  {fair} of {len(everyone)}")
    print(json.dumps({name: [round(seconds, 1), memory] for name, (seconds, memory, _) in rows.items()}))


if __name__ == "__main__":
    main()
