"""
Read an answer notebook, the only source of an exercise and of its marking; refuse one that could leak or mislead.

Everything wrong with a notebook is found before anything is said, and each complaint names the notebook, the cell and
the line.
"""

import json

from solutions.answers.markers import compiles, headers, leaks, markers
from solutions.answers.model import KINDS, OTHER_TAGS, Answers, Cell, Complaints, Probe, Question, Refused, Region
from solutions.answers.names import Names

__all__ = ["Answers", "Cell", "Probe", "Question", "Refused", "Region", "examine", "read"]


def read(path):
    """
    Read an answer notebook and refuse what breaks the form.

    Parameters
    ----------
    path : pathlib.Path
        ``NN-stem.ipynb``.

    Returns
    -------
    Answers

    Raises
    ------
    Refused
        With everything that is wrong.
    """
    return examine(path.name, path.read_text(encoding="utf-8"))


def examine(file, text):
    """
    The same from a file's name and text.

    Examples
    --------
    >>> examine("03-weibull.ipynb", "{}")
    Traceback (most recent call last):
        ...
    solutions.answers.model.Refused: 03-weibull.ipynb: is not a notebook of format 4.5
    """
    complaints = Complaints(file)
    cells = _cells(text, complaints)
    for cell in cells:
        markers(cell, complaints)
        headers(cell, complaints)
    _tags(cells, complaints)
    for cell in cells:
        if cell.kind == "code":
            compiles(cell, complaints)
    complaints.stop()  # names are looked at only where the form holds, or one slip would cause ten complaints
    answers = Names(file, cells, complaints).answers()
    leaks(cells, complaints)
    complaints.stop()
    return answers


def _cells(text, complaints):
    try:
        notebook = json.loads(text)
        if (notebook["nbformat"], notebook["nbformat_minor"]) != (4, 5):
            raise ValueError
        raw = [
            (
                cell["id"],
                cell["cell_type"],
                "".join(cell["source"]).rstrip("\n"),
                list(cell["metadata"].get("tags", [])),
                cell.get("attachments"),
            )
            for cell in notebook["cells"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        complaints.add(None, None, "is not a notebook of format 4.5")
        complaints.stop()
    cells, ids = [], set()
    for id_, kind, source, tags, attachments in raw:
        roles = [tag for tag in tags if tag in KINDS]
        cell = Cell(id_, kind, source, tags, roles[0] if roles else "")
        cells.append(cell)
        if id_ in ids:
            complaints.add(cell, None, "the id stands twice")
        ids.add(id_)
        for tag in tags:
            if tag not in KINDS and tag not in OTHER_TAGS:
                complaints.add(cell, None, f"unknown tag {tag!r}; known are {', '.join([*KINDS, *sorted(OTHER_TAGS)])}")
        if len(roles) > 1 or len(set(tags)) < len(tags):
            complaints.add(cell, None, f"the tags {', '.join(tags)} do not go together")
        if roles and KINDS[roles[0]] != kind:
            complaints.add(cell, None, f"the tag {roles[0]!r} belongs on a {KINDS[roles[0]]} cell, this is {kind}")
        if attachments:
            complaints.add(cell, None, "holds an attachment, which release would lose")
    return cells


def _tags(cells, complaints):
    """Set-up, summary and the probes' set-up stand where they must."""

    def having(role):
        return [cell for cell in cells if cell.role == role]

    code = [cell for cell in cells if cell.kind == "code"]
    if len(having("setup")) != 1 or having("setup")[0] is not code[0]:
        complaints.add(None, None, "the first code cell, and no other, must be tagged 'setup'")
    if len(having("summary")) != 1 or having("summary")[0] is not cells[-1]:
        complaints.add(None, None, "the last cell, and no other, must be tagged 'summary'")
    elif cells[-1].source != "check.summary()":
        complaints.add(cells[-1], 1, "must be 'check.summary()'")
    if len(having("probe-setup")) > 1 or (having("probe") and not having("probe-setup")):
        complaints.add(None, None, "one cell must be tagged 'probe-setup' where there are probes")
    if not having("answer"):
        complaints.add(None, None, "has no cell tagged 'answer'")
