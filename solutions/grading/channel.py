"""What comes back from the sandbox: lines of numbers that a student may have written, read without trusting them."""

from dataclasses import dataclass, field
from typing import NamedTuple

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


def parse_lines(data):
    """
    Records from bytes that a student may have written.

    Parameters
    ----------
    data : bytes
        JSON lines. What is not a record of the runner's kinds is left out: nothing raises, time and memory are bounded.

    Returns
    -------
    list of dict
    """
    raise NotImplementedError
