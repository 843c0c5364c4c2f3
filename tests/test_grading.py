"""A class from end to end, in the sandbox: everyone gets what is deserved; each real exercise can be marked."""

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from solutions.grading import batch, command, marking, questions, reference, sandbox, submission
from tests import class_of_200

ROOT = Path(questions.__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sandbox.available().mode == "none", reason=f"no sandbox: {sandbox.available().reason}")


# A small class


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """One of each kind that does not run into a time limit, graded in one run of the command."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "answers").mkdir()
    (folder / "answers" / f"{class_of_200.STEM}.ipynb").write_bytes(class_of_200.dump(class_of_200.answers()))
    everyone = [*class_of_200.right(), *class_of_200.wrong(), *list(class_of_200.attacks(quick=True))[::6]]
    keys = class_of_200.hand_in(folder / "class", everyone)
    arguments = SimpleNamespace(
        submissions=folder / "class", out=folder / "out", answers=folder / "answers", roster=None, seed=None,
        show_answers=False, dry_run=False, compare=None, jobs=1, dask=None, cell_seconds=2, wall_seconds=60,
        unsafe_no_sandbox=False,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "_sentences", lambda number: class_of_200.SENTENCES)
        assert command.run(arguments) == 0
    return folder / "out", keys


def test_everyone_gets_what_is_deserved(graded):
    assert class_of_200.wrongly_marked(*graded) == []


def test_no_page_of_a_student_holds_an_answer(graded):
    out, _ = graded
    pages = [page.read_text() for page in (out / "feedback").glob("*.html")]
    assert len(pages) > 30
    blank = [page for page in pages if "not attempted.</p>" in page]
    assert blank
    assert not [page for page in blank if "np.median" in page]


# The real exercises

EXERCISES = sorted(path.name for path in (ROOT / "solutions").glob("[0-9][0-9]-*.ipynb"))


@pytest.fixture(scope="module")
def crew():
    with batch.crew(2) as executor:
        yield lambda jobs: batch._run(executor, None, sandbox.Limits(), jobs)


@pytest.fixture(scope="module", params=EXERCISES)
def course(request, crew):
    """An exercise, its reference, and what its questions get when the named cells are handed in."""
    exercise = questions.parse(request.param, (ROOT / "solutions" / request.param).read_text(encoding="utf-8"))
    known = reference.refer(exercise, 1, crew)

    def mark(*books):
        jobs = [reference.job(exercise, known.seed, book) for book in books]
        handed = [
            submission.Submission(
                None, exercise.number, exercise.release, tuple(submission.Cell("code", s) for s in book)
            )
            for book in books
        ]
        marked = [marking.mark(exercise, known, *each)["questions"] for each in zip(handed, crew(jobs), strict=True)]
        return [{q["name"]: q for q in found if q["name"] in known.expected} for found in marked]

    return exercise, known, mark


def test_the_answers_get_full_marks_and_the_released_exercise_none(course):
    exercise, _, mark = course
    released = nbformat.read(ROOT / "exercises" / f"{exercise.stem}.ipynb", as_version=4)
    answers, blank = mark(exercise.cells, [cell.source for cell in released.cells if cell.cell_type == "code"])
    assert [q["name"] for q in answers.values() if q["outcome"] != "right"] == []
    assert [q["name"] for q in blank.values() if (q["mark"], q["outcome"]) != (0, "not attempted")] == []


def test_each_named_mistake_loses_its_points_alone_and_gets_its_sentence(course):
    exercise, known, mark = course
    turns = [
        {name: wrong for i, (name, wrong) in enumerate(turn.items()) if i % 2 == half}
        for turn in reference._turns(exercise) for half in (0, 1)
    ]  # fmt: skip
    said = {question.name: dict(question.sentences) for question in exercise.questions}
    for turn, found in zip(turns, mark(*[reference._with_mistakes(exercise, t) for t in turns]), strict=True):
        for name, question in found.items():
            if name in turn:
                assert (question["mistake"], question["reason"]) == (turn[name][0], said[name][turn[name][0]])
                assert question["mark"] < question["points"]
            else:
                assert question["outcome"] == "right", (turn, question)
