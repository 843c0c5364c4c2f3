"""What comes back from the sandbox: lines of numbers that a student may have written, read without trusting them."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

LINES = 10_000  # records of one run
LINE_BYTES = 1 << 20
MOST_NUMBERS = 10_000  # of one probe
DEPTH = 8  # of nested lists

OUT_OF_TIME = "OutOfTime"  # kinds of a Problem that are not the name of a Python exception
ENDED = "ProcessEnded"
BLANK = "NotAttempted"
NOT_NUMBERS = "NotNumbers"
NOT_RUN = "NotRun"


class Problem(NamedTuple):
    """
    Why there are no numbers: one line of plain text, already bounded and printable (escape it for HTML).

    Attributes
    ----------
    kind : str
        Name of the exception's class (``"TypeError"``), or one of the names above: `OUT_OF_TIME`, `ENDED` (the process
        was killed, crashed or left), `BLANK` (the answer returns ``...``), `NOT_NUMBERS` (it returned something else
        than a number, an array or a dict of them), `NOT_RUN`.
    message : str
        At most 300 characters.
    """

    kind: str
    message: str


@dataclass
class Probed:
    """
    What one probe of one question gave.

    Attributes
    ----------
    returned : float, list or dict of str, or None
        Plain floats, nested lists of them, or one flat dict of either; nan and inf may occur (and are never right).
        ``None``: there are no numbers, and `problem` says why.
    tolerance : same, or None
        What the probe assigned to ``tolerance``. Use it only from a run of the answer notebook, never from a student's.
    problem : Problem or None
        May stand next to numbers: then the probe failed after ``returned`` was assigned (its tolerance did).
    """

    returned: object = None
    tolerance: object = None
    problem: Problem | None = None


@dataclass
class Taken:
    """
    One question of a submission: what its name was bound to, and what the probes gave.

    Attributes
    ----------
    state : str
        ``"taken"`` (a callable was found and probed), ``"blank"`` (the name is bound to ``...``), ``"missing"`` (no
        cell that ran binds it) or ``"not callable"`` (bound to something else, named in `problem`).
        A callable that returns ``...`` is taken, and its probes have the problem `BLANK`.
    cell : int or None
        Index of the cell after which it was taken; None where nothing was.
    probes : list of Probed
        As many as the job asked for, in order, whatever the state.
    problem : Problem or None
    """

    state: str = "missing"
    cell: int | None = None
    probes: list = field(default_factory=list)
    problem: Problem | None = None


@dataclass
class Ran:
    """
    One code cell. `state` is ``"ran"``, ``"raised"`` (see `problem`; later cells still ran), ``"out of time"``
    (interrupted, the rest still ran), ``"left out"`` (it stalled or ended the process; the rest was run again without
    it; `problem` says which) or ``"not reached"``.
    """

    state: str = "not reached"
    problem: Problem | None = None


@dataclass
class Result:
    """
    One submission's run. Everything in it but `status`, `reason`, `isolation`, `safe`, `runs` and `seconds` could be
    written by the student; none of it but the numbers is worth a mark, and those have to be right on private data.

    Attributes
    ----------
    status : str
        ``"finished"`` (every cell ran or is marked left out, every question was probed) or ``"cut short"`` (the wall
        clock, the number of re-runs or the channel's size was spent: `reason`; what was found until then is here).
    reason : str
    questions : dict of str to Taken
        One entry for each of the job's names, always.
    cells : list of Ran
        One for each of the job's cells, always.
    output : str
        The beginning of what was printed, printable text, at most ``limits.output_bytes``.
    isolation : str
        ``"warm"``, ``"bwrap"`` or ``"unsafe"``.
    safe : bool
        False for ``"unsafe"``: say so in every report.
    runs : int
        How often the notebook was started (1, and one more for each cell left out).
    seconds : float
    """

    status: str = "finished"
    reason: str = ""
    questions: dict = field(default_factory=dict)
    cells: list = field(default_factory=list)
    output: str = ""
    isolation: str = ""
    safe: bool = True
    runs: int = 0
    seconds: float = 0.0


def clean(text, most=300):
    """
    Text from a student as one line that can be printed, stored and encoded: bounded, no control characters.

    Examples
    --------
    >>> clean("red \\x1b[31m\\n" + chr(0xD800) + "x" * 999, most=12)
    'red  [31m  x'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text[:most])


def _index(value):
    if type(value) is not float or not 0 <= value < LINES or value != int(value):
        raise ValueError("not an index")
    return int(value)


def _numbers(value):
    """What `Probed` promises, or ValueError. Not recursive: it is the sender who chooses the depth."""
    parts = list(value.values()) if type(value) is dict else [value]
    count = 0
    for _ in range(DEPTH):
        deeper = []
        for part in parts:
            if type(part) is list:
                deeper += part
            elif type(part) is float:
                count += 1
            else:
                raise ValueError("not numbers")
        if len(deeper) + count > MOST_NUMBERS:
            raise ValueError("too many numbers")
        parts = deeper
    if parts:
        raise ValueError("nested too deeply")
    return {clean(key): entry for key, entry in value.items()} if type(value) is dict else value


def _problem(value):
    if value is None:
        return None
    if type(value) is not list or [type(part) for part in value] != [str, str]:
        raise ValueError("not a problem")
    kind, message = value
    return Problem(clean(kind, 80), clean(message))


FIELDS = {
    "cell": _index,
    "question": lambda value: clean("" + value, 80),
    "probe": _index,
    "returned": _numbers,
    "tolerance": _numbers,
    "problem": _problem,
    "bound": lambda value: clean("" + value, 80),
    "end": bool,
}


def parse_lines(data):
    """
    Records from bytes that a student may have written.

    Parameters
    ----------
    data : bytes
        JSON lines. A line that is not a dict of the runner's fields, each of its kind and size, is left out. Nothing
        raises; time and memory are bounded by the length of `data`.

    Returns
    -------
    list of dict
        With the keys of `FIELDS`; at most `LINES` of them.

    Examples
    --------
    >>> parse_lines(b'[[[[\\n{"question": "fit", "probe": 0, "returned": [1, 2.5]}\\n{"cell": -1}\\n17')
    [{'question': 'fit', 'probe': 0, 'returned': [1.0, 2.5]}]
    """
    records = []
    for line in data.split(b"\n"):
        if not line.startswith(b"{") or len(line) > LINE_BYTES:
            continue
        try:
            found = json.loads(line.decode("utf-8", "replace"), parse_int=float)
            record = {key: FIELDS[key](value) for key, value in found.items()}
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if record:
            records.append(record)
        if len(records) == LINES:
            break
    return records


class Story:
    """
    What is known about one submission, over as many runs as it takes.

    Records count in the order they come: a later one for the same thing replaces the earlier one, and taking an answer
    again forgets what its probes gave before. So a forged record changes what is known about that student only, and
    only numbers that are right on data drawn after the student handed in are worth anything.

    Parameters
    ----------
    job : dict
        As `sandbox` describes it.

    Attributes
    ----------
    at : tuple or None
        What the notebook was doing when it was last heard of: ``("cell", index)`` or ``("question", name)``.
    ended : bool
        Whether it said that it came to its end.
    """

    def __init__(self, job):
        self.sizes = {name: len(probes) for name, probes in job["questions"].items()}
        self.questions = {name: Taken(probes=self._unknown(name)) for name in self.sizes}
        self.cells = [Ran() for _ in job["cells"]]
        self.new_run()

    def _unknown(self, name):
        return [Probed(problem=Problem(NOT_RUN, "no answer was found")) for _ in range(self.sizes[name])]

    def new_run(self):
        self.at, self.ended, self.current = None, False, {}

    def read(self, records):
        """Take in records, in order."""
        for record in records:
            self._read(record)

    def _read(self, record):
        kinds = set(record)
        name, cell = record.get("question"), record.get("cell", 0)
        if cell >= len(self.cells) or (name is not None and name not in self.sizes):
            return
        if kinds == {"end"}:
            self.ended = True
        elif kinds == {"cell"}:
            self.at = ("cell", cell)
            self.cells[cell] = Ran("not reached")
        elif kinds == {"cell", "problem"}:
            problem = record["problem"]
            state = "ran" if problem is None else "out of time" if problem.kind == OUT_OF_TIME else "raised"
            self.cells[cell] = Ran(state, problem)
        elif kinds == {"question", "cell"}:
            self.at = ("question", name)
            self.current[name] = Taken("taken", cell, self._unknown(name))
        elif kinds == {"question", "bound"}:
            blank = record["bound"] == "..."
            problem = None if blank else Problem("NotCallable", f"bound to a {record['bound']}, not to a function")
            self.current[name] = Taken("blank" if blank else "not callable", None, self._unknown(name), problem)
        elif name in self.current and {"question", "probe"} <= kinds and record["probe"] < self.sizes[name]:
            self.at = ("question", name)
            probed = Probed(record.get("returned"), record.get("tolerance"), record.get("problem"))
            if probed.returned is None and probed.problem is None:
                probed.problem = Problem(ENDED, "the process ended without an answer")  # until it gives one
            self.current[name].probes[record["probe"]] = probed

    def end_run(self, cause=None):
        """
        Keep of this run what is better than what was known.

        Parameters
        ----------
        cause : Problem, optional
            Why the run did not end by itself; it is told of what was at work.
        """
        for name, taken in self.current.items():
            if cause and self.at == ("question", name):
                for probed in taken.probes:
                    if probed.problem and probed.problem.kind == ENDED:
                        probed.problem = cause
            if self._known(taken) >= self._known(self.questions[name]):
                self.questions[name] = taken
        if cause and self.at and self.at[0] == "cell":
            self.cells[self.at[1]] = Ran("left out", cause)

    @staticmethod
    def _known(taken):
        settled = [
            probed for probed in taken.probes if not probed.problem or probed.problem.kind not in (NOT_RUN, ENDED)
        ]
        return (taken.state == "taken") + len(settled)
