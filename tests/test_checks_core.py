"""A check has three outcomes, says why in words, and never raises because of a student's code."""

import io
import sys
import types
import warnings

import matplotlib
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from helpers.checks import Exercise, NotYet, call, checker, close, differences, exercise, numbers
from helpers.checks.display import GROUND, INK, show_outcome
from helpers.checks.judging import CORRECT, NOT_ATTEMPTED, NOT_YET, Outcome
from tests.test_exercises import execute

MODULE = """
import numpy as np

from helpers.checks import NotYet, call, checker, close, differences, numbers

NOTEBOOK = "09-try.ipynb"
MISTAKES = {"wrong-sign": "It points downhill: look at `x < 0`.", "unsummed": "One number for each observation."}
calls = []


@checker
def slope(answer):
    calls.append("slope")
    x = np.array([0.3, 2.0, 5.0])
    returned = [call(answer, x), call(answer, x)]
    for each in returned:
        close(each, 2 * x.sum(), what="the slope", mistakes={"wrong-sign": -2 * x.sum(), "unsummed": 2 * x})
    close(x, [0.3, 2.0, 5.0])


@checker
def fit(answer):
    calls.append("fit")
    estimate = numbers(call(answer, np.array([1.0, 3.0])), shape=(2,), what="the estimate")
    if not estimate[0] < estimate[1]:
        raise NotYet("The first must be the smaller.")
"""


@pytest.fixture
def check():
    module = types.ModuleType("exercise_09")
    exec(MODULE, vars(module))
    made = Exercise(module, "1f2e3d4c")
    made.calls = module.calls
    return made


def outcome_of(check, code, name="slope", more=()):
    namespace = {"np": np, "anp": anp, "grad": grad, **dict(more)}
    execute(code, "cell", namespace)
    return check.judge(name, namespace)


RIGHT = [
    "def slope(x):\n    return 2 * np.sum(x)",
    "slope = lambda x: sum(2 * each for each in x)",
    "slope = lambda x: anp.float64(2) * anp.sum(x)",
    "slope = lambda x: int(2 * sum(x) * 1000) / 1000 + 0",
    "def slope(x):\n    x *= 2\n    return x.sum()",
    "def slope(x):\n    return 2 * x[..., :].sum()",
    "def slope(x, scale=2):\n    global seen\n    seen = x\n    return scale * x.sum()",
    "import functools\nslope = functools.partial(lambda scale, x: scale * x.sum(), 2)",
    "class Slope:\n    def __call__(self, x):\n        return 2 * x.sum()\nslope = Slope()",
    "slope = lambda x: grad(lambda y: anp.sum(y ** 2))(x).sum()",
    "np.seterr(all='raise')\ndef slope(x):\n    np.log(0 * x)\n    return 2 * x.sum()",
    "def slope(x):\n    return np.array([2 * x.sum()], dtype=object)[0]",
]


@pytest.mark.parametrize("code", RIGHT)
def test_any_right_form_is_correct(check, code):
    outcome = outcome_of(check, code)
    assert outcome.state == CORRECT, outcome.reason
    assert outcome
    assert outcome.reason == outcome.traceback == ""


NOT_DONE = [
    "",
    "slope = ...",
    "slope = Ellipsis",
    "slope = lambda x: ...",
    "def slope(x):\n    return ...",
    "def slope(x):\n    return ..., x",
    "def slope(x):\n    return {'a': ...}",
    "def slope(x):\n    total = ...\n    return 2 * total",
    "def slope(x):\n    total = ...\n    return 2.0",
    "def slope(x):\n    return np.sum(...)",
    "def slope(x):\n    def inner(y):\n        return ...\n    return 2 * inner(x)",
    "def helper(x):\n    return ...\ndef slope(x):\n    return 2 * helper(x)",
    "import functools\ndef part(a, x):\n    return a * ...\nslope = functools.partial(part, 2)",
    "other = ...\ndef slope(x):\n    return other(x)",
    "class Slope:\n    def __call__(self, x):\n        return ...\nslope = Slope()",
    "def slope(x):\n    def inner(y):\n        z = ...\n        return 2 * y\n    return inner(3.0)",
    "import functools\ndef part(a, x):\n    b = ...\n    return a\nslope = functools.partial(part, 2.0)",
]


@pytest.mark.parametrize("code", NOT_DONE)
def test_a_blank_that_still_stands_is_not_attempted(check, code):
    outcome = outcome_of(check, code)
    assert outcome.state == NOT_ATTEMPTED, outcome
    assert not outcome
    assert "..." in outcome.reason or "no `slope`" in outcome.reason


def test_the_line_of_a_blank_is_said(check):
    assert "in line 3" in outcome_of(check, "def slope(x):\n    y = 2\n    z = ...\n    return y * z").reason


WRONG = {
    "def slope(x):\n    return -2 * x.sum()": "It points downhill: look at `x < 0`.",
    "def slope(x):\n    return 2 * x": "One number for each observation.",
    "def slope(x):\n    return 3 * x.sum()": "The slope is 21.9, and should be 14.6.",
    "def slope(x):\n    return x[...][0]": "The slope is 0.3, and should be 14.6.",
    "def slope(x):\n    return 14.6001": "The slope is 14.6001, and should be 14.6.",
    "def slope(x):\n    return [[2 * x.sum()]]": "The slope must be a single number; yours has shape (1, 1).",
    "def slope(x):\n    return np.nan": "The slope is nan.",
    "def slope(x):\n    2 * x.sum()": "Your function returned None: is a `return` missing?",
    "def slope(x):\n    return slope": "Your function returned a function: it should return numbers.",
    "def slope(x):\n    return '14.6'": "returned a value of type `str`",
    "def slope(x):\n    return 14.6 + 0j": "returned a value of type `complex`",
    "def slope(x):\n    return [1, [2, 3]]": "returned a value of type `list`",
    "def slope(x):\n    yield 2 * x.sum()": "returned a value of type `generator`",
    "slope = 14.6": "It must be a function of its data; it is of type `float`.",
    "slope = lambda: 14.6": "Your function raised TypeError: <lambda>() takes 0 positional arguments but 1 was given.",
    "def slope(x):\n    y = 1\n    return y / 0": "raised ZeroDivisionError: division by zero, in line 3: `return y",
    "def slope(x):\n    return np.dot(x, np.ones(7))": "in line 2: `return np.dot(x, np.ones(7))`.",
    "def slope(x):\n    raise ValueError('one\\ntwo')": "Your function raised ValueError: one, in line 2",
    "def slope(x):\n    raise ValueError": "Your function raised ValueError, in line 2",
    "def slope(x):\n    raise SystemExit": "Your function raised SystemExit, in line 2",
    "def slope(x):\n    raise GeneratorExit": "Your function raised GeneratorExit, in line 2",
    "def slope(x):\n    return slope(x)": "Your function raised RecursionError: maximum recursion depth exceeded",
    "def slope(x):\n    return object() + 1": "unsupported operand type(s) for +: 'object' and 'int', in line 2",
    "def slope(x):\n    raise ValueError(object())": "Your function raised ValueError: <object object>, in line 2",
    "def f(x):\n    return x.no\n\ndef slope(x):\n    return f(x)": "in line 2: `return x.no`.",
    "def slope(x):\n    raise BaseExceptionGroup('many', [ValueError(1)])": "Your function raised ExceptionGroup: many",
}


@pytest.mark.parametrize("code", WRONG)
def test_a_wrong_answer_is_not_yet_and_says_why(check, code):
    outcome = outcome_of(check, code)
    assert outcome.state == NOT_YET
    assert not outcome
    assert WRONG[code] in outcome.reason
    assert "\n" not in outcome.reason
    assert outcome.mistake == {"It p": "wrong-sign", "One ": "unsummed"}.get(outcome.reason[:4])
    assert bool(outcome.traceback) == ("raised" in outcome.reason)


HOSTILE = """
class Hostile(Exception):
    def refuse(self, *arguments, **options):
        raise {error}
    {methods} = refuse
def slope(x):
    {verb} Hostile()
"""
METHODS = (
    "__repr__ __str__ __eq__ __array__ __float__ __len__ __iter__ __bool__ __hash__ __getattr__ __class__ __format__"
)


@pytest.mark.parametrize("error", ["ValueError", "SystemExit", "Hostile()", "RecursionError"])
@pytest.mark.parametrize("verb", ["return", "raise", "return [Hostile(), Hostile()] and"])
def test_objects_that_fight_back_are_not_yet(check, error, verb):
    for methods in [METHODS.replace(" ", " = "), *METHODS.split()]:
        code = HOSTILE.format(error=error, verb=verb, methods=methods)
        if methods in ("__class__", METHODS.replace(" ", " = ")):
            code = code.replace("__class__ = refuse", "__class__ = property(refuse)")
        for name in "slope", "fit":
            assert outcome_of(check, f"{code}\nfit = slope", name).state == NOT_YET
        assert outcome_of(check, f"{code}\nslope = Hostile()").state == NOT_YET


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.sampled_from([len, type, NotImplemented, object(), np.ma.masked, sys, NotYet("x"), b"", range(3), iter([1])])
    | arrays(scalar_dtypes(), array_shapes(max_dims=2, max_side=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        | inner.map(lambda value: np.array([value, None], dtype=object))
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(ANYTHING)
def test_nothing_returned_or_bound_makes_a_check_raise(value):
    module = types.ModuleType("exercise_09")
    exec(MODULE, vars(module))
    check = Exercise(module, "")
    for name in "slope", "fit":
        for answer in value, lambda *_: value:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                outcome = check.judge(name, {name: answer})
            assert outcome.state in (CORRECT, NOT_YET, NOT_ATTEMPTED)
            show_outcome(outcome)


def test_the_stop_button_passes_through(check, capsys):
    with pytest.raises(KeyboardInterrupt):
        outcome_of(check, "def slope(x):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        outcome_of(
            check,
            "class Slow:\n    def __array__(self, *a, **k):\n        raise KeyboardInterrupt\nslope = lambda x: Slow()",
        )
    print("heard again")
    assert capsys.readouterr().out == "heard again\n"


def test_a_check_is_quiet(check, capsys):
    matplotlib.use("agg")
    plt.figure()
    open_before = plt.get_fignums()
    code = (
        "import sys, warnings\nimport matplotlib.pyplot as plt\ndef slope(x):\n    print('loud')\n    plt.figure()\n"
        "    print('loud', file=sys.stderr)\n    warnings.warn('loud')\n    np.log(0 * x)\n    return {}"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outcome_of(check, code.format("2 * x.sum()"))
        assert outcome_of(check, code.format("1 / 0")).state == NOT_YET
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == open_before
    plt.close("all")


def test_an_answer_cannot_spoil_the_data_of_a_check(check):
    assert outcome_of(check, "def slope(x):\n    x[:] = 7\n    return 2 * 7.3").state == CORRECT
    kept = np.arange(3.0)
    spoil = "def spoil(a, b):\n    a['x'].append(1)\n    b[0][:] = 9\n    return 1.0"
    world = {}
    exec(spoil, world)
    data = {"x": []}, (kept,)
    assert call(world["spoil"], *data) == 1.0
    assert data[0] == {"x": []}
    assert kept.tolist() == [0.0, 1.0, 2.0]


def test_call_leaves_what_autograd_traces_alone():
    assert grad(lambda x: x * call(lambda y: y**2, x))(3.0) == 27.0


def test_check_looks_in_the_notebook_that_calls_it(check, capsys):
    namespace = {"check": check, "slope": lambda x: 2 * x.sum()}
    exec("def inner():\n    return check('slope')\nfirst = bool(inner())\nif check('fit'):\n    1 / 0", namespace)
    assert namespace["first"] is True
    assert capsys.readouterr().out == (
        "✔ slope: correct\n○ fit: not attempted\n  There is no `fit` yet: fill in its cell and run it.\n"
    )


def test_a_name_that_is_no_question_is_the_courses_mistake(check):
    with pytest.raises(LookupError, match=r"09-try.ipynb has no question 'slop', its questions are slope, fit"):
        check("slop")
    with pytest.raises(LookupError, match="exercise_77 does not exist"):
        exercise("77", release="")


def test_traceback_on_demand_is_the_students_part(check, capsys):
    outcome_of(check, "def helper(x):\n    return x.nothing\n\n\ndef slope(x):\n    return helper(x)")
    check.traceback("slope")
    shown = capsys.readouterr().out
    assert "line 6, in slope" in shown
    assert "line 2, in helper" in shown
    assert "return x.nothing" in shown
    assert "judging.py" not in shown
    check.traceback("fit")
    assert capsys.readouterr().out == "no error was seen in fit\n"


def test_the_summary_counts_names_and_says_what_to_hand_in(check, capsys):
    namespace = {"check": check}

    def summary(**answers):
        namespace.update(answers)
        exec("check.summary()", namespace)
        return capsys.readouterr().out

    def right(x):
        return 2 * x.sum()

    assert summary() == "0 of 2 answered, 0 correct\n  ○ not attempted: `slope`, `fit`\n"
    assert summary(slope=right) == "1 of 2 answered, 1 correct\n  ○ not attempted: `fit`\n"
    hand_in = "  All questions are answered: save this notebook and hand in `09-try.ipynb`.\n"
    assert summary(fit=lambda x: x[::-1]) == "2 of 2 answered, 1 correct\n  ✘ not yet: `fit`\n" + hand_in
    assert summary(fit=lambda x: x) == "2 of 2 answered, 2 correct\n" + hand_in
    assert summary(slope=...) == "1 of 2 answered, 1 correct\n  ○ not attempted: `slope`\n"


def test_the_summary_looks_again_only_where_it_must(check, capsys):
    namespace = {"check": check, "slope": lambda x: 2 * x.sum(), "fit": lambda x: missing(x)}  # noqa: F821
    exec("check('slope')\ncheck('fit')\ncheck.summary()", namespace)
    assert check.calls == ["slope", "fit", "fit"], "what was correct and is the same stays correct"
    namespace["slope"] = lambda x: 3 * x.sum()
    exec("check.summary()", namespace)
    assert check.calls[3:] == ["slope", "fit"]
    assert "not yet: `slope`, `fit`" in capsys.readouterr().out


# What checkers call.


def test_close_accepts_within_tolerance_and_names_the_first_difference():
    close(np.float32(1.0), 1 + 1e-7)
    close([[1, 2]], [[1.0, 2.0 + 1e-7]])
    close(True, 1.0)
    with pytest.raises(NotYet, match=r"The hessian at \[0, 1\] is 2, and should be 3\."):
        close([[1, 2]], [[1, 3]], what="the hessian")
    with pytest.raises(NotYet, match=r"The result is 1\.00001, and should be 1\."):
        close(1.00001, 1.0)
    with pytest.raises(NotYet, match=r"The result is inf, and should be 1\."):
        close(np.inf, 1.0)
    with pytest.raises(NotYet, match=r"must have shape \(3,\); yours is a single number"):
        close(2.0, [1, 2, 3])
    with pytest.raises(NotYet, match=r"is nan in 1 of 2 places"):
        close([1, np.nan], [1, 2])
    with pytest.raises(NotYet, match="^lost$"):
        close([1, np.nan], [1, 2], mistakes={"other": [1, 2, 3], "lost": [1, np.nan]})


def test_numbers_gives_floats_of_its_own():
    for kept in np.array([1, 2]), np.array([1.0, 2.0]):
        given_back = numbers(kept)
        given_back[0] = 9
        assert kept.tolist() == [1, 2]
        assert given_back.dtype == float


def test_differences_against_known_derivatives():
    theta = np.array([0.7, -1.3])
    np.testing.assert_allclose(differences(lambda th: np.sin(th[0]) * th[1], theta), [np.cos(0.7) * -1.3, np.sin(0.7)])
    np.testing.assert_allclose(differences(lambda th, k: k * th**2, theta, 3.0), np.diag(6 * theta), atol=1e-8)
    jacobian = differences(lambda th: np.array([th[0] * th[1], th[0], th[1] ** 2]), theta)
    np.testing.assert_allclose(jacobian, [[-1.3, 0.7], [1, 0], [0, -2.6]], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(differences(np.exp, 0.5), np.exp(0.5))
    assert differences(np.exp, 0.5).shape == ()


def test_a_checker_is_found_by_its_name_in_the_order_of_the_module(check):
    assert list(check.checkers) == ["slope", "fit"]
    assert checker(len_ := lambda answer: None) is len_


# How it looks.


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("state", [CORRECT, NOT_YET, NOT_ATTEMPTED])
def test_ink_stands_out_from_its_ground(state):
    assert (luminance(GROUND[state]) + 0.05) / (luminance(INK[state]) + 0.05) >= 7


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self):
        return True

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


def test_a_terminal_gets_colour_unless_it_declines_and_only_what_it_can_print(monkeypatch):
    outcome = Outcome("fit", NOT_YET, "Which way is down?")
    for encoding, no_colour, expected in (
        ("utf-8", False, "\033[33m✘ fit: not yet\n  Which way is down?\033[0m\n"),
        ("utf-8", True, "✘ fit: not yet\n  Which way is down?\n"),
        ("cp1252", True, "? fit: not yet\n  Which way is down?\n"),
    ):
        monkeypatch.delenv("NO_COLOR", raising=False)
        if no_colour:
            monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdout", terminal := Terminal(encoding))
        show_outcome(outcome)
        assert terminal.text().replace("\r\n", "\n") == expected


NOTEBOOK_CELLS = [
    "from helpers.checks import Exercise\nfrom IPython.display import display\nimport types, numpy as np\n"
    "module = types.ModuleType('exercise_09')\nexec({module!r}, vars(module))\ncheck = Exercise(module, '')",
    "check('slope')",
    "def slope(x):\n    display('loud')\n    return {'<b>&</b>': x}['<i>']\n\n\nif check('slope'):\n    1 / 0",
    "def slope(x):\n    display('loud')\n    return -2 * x.sum()\n\n\ncheck('slope')",
    "def slope(x):\n    return 2 * x.sum()\n\n\nif check('slope'):\n    print('used')",
    "def fit(x):\n    return x\n\n\ncheck.summary()",
]


@pytest.fixture(scope="module")
def notebook():
    cells = [nbformat.v4.new_code_cell(code.replace("{module!r}", repr(MODULE))) for code in NOTEBOOK_CELLS]
    made = nbformat.v4.new_notebook(cells=cells)
    return nbclient.NotebookClient(made, timeout=60, kernel_name="python3").execute()


def test_in_a_notebook_an_outcome_is_one_display_with_words_and_colour(notebook):
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[0] == []
    shown = [cell[0]["data"] for cell in outputs[1:]]
    assert [data["text/plain"] for data in shown] == [
        "○ slope: not attempted\n  There is no `slope` yet: fill in its cell and run it.",
        "✘ slope: not yet\n  Your function raised KeyError: '<i>', in line 3: `return {'<b>&</b>': x}['<i>']`.",
        "✘ slope: not yet\n  It points downhill: look at `x < 0`.",
        "✔ slope: correct",
        "2 of 2 answered, 2 correct\n"
        "  All questions are answered: save this notebook and hand in `09-try.ipynb`.",
    ]  # fmt: skip
    assert [len(cell) for cell in outputs] == [0, 1, 1, 1, 2, 1], "no Out[], nothing that the answer displayed"
    assert outputs[4][1]["text"] == "used\n"
    for data, state in zip(shown, [NOT_ATTEMPTED, NOT_YET, NOT_YET, CORRECT, CORRECT], strict=True):
        assert set(data) == {"text/plain", "text/html"}
        assert INK[state] in data["text/html"]
        assert GROUND[state] in data["text/html"]
    assert "x &lt; 0</code>" in shown[2]["text/html"]
    assert "<details>" in shown[1]["text/html"]
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in shown[1]["text/html"]
    assert "<b>" not in shown[1]["text/html"]


def test_nbconvert_keeps_the_words(notebook):
    from nbconvert import HTMLExporter, MarkdownExporter

    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "<strong>✔ slope: correct</strong>" in page
    text, _ = MarkdownExporter().from_notebook_node(notebook)
    assert "○ slope: not attempted" in text
