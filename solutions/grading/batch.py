"""Many submissions: parallel over the cores or a Dask cluster, with progress, resumed where a run was interrupted."""

import hashlib
import json
import os
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.metadata import version

from solutions.grading import marking, reference, sandbox
from solutions.grading.marking import PERSON
from solutions.refresh import ROOT

LIBRARIES = ("numpy", "scipy", "autograd", "pandas", "statsmodels")
_here = threading.local()
_workers = []
_stopping = threading.Event()


def perform(job, mode, limits):
    """
    Run one job in a sandbox of this thread's own; what a Dask worker and a local thread do alike.

    Parameters
    ----------
    job : dict
        See `solutions.grading.sandbox`.
    mode : str or None
    limits : solutions.grading.sandbox.Limits

    Returns
    -------
    solutions.grading.channel.Result

    Raises
    ------
    solutions.grading.sandbox.SandboxError
        Where the sandbox failed twice.
    """
    for attempt in (1, 2):
        worker = getattr(_here, "worker", None)
        if worker is None or _here.how != (mode, limits):
            worker, _here.how = sandbox.Worker(mode, limits), (mode, limits)
            _here.worker = worker
            _workers.append(worker)
        try:
            return worker.run(job)
        except sandbox.SandboxError:
            _here.worker = None
            worker.close()
            if attempt == 2 or _stopping.is_set():
                raise


@contextmanager
def crew(jobs, dask=None):
    """
    What runs jobs: as many threads as wanted, the work being in their subprocesses, or a Dask cluster.

    Parameters
    ----------
    jobs : int
        Threads.
    dask : str, optional
        Address of a scheduler, whose workers have this course installed.

    Yields
    ------
    concurrent.futures.Executor
    """
    if dask:
        from distributed import Client

        with Client(dask, timeout=20) as client:
            yield client.get_executor(pure=False)
        return
    executor = ThreadPoolExecutor(jobs, thread_name_prefix="grade")
    _stopping.clear()
    try:
        yield executor
    finally:
        _stopping.set()  # after an interrupt, what still runs is ended, not waited for
        executor.shutdown(wait=False, cancel_futures=True)
        while _workers:
            _workers.pop().close()
        executor.shutdown()


def grader(mode, limits):
    """A hash of what marks depend on besides submission, answers and seed: the grader, the helpers, the libraries."""
    found = hashlib.sha256()
    for folder in (ROOT / "solutions" / "grading", ROOT / "helpers"):
        for path in sorted(folder.rglob("*.py")):
            found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    found.update(json.dumps([sys.version_info[:2], [version(library) for library in LIBRARIES]]).encode())
    found.update(json.dumps([mode == "unsafe", asdict(limits)]).encode())
    return found.hexdigest()[:16]


def grade(submissions, exercises, out, *, seed, mode, limits, executor, say):
    """
    Grade what was not graded before, and save each result when it is there.

    Parameters
    ----------
    submissions : list of Submission
    exercises : dict of str to Exercise
    out : pathlib.Path
        Results are kept in its folder ``marks``, one file for each submission.
    seed : int
        Private.
    mode : str or None
        Of the sandbox.
    limits : solutions.grading.sandbox.Limits
    executor : concurrent.futures.Executor
        See `crew`.
    say : callable
        Takes a line for the instructor: a seed that was passed over.

    Returns
    -------
    list of dict
        A record for each submission, in their order: ``questions``, ``flags`` and ``notes`` as `marking.mark` gives
        them, who and what was handed in, ``status`` and ``problem`` where it was not graded, and what it was ``made``
        with. No times.
    """
    folder, version_ = out / "marks", grader(mode, limits)
    folder.mkdir(parents=True, exist_ok=True)
    records, todo = {}, []
    for i, submission in enumerate(submissions):
        exercise = exercises.get(submission.exercise)
        made = {"digest": submission.digest, "answers": exercise and exercise.digest, "seed": seed, "grader": version_}
        kept = _kept(folder / _name(submission), made)
        if submission.status:
            records[i] = _record(submission, exercise, made, _for_a_person(submission, exercise))
            write(folder / _name(submission), _json(records[i]))
        elif kept:
            records[i] = _record(submission, exercise, made, kept)
        else:
            todo.append((i, submission, exercise, made))
    known = _references(todo, seed, partial(_run, executor, mode, limits), say)
    futures = {}
    for i, submission, exercise, made in todo:
        job = reference.job(exercise, known[exercise.number].seed, _code(submission))
        futures[executor.submit(perform, job, mode, limits)] = (i, submission, exercise, made)
    for future in progress(as_completed(futures), len(futures)):
        i, submission, exercise, made = futures.pop(future)
        records[i] = _marked(submission, exercise, made, known[exercise.number], future)
        if records[i]["made"]:
            write(folder / _name(submission), _json(records[i]))
    for path in set(folder.glob("*.json")) - {folder / _name(submission) for submission in submissions}:
        path.unlink()  # of files that are no longer handed in
    return [records[i] for i in range(len(submissions))]


def _run(executor, mode, limits, jobs):
    futures = [executor.submit(perform, job, mode, limits) for job in jobs]
    return [future.result() for future in futures]


def _references(todo, seed, run, say):
    exercises = {exercise.number: exercise for _, _, exercise, _ in todo}
    known = {number: reference.refer(exercise, seed, run) for number, exercise in sorted(exercises.items())}
    for found in known.values():
        for note in found.notes:
            say(note)
    return known


def _code(submission):
    return [cell.source for cell in submission.cells if cell.kind == "code"]


def _marked(submission, exercise, made, known, future):
    try:
        result = future.result()
    except Exception as error:  # the sandbox, or the cluster: nothing is known about the submission
        failed = f"the grader failed, run it again: {type(error).__name__}: {str(error)[:300]}"
        nothing = _for_a_person(submission, exercise, failed)
        return _record(submission, exercise, {}, nothing) | {"status": PERSON, "problem": failed}
    return _record(
        submission, exercise, made, marking.mark(exercise, known, submission, result) | {"safe": result.safe}
    )


def _for_a_person(submission, exercise, problem=""):
    """The questions of what was not run: all of them open, so that a person can mark them."""
    questions = [
        {
            "name": question.name,
            "points": question.points,
            "mark": None,
            "outcome": PERSON,
            "reason": problem or submission.problem,
            "mistake": "",
            "code": "",
            "probes": [],
        }
        for question in (exercise.questions if exercise else ())
    ]
    return {"questions": questions, "found": [], "notes": [], "safe": True}


def _record(submission, exercise, made, marked):
    upload = submission.upload
    return {
        "student": upload.student,
        "lms": upload.lms,
        "lms_id": upload.lms_id,
        "attachment": upload.attachment,
        "path": upload.path,
        "exercise": submission.exercise,
        "stem": exercise.stem if exercise else "",
        "release": submission.release,
        "status": submission.status,
        "problem": submission.problem,
        "flags": [*submission.flags, *marked["found"]],
        "made": made,
        **{part: marked[part] for part in ("questions", "found", "notes", "safe")},
    }


def _name(submission):
    """One file for each student and exercise; for each upload where the exercise is not known."""
    upload = submission.upload
    who = f"{upload.key}/{submission.exercise or upload.path}"
    return (
        f"{submission.exercise or 'unknown'}-{re.sub(r'[^A-Za-z0-9]+', '-', upload.student)[:40]}-"
        f"{hashlib.sha256(who.encode()).hexdigest()[:12]}.json"
    )


def _kept(path, made):
    """What an earlier run found, if nothing that it depends on has changed since."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if record["made"] == made and not record["status"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _json(record):
    return json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write(path, content):
    """Write text or bytes so that the file is the old or the new one whenever the run is interrupted."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(part, path)


def progress(done, total, stream=None):
    """
    Pass items through, and say on a terminal how many are done and how long the rest may take; elsewhere by tenths.

    Examples
    --------
    >>> list(progress(["a", "b"], 2, sys.stdout))
    1 of 2 graded
    2 of 2 graded
    ['a', 'b']
    """
    stream = stream or sys.stderr
    begin = time.monotonic()
    for count, item in enumerate(done, 1):
        yield item
        left = (time.monotonic() - begin) / count * (total - count)
        if stream.isatty():
            bar = "█" * (20 * count // total)
            print(f"\r{bar:░<20} {count} of {total}, about {left:.0f} s left ", end="", file=stream, flush=True)
        elif count * 10 // total > (count - 1) * 10 // total:
            print(f"{count} of {total} graded", file=stream, flush=True)
    if total and stream.isatty():
        print(file=stream)
