"""The answers and the named mistakes, run under the private seed that a class is graded with."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from solutions.grading.marking import arrays, compare, expect
from solutions.grading.questions import without_tolerance

CLEAR = 10  # tolerances that a named mistake must be away from right
DRAWS = 20  # seeds tried before the answer notebook is at fault


@dataclass(frozen=True)
class Reference:
    """What an exercise's answers and named mistakes return under a seed; ``notes`` say why seeds were passed over."""

    seed: int
    expected: dict
    mistakes: dict
    notes: tuple = ()


class _SeedFails(ValueError):
    """Under this seed; perhaps not under the next."""


def job(exercise, seed, cells, *, names=None, tolerances=False):
    """
    What the sandbox is asked to run (see `solutions.grading.sandbox`): no answer and no expected number is in it.

    Parameters
    ----------
    exercise : Exercise
    seed : int
        Private; each probe draws its data from a generator of its own.
    cells : iterable of str
    names : set of str, optional
        The questions to probe; all of them by default.
    tolerances : bool
        Whether the probes shall work out their tolerances: for the answers only.
    """
    questions = {}
    for question in exercise.questions:
        if not question.written and (names is None or question.name in names):
            questions[question.name] = [
                {
                    "source": probe.code if tolerances else without_tolerance(probe.code),
                    "seed": [seed, crc32(f"{exercise.number}/{question.name}/{i}".encode())],
                }
                for i, probe in enumerate(question.probes)
            ]
    cells = [{"id": f"cell-{i}", "source": source} for i, source in enumerate(cells, 1)]
    return {"cells": cells, "setup": exercise.probe_setup, "questions": questions}


def refer(exercise, seed, run):
    """
    Run the answers and every named mistake under a seed, or under the next that tells them apart.

    Parameters
    ----------
    exercise : Exercise
    seed : int
        The first seed to try.
    run : callable
        List of jobs → list of `solutions.grading.channel.Result`.

    Returns
    -------
    Reference

    Raises
    ------
    ValueError
        Where an answer or a mistake cannot be bound, or `DRAWS` seeds in a row fail: it says which is at fault.
    """
    notes, turns = [], _turns(exercise)
    for candidate in range(seed, seed + DRAWS):
        jobs = [job(exercise, candidate, exercise.cells, tolerances=True)]
        jobs += [job(exercise, candidate, _with_mistakes(exercise, wrong), names=set(wrong)) for wrong in turns]
        result, *others = run(jobs)
        try:
            expected = _answers(exercise, result)
            mistakes = _mistakes(exercise, turns, others)
            _tell_apart(expected, mistakes)
            return Reference(candidate, expected, mistakes, tuple(notes))
        except _SeedFails as problem:
            notes.append(f"exercise {exercise.number}: seed {candidate} passed over: {problem}")
    raise ValueError(f"no usable seed among {DRAWS}:\n" + "\n".join(notes))


def _answers(exercise, result):
    expected = {}
    for question in exercise.questions:
        for probe, probed in zip(question.probes, _probes(result, question), strict=True):
            if probed.problem:
                kind, message = probed.problem
                raise _SeedFails(f"the answer {question.name} fails: {kind}: {message}")
            tolerance = None if probed.tolerance is None else arrays(probed.tolerance)
            try:
                expect_probe = expect(arrays(probed.returned), probe.rtol, probe.atol, tolerance)
            except ValueError as problem:
                raise _SeedFails(f"the answer {question.name} fails: {problem}") from None
            expected.setdefault(question.name, []).append(expect_probe)
    return expected


def _probes(result, question):
    if question.written:
        return []
    taken = result.questions[question.name]
    if taken.state != "taken":
        problem = taken.problem or result.cells[question.cell].problem
        said = f": {problem.kind}: {problem.message}" if problem else ""
        raise ValueError(f"the answer {question.name} is {taken.state}{said}")
    return taken.probes


def _turns(exercise):
    """Which mistakes run together: questions do not read one another, so each run holds one of every question."""
    most = max((len(question.mistakes) for question in exercise.questions), default=0)
    return [{q.name: q.mistakes[turn] for q in exercise.questions if len(q.mistakes) > turn} for turn in range(most)]


def _with_mistakes(exercise, wrong):
    """The answer notebook's cells with mistakes in the places of their answers."""
    cells = list(exercise.cells)
    for question in exercise.questions:
        if question.name in wrong:
            cells[question.cell] = exercise.blanked[question.cell] + "\n\n" + wrong[question.name][1]
    return cells


def _mistakes(exercise, turns, results):
    found = {question.name: {} for question in exercise.questions}
    for wrong, result in zip(turns, results, strict=True):
        for question in exercise.questions:
            if question.name in wrong:
                mistake, _ = wrong[question.name]
                _bound(question, mistake, result)
                found[question.name][mistake] = result.questions[question.name]
    return found


def _bound(question, mistake, result):
    problem = result.cells[question.cell].problem
    if problem:
        raise ValueError(f"the mistake {question.name}/{mistake} could not be bound: {problem.kind}: {problem.message}")


def _tell_apart(expected, mistakes):
    for name, found in mistakes.items():
        for mistake, taken in found.items():
            distances = [_distance(probed, right) for probed, right in zip(taken.probes, expected[name], strict=True)]
            if taken.state == "taken" and max(distances) <= CLEAR:
                raise _SeedFails(f"the mistake {name}/{mistake} is {max(distances):.3g} tolerances from right")


def _distance(probed, right):
    try:
        return compare(arrays(probed.returned), right).distance
    except ValueError:
        return np.inf
