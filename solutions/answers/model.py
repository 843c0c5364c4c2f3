"""The parts of an answer notebook, its markers, and the complaint that refuses it."""

import re
from dataclasses import dataclass, field

KINDS = {
    "setup": "code",
    "answer": "code",
    "written-answer": "markdown",
    "probe-setup": "code",
    "probe": "code",
    "mistake": "code",
    "summary": "code",
}
OTHER_TAGS = {"raises-exception", "nbval-ignore-output"}
INSTRUCTORS = {"probe-setup", "probe", "mistake"}

BEGIN, END, BLANK = "# BEGIN SOLUTION", "# END SOLUTION", "# BLANK"
PROBE = re.compile(r"# PROBE (?P<name>[A-Za-z_]\w*)(?P<options>( (points|rtol|atol)=[0-9.e+-]+)+)")
MISTAKE = re.compile(r"# MISTAKE (?P<name>[A-Za-z_]\w*) (?P<id>[a-z0-9]+(-[a-z0-9]+)*)")
WRITTEN = re.compile(r"<!-- WRITTEN points=(?P<points>[0-9.]+) -->")


class Refused(ValueError):
    """An answer notebook that breaks the form; `problems` holds every complaint."""

    def __init__(self, problems):
        super().__init__("\n".join(problems))
        self.problems = problems


class Complaints(list):
    def __init__(self, file):
        super().__init__()
        self.file = file

    def add(self, cell, line, text):
        where = f", cell {cell.id}" if cell else ""
        self.append(f"{self.file}{where}{f', line {line}' if line else ''}: {text}")

    def stop(self):
        if self:
            raise Refused(list(self))


@dataclass
class Region:
    """One marked part of an answer: the lines that only the instructor has, and the blank in their place."""

    first: int
    last: int
    blank: list
    answer: list


@dataclass
class Cell:
    """A cell, and what the student gets of it; line numbers count from 1."""

    id: str
    kind: str
    source: str
    tags: list
    role: str
    regions: list = field(default_factory=list)
    blanked: str = ""
    origin: list = field(default_factory=list)  # of each line of `blanked`, the line of `source`

    def __post_init__(self):
        self.blanked = self.source


@dataclass
class Probe:
    """Instructor's code that calls an answer with data of its own and ends in numbers."""

    cell: str
    code: str
    points: float
    rtol: float | None
    atol: float | None


@dataclass
class Question:
    """What is known about one blank: where it stands, how it is marked, and its usual mistakes (code by id)."""

    name: str
    cell: str
    probes: list = field(default_factory=list)
    mistakes: dict = field(default_factory=dict)


@dataclass
class Answers:
    """
    An answer notebook that was found in order.

    Attributes
    ----------
    file : str
    number : str
    cells : list of Cell
    questions : dict of str to Question
        In their order in the notebook.
    written : dict of str to float
        Points of the answers in words, by cell id.
    probe_setup : str
        What runs before the probes.
    """

    file: str
    number: str
    cells: list
    questions: dict
    written: dict
    probe_setup: str
