"""Numbers against the answer's numbers → marks, and a reason a student can act on."""

import re
from dataclasses import dataclass

import numpy as np

from solutions.grading.channel import BLANK, ENDED, NOT_NUMBERS, NOT_RUN, OUT_OF_TIME
from solutions.grading.questions import written_answer
from solutions.grading.submission import where_bound
from solutions.release import WRITE_HERE

RIGHT, PARTLY, WRONG, NOT_ATTEMPTED, PERSON = "right", "partly right", "not right", "not attempted", "needs a person"
OPEN = re.compile(r"^[^#\n]*(?<!\.)\.\.\.(?!\.)", re.MULTILINE)  # a blank that is left in code


@dataclass(frozen=True)
class Expected:
    """What the answer returned to one probe: name → array ("" for a bare one), and how far one may be off."""

    numbers: dict
    tolerance: dict


@dataclass(frozen=True)
class Comparison:
    """``distance`` is the largest difference in tolerances, infinite where there is nothing to subtract."""

    distance: float
    reason: str

    @property
    def right(self):
        return self.distance <= 1


def expect(numbers, rtol, atol, tolerance=None):
    """
    Attach tolerances to the numbers that an answer returned.

    Parameters
    ----------
    numbers : dict of str to ndarray
    rtol, atol : float
        Relative and absolute tolerance of each number.
    tolerance : dict of str to ndarray, optional
        Absolute tolerances by name; replaces both. A bare one holds for all.

    Returns
    -------
    Expected

    Raises
    ------
    ValueError
        Where a tolerance is not positive, or numbers or tolerances are not finite: the answer fails under this seed.

    Examples
    --------
    >>> expect({"": np.array([2.0, -4.0])}, 0.01, 0.0).tolerance[""]
    array([0.02, 0.04])
    """
    allowed = {}
    for name, expected in numbers.items():
        if tolerance is None:
            # A zero that another formula leaves at 1e-17 is right, though no relative tolerance says so.
            zero = 1e-10 * (np.abs(expected).max(initial=0.0) or 1.0)
            allowed[name] = np.maximum(atol + rtol * np.abs(expected), zero)
        else:
            if name not in tolerance and "" not in tolerance:
                raise ValueError(f"`tolerance` lacks {name!r}")
            allowed[name] = np.broadcast_to(tolerance.get(name, tolerance.get("")), expected.shape)
        if not np.all(np.isfinite(expected)):
            raise ValueError(f"the answer's {label(name)} is not finite")
        if not np.all((allowed[name] > 0) & np.isfinite(allowed[name])):
            raise ValueError(f"the tolerance of {label(name)} is not positive")
    return Expected(numbers, allowed)


def label(name):
    return f"{name!r}" if name else "number"


def compare(numbers, expected):
    """
    Compare what a submission returned with what is expected.

    Parameters
    ----------
    numbers : dict of str to ndarray
    expected : Expected

    Returns
    -------
    Comparison

    Examples
    --------
    >>> right = expect({"": np.array([1.0, 2.0])}, 0.01, 0.0)
    >>> compare({"": np.array([1.0, 2.001])}, right).right
    True
    >>> compare({"": np.array([-1.0, -2.0])}, right).reason
    '2 of 2 numbers differ; at [0]: returned -1, expected 1 ± 0.01'
    """
    if set(numbers) != set(expected.numbers):
        return Comparison(np.inf, f"returned {_names(numbers)}, expected {_names(expected.numbers)}")
    worst = Comparison(0.0, "")
    for name in expected.numbers:
        here = _compare(name, numbers[name], expected.numbers[name], expected.tolerance[name])
        if here.distance > worst.distance:
            worst = here
    return worst


def _names(numbers):
    return " and ".join(repr(name) for name in numbers) if "" not in numbers else "a bare number or array"


def _compare(name, got, expected, tolerance):
    prefix = f"{name}: " if name else ""
    if got.shape != expected.shape:
        if got.size == expected.size == 1:  # a number in an array of one is still that number
            got = got.reshape(expected.shape)
        else:
            turned = ": transposed?" if got.ndim > 1 and got.shape == expected.shape[::-1] else ""
            return Comparison(
                np.inf, f"{prefix}returned {_shape(got)}, expected {_shape(expected)}{turned}"
            )  # fmt: skip
    if not np.all(np.isfinite(got)):
        what = "the number is" if got.size == 1 else f"{np.count_nonzero(~np.isfinite(got))} of {got.size} numbers are"
        return Comparison(np.inf, f"{prefix}{what} nan or infinite")
    if not got.size:
        return Comparison(0.0, "")
    with np.errstate(over="ignore"):
        distance = np.abs(got - expected) / tolerance
    at = np.unravel_index(np.argmax(distance), distance.shape)
    difference = f"returned {got[at]:.6g}, expected {expected[at]:.6g} ± {tolerance[at]:.2g}"
    if got.size > 1:
        first = np.unravel_index(np.argmax(distance > 1), distance.shape)
        difference = f"returned {got[first]:.6g}, expected {expected[first]:.6g} ± {tolerance[first]:.2g}"
        position = ", ".join(str(i) for i in first)
        difference = f"{np.count_nonzero(distance > 1)} of {got.size} numbers differ; at [{position}]: {difference}"
    return Comparison(float(distance[at]), prefix + difference)


def _shape(array):
    return f"an array of shape {array.shape}" if array.ndim else "one number"


# A submission's questions


def arrays(returned):
    """
    Name → array, from what came through the channel: a number, nested lists of them, or one flat dict of either.

    Raises
    ------
    ValueError
        Where it is nothing of that kind.

    Examples
    --------
    >>> arrays([1.0, 2.0])
    {'': array([1., 2.])}
    """
    if returned is None:
        raise ValueError("returned no numbers")
    named = returned if isinstance(returned, dict) else {"": returned}
    try:
        return {str(name): np.asarray(value, dtype=float) for name, value in named.items()}
    except (TypeError, ValueError):
        raise ValueError("returned lists of unequal length, or something else than numbers") from None


def mark(exercise, reference, submission, result):
    """
    Mark one submission.

    Parameters
    ----------
    exercise : Exercise
    reference : Reference
    submission : Submission
    result : solutions.grading.channel.Result

    Returns
    -------
    dict
        ``questions`` (each a dict: name, points, mark or None where a person must, outcome, reason, mistake, code,
        probes), ``found`` (flags) and ``notes`` (for the student): JSON, without times.
    """
    code = [cell.source for cell in submission.cells if cell.kind == "code"]
    other_release = bool(submission.release and exercise.release and submission.release != exercise.release)
    questions = []
    for question in exercise.questions:
        if question.written:
            questions.append(_written(exercise, question, submission))
        else:
            taken = result.questions[question.name]
            marked = _question(question, reference, taken, result, code, exercise.blanked[question.cell])
            if taken.state == "missing" and other_release:
                marked |= {"mark": None, "outcome": PERSON, "reason": f"not in the release {submission.release!r}"}
            questions.append(marked)
    found = []
    if other_release:
        found.append(f"release {submission.release!r}, the present one is {exercise.release!r}")
    if result.status != "finished":
        found.append(f"cut short: {result.reason}")
    return {"questions": questions, "found": found + _imports(result), "notes": _notes(result)}


def _imports(result):
    problems = [cell.problem for cell in result.cells if cell.problem and cell.problem.kind == "ModuleNotFoundError"]
    return [f"imports what the grader lacks: {problem.message}" for problem in problems[:1]]


def _notes(result):
    """What happened to the cells, for the student: the first few that did not run through."""
    unwell = [(i, cell) for i, cell in enumerate(result.cells, 1) if cell.state != "ran"]
    notes = []
    for i, cell in unwell[:5]:
        said = f": {cell.problem.kind}: {cell.problem.message}" if cell.problem else ""
        notes.append(f"code cell {i}: {cell.state}{said}")
    return notes + ([f"and {len(unwell) - 5} more"] if len(unwell) > 5 else [])


def _question(question, reference, taken, result, code, blank):
    """Marks for one question; the reason is the named mistake's sentence where the numbers are that mistake's."""
    expected = reference.expected[question.name]
    probes = [_probe(*each) for each in zip(question.probes, taken.probes, expected, strict=True)]
    mark = sum((probe["points"] for probe in probes if probe["right"]), 0.0)
    at = taken.cell if taken.cell is not None else where_bound(code, question.name)
    source = code[at] if at is not None and at < len(code) else ""
    record = {
        "name": question.name,
        "points": question.points,
        "mark": mark,
        "outcome": RIGHT if mark == question.points else PARTLY if mark else WRONG,
        "reason": next((probe["reason"] for probe in probes if not probe["right"]), ""),
        "mistake": "",
        "code": source,
        "probes": probes if taken.state == "taken" else [],
    }
    if mark == question.points:
        return record
    if taken.state == "blank" or _kinds(taken) == {BLANK} or source.split() == blank.split():
        return record | {"outcome": NOT_ATTEMPTED, "reason": "not attempted", "probes": []}
    if taken.state == "taken" and NOT_RUN in _kinds(taken) and result.status != "finished":
        return record | {"mark": None, "outcome": PERSON, "reason": f"cut short: {result.reason}", "probes": []}
    if taken.state == "missing":
        return record | _missing(question, result, at)
    mistake = _match(taken, reference.mistakes[question.name], expected)
    if mistake:
        return record | {"mistake": mistake, "reason": dict(question.sentences)[mistake]}
    if taken.state == "not callable":
        said = f": {taken.problem.message}" if taken.problem else ""
        return record | {"reason": f"`{question.name}` must be a function of its data{said}"}
    if OPEN.search(source):
        return record | {"reason": f"a blank (`...`) is still open; {record['reason']}"}
    return record


def _kinds(taken):
    return {probed.problem.kind for probed in taken.probes if probed.problem}


def _missing(question, result, at):
    """No cell that ran binds the name: never written, or its cell failed first."""
    cell = result.cells[at] if at is not None and at < len(result.cells) else None
    if result.status != "finished" and (cell is None or cell.state == "not reached"):
        return {"mark": None, "outcome": PERSON, "reason": f"cut short: {result.reason}", "probes": []}
    if cell is None or cell.state == "ran":
        return {"outcome": NOT_ATTEMPTED, "reason": f"not attempted: no cell binds `{question.name}`", "probes": []}
    said = f": {cell.problem.kind}: {cell.problem.message}" if cell.problem else ""
    return {"reason": f"its cell {cell.state}{said}", "probes": []}


def _probe(probe, probed, expected):
    record = {"points": probe.points, "right": False, "returned": "", "expected": show(expected.numbers)}
    try:
        numbers = arrays(probed.returned)
    except ValueError as problem:
        return record | {"reason": _because(probed.problem) if probed.problem else str(problem)}
    comparison = compare(numbers, expected)
    reason = "" if comparison.right else comparison.reason
    return record | {"right": comparison.right, "returned": show(numbers), "reason": reason}


def _because(problem):
    said = {
        OUT_OF_TIME: "with our data it did not finish: ",
        ENDED: "with our data it ended the process: ",
        BLANK: "not attempted: ",
        NOT_NUMBERS: "with our data it returned no numbers: ",
        NOT_RUN: "not run: ",
    }
    return said.get(problem.kind, f"with our data it raised {problem.kind}: ") + problem.message


def show(numbers):
    """
    Numbers as a person reads them, the first six of each.

    Examples
    --------
    >>> show({"": np.array([1.0, 2.5])}), show({"se": np.array(0.125)})
    ('[1, 2.5]', 'se = 0.125')
    """
    texts = []
    for name, array in numbers.items():
        text = ", ".join(f"{number:.6g}" for number in array.ravel()[:6]) + (", …" if array.size > 6 else "")
        text = f"[{text}]" if array.ndim else text
        texts.append(f"{name[:40]} = {text}" if name else text)
    return "; ".join(texts[:12])


def _match(taken, mistakes, expected):
    """The id of the named mistake that returns the same numbers to every probe, or fails in the same way."""
    for mistake, other in mistakes.items():
        if taken.state != other.state:
            continue
        if taken.state != "taken" or all(map(_same, taken.probes, other.probes, expected)):
            return mistake
    return ""


def _same(probed, other, expected):
    try:
        theirs = arrays(other.returned)
    except ValueError:
        return probed.problem is not None and probed.problem == other.problem
    try:
        ours = arrays(probed.returned)
    except ValueError:
        return False
    shapes = [{name: array.shape for name, array in numbers.items()} for numbers in (ours, theirs)]
    return shapes[0] == shapes[1] and all(
        np.all(_near(ours[name], array, expected.tolerance.get(name))) for name, array in theirs.items()
    )


def _near(ours, theirs, tolerance):
    """Where numbers are the same mistake's; the tolerance is the answer's, or a thousandth where the shapes differ."""
    if tolerance is None or tolerance.shape != theirs.shape:
        tolerance = 1e-3 * np.abs(theirs)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(ours - theirs) <= tolerance + 1e-6 * np.abs(theirs)
    return near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))


def _written(exercise, question, submission):
    text = written_answer(question, submission.cells)
    attempted = text is not None and text.strip() not in ("", WRITE_HERE)
    lost = "its cell was not found: look for it in the notebook" if text is None else ""
    return {
        "name": question.name,
        "points": question.points,
        "mark": None if attempted or lost else 0.0,
        "outcome": PERSON if attempted or lost else NOT_ATTEMPTED,
        "reason": lost or ("a written answer, marked by a person" if attempted else "not attempted"),
        "mistake": "",
        "code": text or "",
        "probes": [],
    }
