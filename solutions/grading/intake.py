"""Where submissions lie: folders, zips and names of any usual shape → whose each file is, and which of them counts."""

import io
import os
import re
import unicodedata
import zipfile
import zlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from solutions.grading.submission import MAX_FILE, NOTEBOOK, Unreadable, Upload, examine, printable

MAX_ENTRIES = 20_000
MAX_UNPACKED = 4 * 2**30  # all entries of one archive together: what is bigger is a zip bomb
JUNK = re.compile(r"^(\.|__MACOSX$|__pycache__$|~\$|Thumbs\.db$)", re.IGNORECASE)
# canvas-lms lib/content_zipper.rb: name, LATE, user, attachment, file; anonymous: LATE, anon_…, attachment, file
CANVAS = re.compile(
    r"^(?:(?P<name>.+?)_)??(?P<late>LATE_)?(?P<id>(?<=_)\d+|anon_[^_]+)_(?P<attachment>\d{3,})_(?P<file>.+)$", re.DOTALL
)
# moodle mod/assign/feedback/file/importziplib.php: full name, participant, plug-in (since 4.1 without the last _)
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)$", re.DOTALL)
COPIES = re.compile(r"\s*\(\d+\)|[-_ ]+copy\d*\b|\bcopy of\b|[-_ ]checkpoint\b", re.IGNORECASE)


# Finding files


def find(root, stems=(), skip=None):
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
    skip : pathlib.Path, optional
        A folder to leave out: the results of grading.

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
        entries = _folder(root, skip and skip.resolve())
    elif zipfile.is_zipfile(root):
        entries = _zip(root, (), depth=2)
    else:
        raise FileNotFoundError(f"{root} is no folder and no zip: give the one that holds the submissions")
    for parts, modified, data, problem in entries:
        if root.is_file() and len(parts) > 1 and parts[0].lower() == root.stem.lower():
            parts = parts[1:]  # a zip of the folder "class" holds everything under that name
        upload = _owner(tuple(parts), list(stems))
        yield replace(upload, modified=modified, data=data, problem=problem)


def _folder(root, skip):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not JUNK.match(name) and Path(folder, name).resolve() != skip)
        for name in sorted(name for name in files if not JUNK.match(name)):
            path = Path(folder, name)
            parts = path.relative_to(root).parts
            if path.is_symlink() or not path.is_file():
                yield parts, 0.0, b"", "a link or a device, not a file"
            elif name.lower().endswith(".zip"):
                yield from _zip(path, _inside(parts), depth=2)
            else:
                with path.open("rb") as file:
                    data = file.read(MAX_FILE + 1) if NOTEBOOK.search(name) else b""
                yield parts, path.stat().st_mtime, data, ""


def _inside(parts):
    """A zip stands for a folder of its name."""
    return (*parts[:-1], parts[-1][: -len(".zip")])


def _zip(file, above, depth):
    """Entries of a zip (a path, or bytes within another zip), read with limits and never unpacked to disk."""
    where = (*above, file.name if isinstance(file, Path) and not above else "its zip")
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
        yield from _zip(io.BytesIO(data), _inside((*above, *parts)), depth - 1)
    else:
        yield (*above, *parts), modified, data, problem


# Whose file it is


def _owner(parts, stems):
    """The student, by the first part of the path that an LMS named, else by folder or file name."""
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


# Which of a student's files counts


def collect(root, exercises, skip=None):
    """
    Collect the submissions below a folder: for each student and exercise, the file that counts.

    Parameters
    ----------
    root : pathlib.Path
        A folder or a zip, see `find`.
    exercises : dict of str to Exercise
        By number, see `solutions.grading.questions.load`.
    skip : pathlib.Path, optional
        A folder to leave out.

    Returns
    -------
    list of Submission
        Sorted by exercise and student.
    """
    found, chosen = {}, []
    for upload in find(root, [exercise.stem for exercise in exercises.values()], skip):
        found.setdefault(upload.key, []).append(examine(upload, exercises))
    for files in found.values():
        by_exercise = {}
        for file in _notebooks(files):
            by_exercise.setdefault(file.exercise, []).append(file)
        chosen += map(choose, by_exercise.values())
    return sorted(chosen, key=lambda one: (one.exercise, one.upload.student, one.upload.lms_id))


def _notebooks(files):
    """
    The notebooks among a student's files, readable or not, and what could not be opened; without any, one other file
    stands for the student, provided that a folder or an LMS says whose it is.
    """
    wanted = [file for file in files if file.cells or file.upload.problem or ".ipynb" in file.upload.name.lower()]
    return wanted or [file for file in files if file.upload.lms or "/" in file.upload.path][:1]


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
    problem = f"{len(different)} files of the same age, which one counts? {names}"
    return replace(different[0], status="needs a person", problem=problem)
