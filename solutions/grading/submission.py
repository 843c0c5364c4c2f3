"""What a student handed in: bytes → cells, and which exercise they are; or unreadable, and why."""

import hashlib
import json
import re
import warnings
from dataclasses import dataclass, replace

MAX_FILE = 32 * 2**20  # a notebook of this course has 0.1 MB; one with many pictures 10
MAX_CODE = 2**20
NOTEBOOK = re.compile(r"\.(ipynb|json)(\.(json|txt))?$", re.IGNORECASE)
CALL = re.compile(
    r"""^[^#\n'"]*\bexercise\(\s*["'](?P<number>[^"'\n]{1,20})["']"""
    r"""(?:\s*,\s*(?:release\s*=\s*)?["'](?P<release>[^"'\n]{0,80})["'])?""",
    re.MULTILINE,
)


class Unreadable(ValueError):
    """A file that is no notebook we can read; the message is for the student."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, less its outputs; ``tags`` and ``id`` are empty where an editor lost them."""

    kind: str
    source: str
    id: str = ""
    tags: tuple = ()


@dataclass(frozen=True)
class Upload:
    """
    One file, and what its name and place say about it.

    ``student`` is what a person calls the student, ``lms_id`` what the learning management system does ("" if it does
    not say); ``attempt`` is the number the LMS appends to a repeated upload, ``modified`` the time of the file.
    """

    student: str
    path: str
    name: str
    lms: str = ""
    lms_id: str = ""
    attachment: str = ""
    late: bool = False
    attempt: int = 0
    modified: float = 0.0
    data: bytes = b""
    problem: str = ""

    @property
    def key(self):
        return self.lms_id or self.student


@dataclass(frozen=True)
class Submission:
    """
    What one student handed in for one exercise, ready to be graded, or ``status`` and ``problem`` say why not.

    ``exercise`` is the exercise's number, or "" where neither content nor name tells it.
    """

    upload: Upload
    exercise: str = ""
    release: str = ""
    cells: tuple = ()
    digest: str = ""
    flags: tuple = ()
    status: str = ""
    problem: str = ""


# Reading one file


def read(data):
    """
    Read a notebook of nbformat 3 or 4 from bytes, whatever editor saved it.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    cells : tuple of Cell
        Code and markdown cells in their order.
    flags : tuple of str
        What a person may want to know: a kernel of another language, bytes that are not UTF-8.

    Raises
    ------
    Unreadable
        Where the bytes are no notebook, or hold more than `MAX_FILE` bytes or `MAX_CODE` characters of code.

    Examples
    --------
    >>> read(b'\\xef\\xbb\\xbf{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = 1\\\\n", "a"]}]}')
    ((Cell(kind='code', source='a = 1\\na', id='', tags=()),), ())
    >>> read(b"%PDF-1.7")
    Traceback (most recent call last):
        ...
    solutions.grading.submission.Unreadable: not a notebook: no JSON (Expecting value: line 1 column 1 (char 0))
    """
    notebook, flags = _parse(data)
    cells = tuple(filter(None, map(_cell, notebook["cells"])))
    if sum(len(cell.source) for cell in cells) > MAX_CODE:
        raise Unreadable(f"the cells hold more than {MAX_CODE} characters of text")
    language = _get(notebook, "metadata", "kernelspec", "language") or _get(
        notebook, "metadata", "language_info", "name"
    )
    if isinstance(language, str) and language.lower() not in {"python", "python3", "ipython"}:
        flags.append(f"saved with a kernel for {language[:20]!r}")
    return cells, tuple(flags)


def _parse(data):
    """Bytes → notebook of nbformat 4, and flags; any complaint of json or nbformat is `Unreadable`."""
    if not data.strip():
        raise Unreadable("the file is empty")
    if len(data) > MAX_FILE:
        raise Unreadable(f"the file has more than {MAX_FILE // 2**20} MB: clear its outputs and hand it in again")
    flags = []
    encoding = json.detect_encoding(data)
    text = data.decode(encoding, errors="replace")
    if "\ufffd" in text and "\ufffd".encode(encoding.removesuffix("-sig")) not in data:
        flags.append("some characters are not UTF-8")
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict):
            raise Unreadable("not a notebook: its JSON is not an object")
        notebook = _upgrade(raw) if "worksheets" in raw else raw
        if not isinstance(notebook.get("cells"), list):
            raise Unreadable("not a notebook: it has no list of cells")
    except Unreadable:
        raise
    except json.JSONDecodeError as error:
        raise Unreadable(f"not a notebook: no JSON ({error})") from None
    except Exception as error:  # hostile input reaches code that was not written for it
        raise Unreadable(f"not a notebook: {type(error).__name__}: {str(error)[:200]}") from None
    return notebook, flags


def _upgrade(raw):
    """nbformat 3 → 4. A notebook of nbformat 4 is read as it is: nbformat refuses one that lost its metadata."""
    import nbformat

    raw = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}} | raw
    with warnings.catch_warnings(action="ignore"):
        return nbformat.convert(nbformat.versions[raw["nbformat"]].to_notebook_json(raw), 4)


def _cell(cell):
    source = _get(cell, "source")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if _get(cell, "cell_type") not in ("code", "markdown") or not isinstance(source, str):
        return None
    tags = _get(cell, "metadata", "tags")
    name = _get(cell, "id") or _get(cell, "metadata", "id")  # Colab keeps the id among the metadata
    return Cell(
        kind=cell["cell_type"],
        source=printable(source),
        id=name[:64] if isinstance(name, str) else "",
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _get(node, *keys):
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def printable(text):
    """
    Text that can be written to a file and shown: lone surrogates and control characters replaced, line ends unified.

    Examples
    --------
    >>> printable("a\\r\\nb\\x00\\ud800")
    'a\\nb??'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "?", text)


# Which exercise it is


def examine(upload, exercises):
    """
    Read one upload and tell its exercise.

    Parameters
    ----------
    upload : Upload
    exercises : dict of str to Exercise

    Returns
    -------
    Submission
        Without the upload's bytes; with ``status`` "unreadable" or "needs a person" where it cannot be graded.
    """
    digest = hashlib.sha256(upload.data).hexdigest()
    bare = replace(upload, data=b"")
    flags = ("late",) if upload.late else ()
    by_name = _by_name(upload.name, exercises) or (next(iter(exercises)) if len(exercises) == 1 else "")
    try:
        if upload.problem:
            raise Unreadable(upload.problem)
        if not NOTEBOOK.search(upload.name):
            raise Unreadable(f"{upload.name!r} is not a notebook")
        cells, more = read(upload.data)
    except Unreadable as problem:
        return Submission(bare, by_name, digest=digest, flags=flags, status="unreadable", problem=str(problem))
    number, release, how = recognise(cells, _by_name(upload.name, exercises), exercises)
    submission = Submission(bare, number, release, cells, digest, (*flags, *more, *how))
    if number not in exercises:
        problem = f"no answers for exercise {number!r}" if number else "which exercise this is cannot be told"
        submission = replace(submission, exercise="", status="needs a person", problem=problem)
    return submission


def recognise(cells, by_name, exercises):
    """
    Tell the exercise: by its call of ``exercise("03", release="…")``, else by file name, else by the names it binds.

    Parameters
    ----------
    cells : sequence of Cell
    by_name : str
        The number that the file name says, or "".
    exercises : dict of str to Exercise

    Returns
    -------
    number, release : str
        "" where not known.
    flags : list of str
    """
    code = [cell.source for cell in cells if cell.kind == "code"]
    calls = [match for source in code for match in CALL.finditer(source)]
    if calls:
        number, release = calls[0]["number"], calls[0]["release"] or ""
        other = by_name not in ("", number)
        return number, release, [f"the file's name says exercise {by_name}, its content {number}"] if other else []
    if by_name:
        return by_name, "", ["the set-up cell is gone: exercise told by the file's name"]
    overlap = {
        number: sum(where_bound(code, question.name) is not None for question in exercise.questions)
        for number, exercise in exercises.items()
    }
    best = sorted(overlap, key=overlap.get, reverse=True)
    if best and overlap[best[0]] > 0 and (len(best) == 1 or overlap[best[0]] > overlap[best[1]]):
        return best[0], "", ["the set-up cell is gone: exercise told by the names of its blanks"]
    return "", "", []


def _by_name(name, exercises):
    """The number of the exercise whose stem, or else whose number alone, stands in a file's name; "" if none or two."""
    words = [word.lower() for word in re.findall(r"[^\W_]+", NOTEBOOK.sub("", name))]
    text = " ".join(words)
    full = [number for number, one in exercises.items() if " ".join(re.split(r"[-_ ]+", one.stem.lower())) in text]
    short = [number for number in exercises if number in words]
    return next((found[0] for found in (full, short) if len(found) == 1), "")


def where_bound(code, name):
    """
    The last cell that seems to bind a name. Student code is never parsed here: a hostile one could crash us.

    Examples
    --------
    >>> where_bound(["fit = ...", "def fit(t):\\n    return t", "fit(1)"], "fit")
    1
    """
    name = re.escape(name)
    pattern = re.compile(rf"^(?:{name}[ \t]*(?:=(?!=)|:)|def[ \t]+{name}\b)", re.MULTILINE)
    return max((i for i, source in enumerate(code) if pattern.search(source)), default=None)
