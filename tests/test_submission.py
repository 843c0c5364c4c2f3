"""Whatever students hand in, however packed: whose it is, which exercise, which cells; or unreadable, and why."""

import io
import json
import os
import zipfile

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solutions.grading import intake, questions, submission
from solutions.grading.submission import Unreadable
from tests import grading_course as course

NAME = f"{course.STEM}.ipynb"


@pytest.fixture(scope="module")
def exercises():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "_sentences", lambda number: course.SENTENCES)
        return {"90": course.parse(), "91": other_exercise()}


def other_exercise():
    return questions.Exercise("91", "91-other-course", "", (), (), "", (questions.Question("gradient", 1.0, ""),), "")


def hand_in(root, **files):
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


RIGHT = course.dump(course.right())


def code(cells):
    return [cell.source for cell in cells if cell.kind == "code" and "check" not in cell.source]


# Reading bytes


def old_format(book):
    return nbformat.convert(nbformat.from_dict(book), 3)


def without(book, *keys):
    """As an editor saves it that keeps none of these of a cell."""
    for each in book["cells"]:
        for key in keys:
            each.pop(key, None)
    return book


def lines(book):
    for each in book["cells"]:
        each["source"] = each["source"].splitlines(keepends=True)
    return book


PACKAGINGS = {
    "as released": RIGHT,
    "with a byte order mark": b"\xef\xbb\xbf" + RIGHT,
    "in UTF-16": RIGHT.decode().encode("utf-16"),
    "with Windows line ends": RIGHT.replace(b"\\n", b"\\r\\n"),
    "with lines in lists": course.dump(lines(course.right())),
    "nbformat 3": course.dump(old_format(course.right())),
    "nbformat 4.0 without ids": course.dump(without(course.right(), "id") | {"nbformat_minor": 0}),
    "without metadata": course.dump({"cells": without(course.right(), "id", "metadata", "outputs")["cells"]}),
    "of another kernel": RIGHT.replace(b'"display_name": "Python 3"', b'"display_name": "Sage 10"'),
    "of the future": course.dump(course.right() | {"nbformat": 5}),
}


@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_a_notebook_is_read_in_every_packaging(packaging):
    cells, flags = submission.read(PACKAGINGS[packaging])
    assert code(cells) == list(course.ANSWERS.values())
    assert flags == ()
    assert [cell.source for cell in cells if cell.kind == "markdown"][-1] == "Because."


def test_text_that_is_not_utf8_is_read_and_flagged():
    cells, flags = submission.read(RIGHT.replace(b"Because.", "Weil é".encode("latin-1")))
    assert [cell.source for cell in cells if cell.kind == "markdown"][-1] == "Weil \ufffd"
    assert flags == ("some characters are not UTF-8",)


def test_a_kernel_of_another_language_is_flagged():
    assert submission.read(RIGHT.replace(b'"language": "python"', b'"language": "R"'))[1] == (
        "saved with a kernel for 'R'",
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "no JSON"),
        (RIGHT[:-40], "no JSON"),
        (b"%PDF-1.7", "no JSON"),
        (b"\x00\x01\x02\xff", "no"),
        (b"[]", "not an object"),
        (b"{}", "no list of cells"),
        (b'{"cells": {"a": 1}}', "no list of cells"),
        (b'{"worksheets": 3}', "not a notebook"),
        (b'{"worksheets": [{"cells": [{"cell_type": "code"}]}], "nbformat": 9}', "not a notebook"),
        (b"[" * 200_000, "not a notebook"),
        (b'{"a":' * 200_000, "not a notebook"),
        (b'{"cells": [], "x": ' + b"9" * 5000 + b"}", "not a notebook"),
        (b" " * (submission.MAX_FILE + 1) + b"{}", "MB"),
        (course.dump(course.right(median="#" * (submission.MAX_CODE + 1))), "characters"),
    ],
)
def test_what_cannot_be_read_is_unreadable_and_says_why(data, said):
    with pytest.raises(Unreadable, match=said):
        submission.read(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading", 3]) | json_values,
        "source": st.text(st.characters(), max_size=20) | json_values,
        "input": json_values,
        "metadata": st.fixed_dictionaries({}, optional={"tags": json_values, "id": json_values}) | json_values,
        "id": json_values,
        "language": json_values,
    },
)
books = st.fixed_dictionaries(
    {},
    optional={
        "cells": st.lists(cells | json_values, max_size=4) | json_values,
        "worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(cells, max_size=3)}) | json_values, max_size=2),
        "nbformat": st.sampled_from([1, 2, 3, 4, 5]) | json_values,
        "nbformat_minor": json_values,
        "metadata": json_values,
    },
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(books)
def test_any_json_is_read_or_unreadable(book):
    _read_or_unreadable(json.dumps(book).encode())


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(st.binary(max_size=200) | st.integers(0, len(RIGHT)).map(lambda n: RIGHT[:n] + RIGHT[n + 1 :]))
def test_any_bytes_are_read_or_unreadable(data):
    _read_or_unreadable(data)


def _read_or_unreadable(data):
    """All that comes of it can be written to a file and shown on one line."""
    try:
        found, flags = submission.read(data)
    except Unreadable as problem:
        found, flags = (), (str(problem),)
    assert all(flag.isprintable() for flag in flags)
    for cell in found:
        assert cell.kind in ("code", "markdown")
        (cell.source + cell.id + "".join(cell.tags)).encode()


def pack(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


_inner = io.BytesIO()
pack(_inner, **{"work/90.ipynb": course.dump(course.notebook(course.cell("gradient = 1", "a")))})
_outer = io.BytesIO()
pack(_outer, **{"ann/x.ipynb": b"{}", "bob_5_1234_x.zip": _inner.getvalue(), "c\\d.ipynb": b"{}"})
ZIPPED = _outer.getvalue()


# Whose it is


@pytest.mark.parametrize(
    ("path", "student", "lms_id"),
    [
        (f"ann/{NAME}", "ann", ""),
        (f"ann/week 3/{NAME}", "ann", ""),
        ("ann.ipynb", "ann", ""),
        (f"ann_{NAME}", "ann", ""),
        (f"{course.STEM}-ann.ipynb", "ann", ""),
        (f"{course.STEM} (1) ann.ipynb", "ann", ""),
        ("90_ann smith.ipynb", "ann smith", ""),
        (f"{course.STEM}/ann.ipynb", "ann", ""),
        (f"{course.STEM} (1).ipynb", f"{course.STEM} (1).ipynb", ""),
        (f"doejane_12345_67890_{NAME}", "doejane", "12345"),
        (f"doejane_LATE_12345_67890_{course.STEM}-2.ipynb", "doejane", "12345"),
        (f"van der_berg_12345_67890_{NAME}", "van der_berg", "12345"),
        (f"anon_aB3x9_67890_{NAME}", "anon_aB3x9", "anon_aB3x9"),
        (f"LATE_anon_aB3x9_67890_{NAME}", "anon_aB3x9", "anon_aB3x9"),
        (f"Jané Doe_17_assignsubmission_file/{NAME}", "Jané Doe", "17"),
        (f"Jané Doe_17_assignsubmission_file_/my work/{NAME}", "Jané Doe", "17"),
        (f"Jané Doe_17_assignsubmission_file_{NAME}", "Jané Doe", "17"),
        (f"results of week 3/Jané Doe_17_assignsubmission_file/{NAME}", "Jané Doe", "17"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_the_student_is_told_by_the_shape_of_the_path(tmp_path, exercises, path, student, lms_id, zipped):
    if zipped:
        root = pack(tmp_path / "class.zip", **{f"class/{path}": RIGHT})
    else:
        root = hand_in(tmp_path / "class", **{path: RIGHT})
    (found,) = intake.collect(root, exercises)
    assert (found.upload.student, found.upload.lms_id, found.exercise) == (student, lms_id, "90")
    assert found.status == ""
    assert ("late" in found.flags) == ("LATE" in path)


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Jo Ho_5_assignsubmission_file/my work.zip", "Jo Ho"),
        ("doejane_12_3456_work.zip", "doejane"),
        ("ann.zip", "ann"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_zip_that_a_student_handed_in_is_opened(tmp_path, exercises, path, student, zipped):
    inner = io.BytesIO()
    pack(inner, **{f"work/{NAME}": RIGHT, "work/data.csv": b"1,2"})
    files = {path: inner.getvalue()}
    root = pack(tmp_path / "class.zip", **files) if zipped else hand_in(tmp_path / "class", **files)
    (found,) = intake.collect(root, exercises)
    assert (found.upload.student, found.status, found.exercise) == (student, "", "90")


def test_files_of_no_student_and_of_no_interest_are_passed_over(tmp_path, exercises):
    hand_in(tmp_path, **{
        "roster.csv": b"a,b", f"ann/{NAME}": RIGHT, "ann/data.json": b"{}", "ann/plot.png": b"x", "ann/.DS_Store": b"x",
        f"ann/.ipynb_checkpoints/{course.STEM}-checkpoint.ipynb": b"old", f"__MACOSX/ann/._{NAME}": b"x",
        f"results/feedback/{NAME}": RIGHT,
    })  # fmt: skip
    (found,) = intake.collect(tmp_path, exercises, skip=tmp_path / "results")
    assert (found.upload.student, found.flags) == ("ann", ())


def test_a_student_without_a_notebook_is_unreadable_not_absent(tmp_path, exercises):
    hand_in(tmp_path, **{"Jo Ho_5_assignsubmission_file/report.pdf": b"%PDF"})
    (found,) = intake.collect(tmp_path, exercises)
    assert (found.upload.student, found.status) == ("Jo Ho", "unreadable")
    assert found.problem == "'report.pdf' is not a notebook"


def test_a_link_is_not_followed(tmp_path, exercises):
    secret = hand_in(tmp_path, secret=RIGHT) / "secret"
    root = hand_in(tmp_path / "class", **{"ann/note.txt": b""})
    os.symlink(secret, root / "ann" / NAME)
    os.mkfifo(root / "ann" / "pipe.ipynb")
    for found in intake.collect(root, exercises):
        assert found.status == "unreadable"
        assert found.problem == "a link or a device, not a file"


@pytest.mark.parametrize(
    "name", ["../../etc/ann.ipynb", "/etc/ann.ipynb", "C:\\temp\\ann.ipynb", "a\\..\\..\\ann.ipynb"]
)
def test_a_path_that_leaves_its_zip_is_refused(tmp_path, exercises, name):
    pack(tmp_path / "class.zip", **{name: RIGHT, ".": RIGHT, f"bob/{NAME}": RIGHT})
    statuses = {one.upload.student: one.status for one in intake.collect(tmp_path / "class.zip", exercises)}
    assert statuses.pop("bob") == ""
    assert list(statuses.values()) == ["unreadable"]


def test_a_zip_bomb_is_refused(tmp_path, exercises, monkeypatch):
    monkeypatch.setattr(intake, "MAX_UNPACKED", 2**20)
    pack(tmp_path / "class.zip", **{f"{i}/{NAME}": b" " * 2**19 for i in range(9)})
    found = intake.collect(tmp_path / "class.zip", exercises)
    assert len(found) < 9
    assert any("zip bomb" in one.problem for one in found)


def test_a_zip_of_too_many_files_or_a_broken_one_is_unreadable(tmp_path, exercises, monkeypatch):
    monkeypatch.setattr(intake, "MAX_ENTRIES", 3)
    (tmp_path / "class").mkdir()
    pack(tmp_path / "class" / "many.zip", **{str(i): b"" for i in range(4)})
    good = pack(tmp_path / "good.zip", **{f"ann/{NAME}": RIGHT}).read_bytes()
    hand_in(tmp_path / "class", **{"ann/broken.zip": good[:200] + b"x" * 50 + good[250:], "bob/cut.zip": good[:300]})
    found = {one.upload.student: one.problem for one in intake.collect(tmp_path / "class", exercises)}
    assert found.keys() == {"many", "ann", "bob"}
    assert all("zip" in problem for problem in found.values())


def test_a_bomb_of_zips_in_a_zip_counts_as_one(tmp_path, exercises, monkeypatch):
    monkeypatch.setattr(intake, "MAX_ENTRIES", 20)
    inner = io.BytesIO()
    pack(inner, **{str(i): b"" for i in range(9)})
    pack(tmp_path / "class.zip", **{f"{i}.zip": inner.getvalue() for i in range(5)})
    problems = [one.problem for one in intake.collect(tmp_path / "class.zip", exercises)]
    assert "this zip cannot be read: more than 20 files in one zip" in problems


def test_a_zip_of_a_kind_that_unpacks_without_limit_is_refused(tmp_path, exercises):
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(f"ann/{NAME}", RIGHT)
    (found,) = intake.collect(tmp_path / "class.zip", exercises)
    assert (found.status, found.problem) == ("unreadable", "the zip it is in is packed in an unusual way")


def test_a_name_that_no_encoding_knows_can_be_written(tmp_path, exercises):
    try:
        (tmp_path / os.fsdecode(b"ann\xff\n.ipynb")).write_bytes(RIGHT)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    (found,) = intake.collect(tmp_path, exercises)
    assert found.upload.student == "ann?"
    assert found.upload.path.isprintable()


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.data())
def test_any_bytes_for_a_zip_are_read_or_unreadable(data):
    exercises = {"91": other_exercise()}
    good = bytearray(ZIPPED)
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    for parts, _, content, problem in intake._zip(io.BytesIO(good), (), 2, intake._Unpacked()):
        upload = intake._owner(parts, [course.STEM])
        submission.examine(intake.replace(upload, data=content, problem=problem), exercises)
        (upload.student + upload.path).encode()


def test_what_is_no_folder_and_no_zip_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="give the one that holds the submissions"):
        list(intake.find(tmp_path / "nothing"))


# Which exercise


@pytest.mark.parametrize(
    ("name", "book", "number", "flag"),
    [
        ("homework.ipynb", course.right(), "90", ""),
        ("91-other-course.ipynb", course.right(), "90", "the file's name says exercise 91, its content 90"),
        (NAME, course.right(setup="import numpy as np"), "90", "told by the file's name"),
        ("90.ipynb", course.right(setup="import numpy as np"), "90", "told by the file's name"),
        ("homework.ipynb", course.right(setup="import numpy as np"), "90", "told by the names of its blanks"),
    ],
)
def test_the_exercise_is_told_by_content_then_name_then_blanks(tmp_path, exercises, name, book, number, flag):
    (found,) = intake.collect(hand_in(tmp_path, **{f"ann/{name}": course.dump(book)}), exercises)
    assert (found.exercise, found.status) == (number, "")
    assert flag in "".join(found.flags)


@pytest.mark.parametrize(
    ("book", "said"),
    [
        (course.right(setup='check = exercise("07", release="x")'), "no answers for exercise '07'"),
        (course.notebook(course.cell("print(1)", "a")), "cannot be told"),
    ],
)
def test_an_unknown_exercise_needs_a_person(tmp_path, exercises, book, said):
    (found,) = intake.collect(hand_in(tmp_path, **{"ann/homework.ipynb": course.dump(book)}), exercises)
    assert (found.exercise, found.status) == ("", "needs a person")
    assert said in found.problem


def test_the_release_is_read_from_the_set_up_code(tmp_path, exercises):
    (found,) = intake.collect(hand_in(tmp_path, **{f"ann/{NAME}": RIGHT}), exercises)
    assert found.release == exercises["90"].release != ""


# Two files from one student

OTHER = course.dump(course.right(median="median = sum"))


def test_the_newer_by_the_lms_counts_and_it_says_so(tmp_path, exercises):
    names = [f"doejane_5_{id}_{course.STEM}{again}.ipynb" for id, again in ((600, ""), (700, "-10"), (650, "-9"))]
    hand_in(tmp_path, **dict(zip(names, (RIGHT, OTHER, RIGHT + b" "), strict=True)))
    for i, name in enumerate(names):
        os.utime(tmp_path / name, (i * 100, 1000 - i * 100))
    (found,) = intake.collect(tmp_path, exercises)
    assert found.upload.path == names[1]
    assert found.flags == (f"the newer by the LMS's attempt; not graded: {names[2]}, {names[0]}",)


def test_else_the_newer_by_the_time_of_the_file_counts(tmp_path, exercises):
    hand_in(tmp_path, **{f"ann/{NAME}": RIGHT, f"ann/{course.STEM} (1).ipynb": OTHER})
    os.utime(tmp_path / "ann" / NAME, (0, 2000))
    os.utime(tmp_path / f"ann/{course.STEM} (1).ipynb", (0, 1000))
    (found,) = intake.collect(tmp_path, exercises)
    assert found.upload.name == NAME
    assert found.flags == (f"the newer by the time of the file; not graded: ann/{course.STEM} (1).ipynb",)


def test_a_tie_needs_a_person_unless_the_files_are_the_same(tmp_path, exercises):
    hand_in(tmp_path, **{f"ann/{NAME}": RIGHT, f"ann/{course.STEM} (1).ipynb": OTHER})
    hand_in(tmp_path, **{f"bob/{NAME}": RIGHT, f"bob/{course.STEM} (1).ipynb": RIGHT})
    for path in tmp_path.rglob("*.ipynb"):
        os.utime(path, (0, 1000))
    ann, bob = intake.collect(tmp_path, exercises)
    assert (ann.status, bob.status, bob.flags) == ("needs a person", "", ())
    assert ann.problem.startswith("2 files of the same age, which one counts?")


def test_two_exercises_of_one_student_are_two_submissions(tmp_path, exercises):
    second = course.dump(course.right(setup='check = exercise("91", release="x")'))
    hand_in(tmp_path, **{f"ann/{NAME}": RIGHT, "ann/91-other-course.ipynb": second})
    assert [one.exercise for one in intake.collect(tmp_path, exercises)] == ["90", "91"]
