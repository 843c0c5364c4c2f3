"""``python -m solutions grade``: from a folder of submissions to marks, feedback and a gradebook."""

import csv
import io
import json
import os
import secrets
import sys
from collections import Counter
from dataclasses import replace

from solutions.grading import batch, gradebook, intake, questions, report, sandbox

INTERRUPTED = 130  # what a shell reports of a command that was stopped by Control-C


def run(arguments):
    """
    Do what the command line says.

    Parameters
    ----------
    arguments : argparse.Namespace
        See `solutions.grading.add_arguments`.

    Returns
    -------
    int
        Exit status.
    """
    try:
        if arguments.compare:
            print("\n".join(compare(*arguments.compare)) or "no mark changed")
        elif arguments.submissions is None:
            raise ValueError("which submissions? Give their folder or zip")
        elif arguments.dry_run:
            dry_run(arguments)
        else:
            grade(arguments)
    except (ValueError, OSError, sandbox.SandboxError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what is graded is saved, the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    return 0


def dry_run(arguments):
    """Print what would be graded."""
    exercises = questions.load(arguments.answers)
    for one in intake.collect(arguments.submissions, exercises, arguments.out):
        who = f"{one.upload.student} {one.upload.lms_id}".rstrip()
        said = "; ".join(filter(None, [one.status, one.problem, *one.flags]))
        print(f"{one.exercise or '??'}  {who}  {one.upload.path}" + (f"  [{said}]" if said else ""))


def grade(arguments):
    """Grade, and write every report."""
    exercises = questions.load(arguments.answers)
    roster = arguments.roster.read_bytes() if arguments.roster else None
    if roster is not None:
        gradebook.fill_roster(roster, [], {})  # refuse a table of another kind before the work, not after it
    submissions = intake.collect(arguments.submissions, exercises, arguments.out)
    if not submissions:
        raise ValueError(f"no submissions in {arguments.submissions}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    settings = _settings(arguments)
    mode = "unsafe" if arguments.unsafe_no_sandbox else None
    if mode:
        print("WITHOUT A SANDBOX: what was handed in can read and change anything on this computer", file=sys.stderr)
    limits = _limits(arguments)

    def say(note):
        print(note, file=sys.stderr)
        settings["passed over"] = sorted({*settings["passed over"], note})

    with batch.crew(arguments.jobs or _cores(), arguments.dask) as executor:
        records = batch.grade(
            submissions, exercises, arguments.out,
            seed=settings["seed"], mode=mode, limits=limits, executor=executor, say=say,
        )  # fmt: skip
    batch.write(arguments.out / "run.json", json.dumps(settings) + "\n")
    write_reports(arguments, exercises, records, roster, settings["passed over"])


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _settings(arguments):
    """The seed: as asked for, else that of the run before, else drawn; kept at once, for a run that is interrupted."""
    path = arguments.out / "run.json"
    settings = json.loads(path.read_text()) if path.exists() else {"seed": secrets.randbelow(2**31), "passed over": []}
    if arguments.seed is not None and arguments.seed != settings["seed"]:
        settings = {"seed": arguments.seed, "passed over": []}
    batch.write(path, json.dumps(settings) + "\n")
    print(f"seed {settings['seed']}, kept in {path}", file=sys.stderr)
    return settings


def _limits(arguments):
    wanted = {"cell_seconds": arguments.cell_seconds, "wall_seconds": arguments.wall_seconds}
    limits = replace(sandbox.Limits(), **{name: value for name, value in wanted.items() if value})
    return replace(limits, probe_seconds=min(limits.probe_seconds, limits.cell_seconds))


def write_reports(arguments, exercises, records, roster=None, notes=()):
    """
    Write gradebook, roster, feedback, summary and marking page, with what ``overrides.csv`` says.

    Parameters
    ----------
    arguments : argparse.Namespace
    exercises : dict of str to Exercise
    records : list of dict
        As `solutions.grading.batch.grade` returns them.
    roster : bytes, optional
    notes : iterable of str
        For the summary.
    """
    out, overrides = arguments.out, _overrides(arguments.out)
    records = [gradebook.finish(record) for record in gradebook.override(records, overrides)]
    files, absent, said = {}, [], []
    if roster is not None:
        stems = {number: exercises[number].stem for number in sorted({r["exercise"] for r in records} & set(exercises))}
        files, absent, said = gradebook.fill_roster(roster, records, stems)
    pages = dict(
        zip(
            report.page_names(records),
            [report.feedback(r, exercises.get(r["exercise"]), arguments.show_answers) for r in records],
            strict=True,
        )
    )
    rows = [list(row.values()) for row in csv.DictReader(io.StringIO(overrides))]
    files |= {
        "gradebook.csv": gradebook.gradebook(records, absent).to_csv(index=False, lineterminator="\n"),
        "feedback.zip": report.packed(pages),
        "summary.html": report.summary(records, exercises, absent, [*notes, *said]),
        "marking.html": report.marking(records, exercises, rows),
    }
    folder = out / "feedback"
    folder.mkdir(exist_ok=True)
    for path in set(folder.glob("*.html")) - {folder / name for name in pages}:
        path.unlink()
    for path, content in [
        *((folder / name, page) for name, page in pages.items()),
        *((out / n, c) for n, c in files.items()),
    ]:
        batch.write(path, content)
    for line in said:
        print(line, file=sys.stderr)
    counts = Counter(record["status"] for record in records) + Counter({gradebook.NOT_SUBMITTED: len(absent)})
    print(", ".join(f"{count} {status}" for status, count in counts.most_common()))
    print(f"{out / 'gradebook.csv'}, summary.html, marking.html, feedback.zip and feedback/ beside it")


def _overrides(out):
    path = out / "overrides.csv"
    empty = ",".join(gradebook.OVERRIDES) + "\n"
    return path.read_text(encoding="utf-8-sig") if path.exists() else empty


def compare(old, new):
    """
    What changed between two folders of results.

    Parameters
    ----------
    old, new : pathlib.Path
        As given to ``--out``.

    Returns
    -------
    list of str
    """
    sides = []
    for out in (old, new):
        paths = sorted((out / "marks").glob("*.json"))
        if not paths:
            raise ValueError(f"{out} holds no results of grading (no marks/*.json)")
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        sides.append([gradebook.finish(record) for record in gradebook.override(records, _overrides(out))])
    return gradebook.compare(*sides)
