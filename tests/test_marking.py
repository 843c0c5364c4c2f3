"""Numbers against the answer's numbers: who is right, what a wrong answer is told, and which seeds tell them apart."""

import nbformat
import pytest

from solutions import release
from solutions.grading import marking, questions, reference, submission
from solutions.grading.channel import BLANK, ENDED, NOT_RUN, OUT_OF_TIME, Probed, Problem, Ran, Result, Taken
from tests import grading_course as course


@pytest.fixture(autouse=True)
def _sentences(monkeypatch):
    monkeypatch.setattr(questions, "_sentences", lambda number: course.SENTENCES)


@pytest.fixture
def exercise():
    return course.parse()


@pytest.fixture
def known(exercise):
    return reference.refer(exercise, 7, course.InProcess().run_all)


def mark(exercise, known, book, run=None, release=None):
    upload = submission.Upload("jo", "jo.ipynb", "jo.ipynb")
    handed = submission.Submission(upload, "90", release or exercise.release, submission.read(book)[0])
    code = [cell.source for cell in handed.cells if cell.kind == "code"]
    run = run or course.InProcess().run
    return marking.mark(exercise, known, handed, run(reference.job(exercise, known.seed, code)))


def marked(*arguments, **keywords):
    return {question["name"]: question for question in mark(*arguments, **keywords)["questions"]}


# Comparing numbers


def right_is(value, **tolerances):
    return marking.expect(marking.arrays(value), tolerances.get("rtol", 0.0), tolerances.get("atol", 0.0))


@pytest.mark.parametrize(
    ("returned", "right"),
    [(1.0, True), (1.0 + 9e-7, True), (1.0 + 2e-6, False), ([1.0], True), ([[1.0]], True), ([1.0, 1.0], False)],
)
def test_a_number_is_right_within_its_tolerance_in_an_array_of_one_too(returned, right):
    assert marking.compare(marking.arrays(returned), right_is(1.0, rtol=1e-6)).right is right


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ([[1.0, 3.0], [2.0, 4.0], [5.0, 6.0]], "returned an array of shape (3, 2), expected an array of shape (2, 3)"),
        ([[1.0, 2.0, 3.0], [4.0, 5.0, float("nan")]], "1 of 6 numbers are nan or infinite"),
        ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], "1 of 6 numbers differ; at [1, 2]: returned 6.5, expected 6 ± 0.006"),
        ({"a": 1.0}, "returned 'a', expected a bare number or array"),
    ],
)
def test_what_is_wrong_is_said_in_words(returned, reason):
    expected = right_is([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], rtol=1e-3)
    comparison = marking.compare(marking.arrays(returned), expected)
    assert not comparison.right
    assert comparison.reason.startswith(reason)


def test_a_matrix_the_other_way_round_is_recognised():
    expected = right_is([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], rtol=1e-3)
    assert marking.compare(marking.arrays([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]), expected).reason.endswith(
        "transposed?"
    )


def test_a_zero_that_another_formula_leaves_at_rounding_is_right():
    expected = right_is([[4.0, 0.0], [0.0, 2.0]], rtol=1e-6)
    assert marking.compare(marking.arrays([[4.0, 3e-16], [-1e-17, 2.0]]), expected).right
    assert not marking.compare(marking.arrays([[4.0, 1e-6], [0.0, 2.0]]), expected).right


@pytest.mark.parametrize("returned", [float("nan"), float("inf"), 1e308, -1e308])
def test_hostile_numbers_are_wrong_and_nothing_else(returned):
    assert not marking.compare(marking.arrays(returned), right_is(-1e308, rtol=1e-12)).right or returned == -1e308


@pytest.mark.parametrize("returned", [None, [[1.0], [1.0, 2.0]], {"a": [[1.0], 2.0]}, "text", {"a": "text"}])
def test_what_is_no_array_is_refused_in_one_way(returned):
    with pytest.raises(ValueError, match="returned"):
        marking.arrays(returned)


# Marks


def test_the_answer_notebook_has_full_marks_and_the_released_exercise_none(exercise, known):
    full = marked(exercise, known, course.dump(course.right()))
    assert {name: question["mark"] for name, question in full.items()} == {
        "gradient": 2, "fit": 3, "median": 1, "why": None,
    }  # fmt: skip
    assert [question["reason"] for question in full.values()] == ["", "", "", "a written answer, marked by a person"]
    empty = marked(exercise, known, course.dump(course.exercise()))
    assert {question["outcome"] for question in empty.values()} == {"not attempted"}
    assert all(question["mark"] == 0 for question in empty.values())


@pytest.mark.parametrize(("name", "mistake"), [(n, m) for n, found in course.MISTAKES.items() for m in found])
def test_a_named_mistake_loses_its_own_points_and_gets_its_sentence(exercise, known, name, mistake):
    found = marked(exercise, known, course.dump(course.right(**{name: course.MISTAKES[name][mistake]})))
    assert [other for other, question in found.items() if question["outcome"] == "not right"] == [name]
    assert found[name]["mistake"] == mistake
    assert found[name]["reason"] == course.SENTENCES[mistake]


def test_a_mistake_made_by_another_route_is_recognised_by_its_numbers(exercise, known):
    source = "def gradient(rate, t):\n    return -sum(list(t)) + t.size * rate ** -1"
    assert marked(exercise, known, course.dump(course.right(gradient=source)))["gradient"]["mistake"] == "wrong-sign"


def test_dots_in_a_right_answer_are_no_open_blank(exercise, known):
    found = marked(exercise, known, course.dump(course.right(median="median = lambda x: np.median(x[...])")))
    assert (found["median"]["outcome"], found["median"]["reason"]) == ("right", "")


def test_probes_give_partial_credit(exercise, known):
    source = "def gradient(rate, t):\n    return (t.sum() - len(t) / rate) * (1 if rate < 1 else 2)"
    question = marked(exercise, known, course.dump(course.right(gradient=source)))["gradient"]
    assert (question["mark"], question["outcome"], question["mistake"]) == (1, "partly right", "")
    assert question["reason"].startswith("2 of 2 numbers differ; at [0]: returned")


def test_numbers_copied_from_the_students_own_data_are_worth_nothing(exercise, known):
    source = "def fit(t):\n    return {'mean': 5.123, 'sd': 3.021}"
    assert marked(exercise, known, course.dump(course.right(fit=source)))["fit"]["mark"] == 0


def test_a_blank_that_raises_before_it_returns_is_not_attempted_unless_it_was_touched(exercise, known):
    blank = "def fit(t):\n    mean = ...  # what goes here?\n    return {'mean': mean + 0, 'sd': t.std()}"
    taken = Taken("taken", 3, [Probed(problem=Problem("TypeError", "unsupported operand: 'ellipsis'"))])
    unchanged = marking._question(exercise.questions[1], known, taken, Result(), ["", "", "", blank], blank + "\n")
    assert (unchanged["outcome"], unchanged["mark"]) == ("not attempted", 0)
    touched = marking._question(
        exercise.questions[1], known, taken, Result(), ["", "", "", blank], course.BLANKS["fit"]
    )
    assert touched["outcome"] == "not right"
    assert touched["reason"].startswith("a blank (`...`) is still open; with our data it raised TypeError")


def test_the_students_code_stands_in_the_feedback_and_no_answer_does(exercise, known):
    found = marked(exercise, known, course.dump(course.right(median="median = sum")))
    assert found["median"]["code"] == "median = sum"
    assert course.ANSWERS["median"] not in str(found["median"])


def fixed(exercise, **taken):
    """A run in which the named questions went as given, and the others were never reached."""
    nothing = Probed(problem=Problem(NOT_RUN, "not reached"))
    questions = {q.name: Taken("missing", None, [nothing] * len(q.probes)) for q in exercise.questions if q.probes}
    cells = [Ran("ran")] * 8
    return lambda job: Result(questions=questions | taken, cells=cells)


@pytest.mark.parametrize(
    ("kind", "said", "outcome"),
    [
        (OUT_OF_TIME, "did not finish", "not right"),
        (ENDED, "ended the process", "not right"),
        ("ZeroDivisionError", "raised ZeroDivisionError", "not right"),
        (BLANK, "not attempted", "not attempted"),
    ],
)
def test_an_answer_without_numbers_has_its_reason(exercise, known, kind, said, outcome):
    taken = Taken("taken", 5, [Probed(problem=Problem(kind, "x"))])
    question = marked(exercise, known, course.dump(course.right()), fixed(exercise, median=taken))["median"]
    assert question["outcome"] == outcome
    assert said in question["reason"]
    assert question["mark"] == 0


def test_a_run_that_was_cut_short_needs_a_person_and_is_never_a_zero(exercise, known):
    def run(job):
        result = fixed(exercise)(job)
        result.status, result.reason, result.cells = "cut short", "300 s are over", [Ran("not reached")] * 8
        return result

    found = marked(exercise, known, course.dump(course.right()), run)
    assert {question["mark"] for question in found.values()} == {None}
    assert {question["outcome"] for question in found.values()} == {"needs a person"}


def test_a_probe_that_was_not_reached_needs_a_person(exercise, known):
    def run(job):
        right = Probed(known.expected["gradient"][0].numbers[""].item())
        taken = Taken("taken", 2, [right, Probed(problem=Problem(NOT_RUN, "not reached"))])
        result = fixed(exercise, gradient=taken)(job)
        result.status, result.reason = "cut short", "300 s are over"
        return result

    found = mark(exercise, known, course.dump(course.right()), run)
    assert found["found"] == ["cut short: 300 s are over"]
    question = found["questions"][0]
    assert (question["mark"], question["reason"]) == (None, "cut short: 300 s are over")


def test_a_value_where_a_function_is_asked_for_is_told_so(exercise, known):
    question = marked(exercise, known, course.dump(course.right(gradient="gradient = 3.0")))["gradient"]
    assert (question["mistake"], question["mark"]) == ("", 0)
    assert question["reason"].startswith("`gradient` must be a function of its data")


def test_of_another_release_the_questions_of_the_same_name_are_graded_and_the_rest_need_a_person(exercise, known):
    found = mark(exercise, known, course.dump(course.right(median="middle = np.median")), release="old")
    assert found["found"] == [f"release 'old', the present one is {exercise.release!r}"]
    marks = {question["name"]: question["mark"] for question in found["questions"]}
    assert marks == {"gradient": 2, "fit": 3, "median": None, "why": None}
    assert found["questions"][2]["reason"] == "not in the release 'old'"


def test_a_module_that_the_grader_lacks_is_flagged_and_noted(exercise, known):
    found = mark(exercise, known, course.dump(course.right(median="import seabornx\nmedian = np.median")))
    assert found["found"] == ["imports what the grader lacks: No module named 'seabornx'"]
    assert found["notes"] == ["code cell 6: raised: ModuleNotFoundError: No module named 'seabornx'"]


@pytest.mark.parametrize(
    ("returned", "same"),
    [([2.0, 2.0], True), (2.0, False), ([2.0, 2.1], False), ([2.0], False), (None, False), ({"a": [2.0, 2.0]}, False)],
)
def test_numbers_are_a_mistake_s_only_in_the_same_shape(returned, same):
    expected = right_is(1.0, rtol=1e-6)
    assert marking._same(Probed(returned), Probed([2.0, 2.0]), expected) is same


def test_the_same_error_is_the_same_mistake_and_nan_is_nan():
    expected, error = right_is(1.0, rtol=1e-6), Problem("TypeError", "no")
    assert marking._same(Probed(problem=error), Probed(problem=error), expected)
    assert not marking._same(Probed(problem=error), Probed(problem=Problem("TypeError", "yes")), expected)
    assert not marking._same(Probed(1.0), Probed(problem=error), expected)
    assert marking._same(Probed(float("nan")), Probed(float("nan")), expected)


def test_an_answer_whose_cell_failed_before_it_was_bound_is_told_so(exercise, known):
    found = marked(exercise, known, course.dump(course.right(median="median = np.medina")))
    assert found["median"]["reason"].startswith("its cell raised: AttributeError")
    assert found["median"]["outcome"] == "not right"


@pytest.mark.parametrize(("source", "shown"), [("# gone", ""), ("median = np.median\ndel median",) * 2])
def test_a_deleted_answer_is_not_attempted(exercise, known, source, shown):
    found = marked(exercise, known, course.dump(course.right(median=source)))
    assert (found["median"]["outcome"], found["median"]["code"]) == ("not attempted", shown)


# Reference


def test_probes_draw_from_generators_of_their_own(exercise):
    job = reference.job(exercise, 7, [])
    seeds = [tuple(probe["seed"]) for probes in job["questions"].values() for probe in probes]
    assert len(set(seeds)) == len(seeds) == 4
    assert seeds != [tuple(p["seed"]) for ps in reference.job(exercise, 8, [])["questions"].values() for p in ps]


def test_a_students_job_holds_no_answer_no_tolerance_and_no_number(exercise):
    job = str(reference.job(exercise, 7, ["x = 1"]))
    assert "tolerance" not in job
    assert not [source for source in course.ANSWERS.values() if source in job]


def test_a_seed_that_does_not_tell_a_mistake_apart_is_passed_over_and_said(exercise):
    def run(jobs):
        return [run_one(job) for job in jobs]

    def run_one(job):
        if job["questions"]["gradient"][0]["seed"][0] == 7:
            job["cells"] = [
                c | {"source": c["source"].replace("len(t) / rate - t.sum()", "t.sum() - len(t) / rate")}
                for c in job["cells"]
            ]
        return course.InProcess().run(job)

    known = reference.refer(exercise, 7, run)
    assert known.seed == 8
    assert known.notes == (
        "exercise 90: seed 7 passed over: the mistake gradient/wrong-sign is 0 tolerances from right",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"median": course.answer_cell("median", "median = np.medina")}, "median is missing: AttributeError"),
        (
            {"fit": course.answer_cell("fit", "def fit(t):\n    return t.no()")},
            "the answer fit fails: AttributeError",
        ),
        (
            {"gradient": course.answer_cell("gradient", "def gradient(rate, t):\n    return t.sum() * np.inf")},
            "the answer gradient fails: the answer's number is not finite",
        ),
        (
            {"mistake_gradient_wrong_sign": course.cell(
                f"# MISTAKE gradient wrong-sign\n{course.ANSWERS['gradient']}", "m", "mistake"
            )},
            "the mistake gradient/wrong-sign is 0 tolerances from right",
        ),
        (
            {"mistake_gradient_wrong_sign": course.cell(
                "# MISTAKE gradient wrong-sign\ndef gradient(rate, t):\n"
                "    return (t.sum() - len(t) / rate) * (1 + 5e-6)", "m", "mistake"
            )},
            "the mistake gradient/wrong-sign is 5 tolerances from right",
        ),
        (
            {"mistake_gradient_wrong_sign": course.cell(
                "# MISTAKE gradient wrong-sign\nraise OSError\ngradient = None", "m", "mistake"
            )},
            "the mistake gradient/wrong-sign could not be bound: OSError",
        ),
    ],
)  # fmt: skip
def test_a_course_that_no_seed_can_mark_is_refused(changes, said):
    exercise = course.parse(**changes)
    with pytest.raises(ValueError, match=r"no usable seed among 20|median|bound") as refused:
        reference.refer(exercise, 7, course.InProcess().run_all)
    assert said in str(refused.value)


# Questions


def test_questions_have_points_probes_answers_and_mistakes(exercise):
    assert [(q.name, q.points, len(q.probes), q.written) for q in exercise.questions] == [
        ("gradient", 2, 2, False), ("fit", 3, 1, False), ("median", 1, 1, False), ("why", 2, 0, True),
    ]  # fmt: skip
    assert exercise.points == 8
    assert exercise.release == release.release_of(nbformat.from_dict(course.exercise()))
    assert exercise.questions[0].answer.strip() == course.ANSWERS["gradient"]
    assert not [source for source in exercise.cells if "PROBE" in source or "MISTAKE" in source]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probe_median_0": None}, "cell median: 'median': no probe"),
        (
            {"mistake_fit_variance": course.cell("# MISTAKE fit new\ndef fit(t):\n    return 1", "m", "mistake")},
            "cell fit: 'fit': MISTAKES of exercise_90.py lacks new",
        ),
        ({"setup": course.cell("import numpy as np", "setup", "setup")}, "release"),
    ],
)  # fmt: skip
def test_what_cannot_be_marked_is_refused_by_cell(changes, said):
    with pytest.raises(ValueError, match="^90-small-course.ipynb") as refused:
        course.parse(**changes)
    assert said in str(refused.value)
