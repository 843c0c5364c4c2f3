"""What students handed in: files in any usual shape → whose they are, which exercise, which cells; or unreadable, and why."""

import hashlib
import io
import json
import os
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import nbformat

MAX_FILE = 32 * 2**20  # a notebook of this course has 0.1 MB; one with many pictures 10
MAX_CODE = 2**20
MAX_ENTRIES = 20_000
MAX_UNPACKED = 4 * 2**30  # all entries of one archive together: what is bigger is a zip bomb
NOTEBOOK = re.compile(r"\.(ipynb|json)(\.(json|txt))?$", re.IGNORECASE)
JUNK = re.compile(r"^(\.|__MACOSX$|__pycache__$|~\$|Thumbs\.db$)", re.IGNORECASE)
# canvas-lms lib/content_zipper.rb: name, LATE, user id, attachment id, file; anonymous: LATE, anon_…, attachment id, file
CANVAS = re.compile(
    r"^(?:(?P<name>.+?)_)??(?P<late>LATE_)?(?P<id>(?<=_)\d+|anon_[^_]+)_(?P<attachment>\d{3,})_(?P<file>.+)$", re.DOTALL
)
# moodle mod/assign/feedback/file/importziplib.php: full name, participant, plug-in (since 4.1 without the last _)
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)$", re.DOTALL)
COPIES = re.compile(r"\s*\(\d+\)|[-_ ]+copy\d*\b|\bcopy of\b|[-_ ]checkpoint\b", re.IGNORECASE)
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
        raw.setdefault("nbformat", 3 if "worksheets" in raw else 4)
        notebook = nbformat.versions[raw["nbformat"]].to_notebook_json(raw, minor=raw.get("nbformat_minor", 0))
        if notebook["nbformat"] < 4:
            notebook = nbformat.convert(notebook, 4)
        if not isinstance(notebook.get("cells"), list):
            raise Unreadable("not a notebook: it has no list of cells")
    except Unreadable:
        raise
    except json.JSONDecodeError as error:
        raise Unreadable(f"not a notebook: no JSON ({error})") from None
    except Exception as error:  # hostile input reaches code that was not written for it
        raise Unreadable(f"not a notebook: {type(error).__name__}: {str(error)[:200]}") from None
    return notebook, flags


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


# Finding files


def find(root, stems=()):
    """
    Find what students handed in below a folder or in a zip, and whose it is.

    The shapes are those of Canvas and Moodle downloads, one folder a student, and files named by student, zipped or
    not. Links are not followed, and nothing is unpacked to disk.

    Parameters
    ----------
    root : pathlib.Path
        A folder or a zip.
    stems : iterable of str
        Stems of the exercises' file names, which are no part of a student's name.

    Yields
    ------
    Upload
        In the order of the names. A file that cannot be read carries the ``problem``.

    Raises
    ------
    FileNotFoundError
        Where there is no such folder or zip.
    """
    if root.is_dir():
        entries = _folder(root)
    elif zipfile.is_zipfile(root):
        entries = _zip(root, (), depth=2)
    else:
        raise FileNotFoundError(f"no folder and no zip of submissions at {root}: give the folder the LMS's download is in")
    for parts, modified, data, problem in entries:
        upload = _owner(tuple(parts), list(stems), root.stem)
        yield replace(upload, modified=modified, data=data, problem=problem)


def _folder(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not JUNK.match(name))
        for name in sorted(name for name in files if not JUNK.match(name)):
            path = Path(folder, name)
            parts = path.relative_to(root).parts
            if path.is_symlink() or not path.is_file():
                yield parts, 0.0, b"", "a link or a device, not a file"
            elif name.lower().endswith(".zip"):
                yield from _zip(path, parts[:-1], depth=2)
            else:
                with path.open("rb") as file:
                    data = file.read(MAX_FILE + 1) if NOTEBOOK.search(name) else b""
                yield parts, path.stat().st_mtime, data, ""


def _zip(file, above, depth):
    """Entries of a zip (a path, or bytes within another zip), read with limits and never unpacked to disk."""
    where = (*above, file.name if isinstance(file, Path) else "archive.zip")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise Unreadable(f"more than {MAX_ENTRIES} files in one zip")
            unpacked = 0
            for entry in sorted(entries, key=lambda entry: entry.filename):
                for found in _entry(archive, entry, above, depth):
                    unpacked += len(found[2])
                    yield found
                if unpacked > MAX_UNPACKED:
                    raise Unreadable(f"more than {MAX_UNPACKED // 2**30} GB in one zip: a zip bomb?")
    except (Unreadable, zipfile.BadZipFile, OSError, ValueError) as error:
        yield where, 0.0, b"", f"this zip cannot be read: {error}"


def _entry(archive, entry, above, depth):
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if any(JUNK.match(part) for part in parts if part not in ("..", "/")):
        return
    if name.startswith("/") or ".." in parts or ":" in parts[0]:
        yield (*above, *[part for part in parts if part not in ("..", "/")]), 0.0, b"", "its path leaves the zip"
        return
    try:
        modified = datetime(*entry.date_time).timestamp()
    except (ValueError, OverflowError):
        modified = 0.0
    data, problem = b"", ""
    nested = name.lower().endswith(".zip")
    if nested or NOTEBOOK.search(name):
        try:
            with archive.open(entry) as file:
                data = file.read(MAX_FILE + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            problem = f"the zip it is in is damaged or encrypted ({error})"
    if nested and depth > 1 and len(data) <= MAX_FILE and not problem:
        yield from _zip(io.BytesIO(data), (*above, *parts[:-1]), depth - 1)
    else:
        yield (*above, *parts), modified, data, problem


# Whose file it is


def _owner(parts, stems, archive):
    """The student, by the first part of the path that a learning management system named, else by folder or file name."""
    path = "/".join(parts)
    for i, part in enumerate(parts):
        match = MOODLE.match(part)
        if match:
            name = "/".join(filter(None, [match["file"], *parts[i + 1 :]])) or part
            return Upload(_clean(match["name"]), path, PurePosixPath(name).name, "moodle", match["id"])
        match = CANVAS.match(part)
        if match:
            name = parts[-1] if parts[i + 1 :] else match["file"]
            attempt = re.search(r"-(\d{1,4})\.[^.]+$", match["file"])
            return Upload(
                _clean(match["name"] or match["id"]), path, name, "canvas", match["id"], match["attachment"],
                late=bool(match["late"]), attempt=int(attempt[1]) if attempt else 0,
            )  # fmt: skip
    folders = [part for part in parts[:-1] if _student(part, stems)]
    if len(folders) > 1 and folders[0].lower() == archive.lower():
        folders = folders[1:]  # a zip of the folder "submissions" holds everything under that name
    student = folders[0] if folders else _student(NOTEBOOK.sub("", parts[-1]), stems)
    return Upload(_clean(student) or _clean(parts[-1]), path, parts[-1])


def _student(name, stems):
    """What remains of a file's or a folder's name when the exercise's name and the marks of a copy are taken away."""
    for stem in stems:
        words = [re.escape(word) for word in re.split(r"[-_ ]+", stem)]
        name = re.sub(r"[-_ ]*".join(words) + r"(-\d+)?(?![a-z0-9])", " ", name, flags=re.IGNORECASE)
        name = re.sub(rf"(^|[-_ ]){words[0]}(?=$|[-_ ])", " ", name)
    return COPIES.sub(" ", name).strip(" -_.")


def _clean(name):
    """A name on one line, at most 100 characters, composed the same way on every system."""
    return " ".join(unicodedata.normalize("NFC", printable(name)).split())[:100]


# Which exercise it is, and which of a student's files counts


def collect(root, exercises):
    """
    Collect the submissions below a folder: for each student and exercise, the file that counts.

    Parameters
    ----------
    root : pathlib.Path
        A folder or a zip, see `find`.
    exercises : dict of str to Exercise
        By number, see `solutions.grading.questions.load`.

    Returns
    -------
    list of Submission
        Sorted by exercise and student.
    """
    found, chosen = {}, []
    for upload in find(root, [exercise.stem for exercise in exercises.values()]):
        found.setdefault(upload.key, []).append(examine(upload, exercises))
    for files in found.values():
        by_exercise = {}
        for file in _notebooks(files):
            by_exercise.setdefault(file.exercise, []).append(file)
        chosen += map(choose, by_exercise.values())
    return sorted(chosen, key=lambda one: (one.exercise, one.upload.student, one.upload.lms_id))


def _notebooks(files):
    """
    The notebooks among a student's files, readable or not; without any, one other file stands for the student,
    provided that a folder or an LMS says whose it is.
    """
    notebooks = [file for file in files if file.cells or ".ipynb" in file.upload.name.lower()]
    return notebooks or [file for file in files if file.upload.lms or "/" in file.upload.path][:1]


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
            raise Unreadable("not a notebook")
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
        flags = [f"the file's name says exercise {by_name}, its content {number}"] if by_name not in ("", number) else []
        return number, release, flags
    if by_name:
        return by_name, "", ["the set-up cell is gone: exercise told by the file's name"]
    text = "\n".join(code)
    overlap = {
        number: sum(bool(re.search(rf"^\s*(def\s+)?{re.escape(q.name)}\s*[=(:]", text, re.M)) for q in exercise.questions)
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


def choose(files):
    """
    The file that counts, of those one student handed in for one exercise.

    Later counts: by the number the LMS gives a repeated upload, else by the time of the file; a tie needs a person.

    Parameters
    ----------
    files : list of Submission

    Returns
    -------
    Submission
        With a flag which names the others.
    """
    different = list({file.digest: file for file in files}.values())
    if len(different) == 1:
        return files[-1]
    for what, order in (("attempt", lambda file: file.upload.attempt), ("time", lambda file: file.upload.modified)):
        ranked = sorted(different, key=order, reverse=True)
        if order(ranked[0]) > order(ranked[1]):
            others = ", ".join(file.upload.path for file in ranked[1:])
            how = "the LMS's attempt" if what == "attempt" else "the time of the file"
            return replace(ranked[0], flags=(*ranked[0].flags, f"the newer by {how}; not graded: {others}"))
    names = ", ".join(file.upload.path for file in different)
    return replace(
        different[0], status="needs a person", problem=f"{len(different)} files of the same age, which one counts? {names}"
    )
