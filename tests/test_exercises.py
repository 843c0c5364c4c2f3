"""
Every exercise, from its answer notebook: each check in all of its states, each probe on data of its own.

The notebook's cells are run once, in order; an answer cell is judged with its blanks first, then stands answered.
Other right forms of the answers are in ``tests/right_forms/exercise_NN.py``: ``RIGHT = {"name": ["code", …]}``.
"""

import importlib
import inspect
import linecache
import pkgutil
import runpy

import matplotlib
import numpy as np
import pandas as pd
import pytest

import helpers
from helpers.checks.judging import CORRECT, NOT_ATTEMPTED, NOT_YET
from solutions import answers
from solutions.answers.markers import squeezed, telling
from solutions.answers.model import INSTRUCTORS
from solutions.refresh import ROOT

NOTEBOOKS = sorted(ROOT.glob("solutions/[0-9][0-9]-*.ipynb"))
BLANKS = range(5, 9)
MISTAKES_A_QUESTION = 3


def execute(code, name, namespace):
    """Run code in a namespace as a notebook does: its lines are known to error messages."""
    file = f"<{name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    exec(compile(code, file, "exec"), namespace)


class Worked:
    """An answer notebook that was run, with what its checks said on the way."""

    def __init__(self, path):
        self.path, self.source = path, answers.read(path)
        self.namespace = new_namespace()
        self.unfilled, self.mistaken = {}, {}
        questions = {question.cell: name for name, question in self.source.questions.items()}
        for cell in self.source.cells:
            if cell.role == "answer":
                execute(cell.blanked, cell.id, self.namespace)
                self.unfilled[questions[cell.id]] = self.judge(questions[cell.id])
            if cell.kind == "code" and cell.role not in INSTRUCTORS - {"mistake"}:
                run_cell(cell, cell.source, self.namespace)
            if cell.role == "mistake":
                _, _, name, mistake = cell.source.split("\n")[0].split()
                self.mistaken[name, mistake] = self.judge(name)
        self.checks = importlib.import_module(f"helpers.checks.exercise_{self.source.number}")

    def judge(self, name, answer=None):
        namespace = self.namespace if answer is None else {**self.namespace, name: answer}
        return self.namespace["check"].judge(name, namespace)

    def probe(self, name):
        """What the probes of a question return, in the order of the notebook."""
        returned = []
        for probe in self.source.questions[name].probes:
            world = {"__name__": "__main__"}
            execute(self.source.probe_setup, "probe-setup", world)
            world[name] = self.namespace[name]
            execute(probe.code, probe.cell, world)
            returned.append(world["returned"])
        return returned


def new_namespace():
    return {"__name__": "__main__", "display": lambda *_, **__: None}


def run_cell(cell, code, namespace):
    try:
        execute(code, cell.id, namespace)
    except Exception:
        if "raises-exception" not in cell.tags:
            raise


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def worked(request):
    before = matplotlib.get_backend()
    matplotlib.use("agg")
    yield Worked(request.param)
    matplotlib.pyplot.close("all")
    matplotlib.use(before)


def test_checks_questions_and_mistakes_belong_together(worked):
    questions = worked.source.questions
    assert worked.checks.NOTEBOOK == worked.path.name
    assert list(worked.namespace["check"].checkers) == list(questions), "one checker a question, in their order"
    used = {mistake for question in questions.values() for mistake in question.mistakes}
    assert used == set(worked.checks.MISTAKES)
    assert len(set(worked.checks.MISTAKES.values())) == len(worked.checks.MISTAKES), "a sentence of its own each"


def test_the_number_of_blanks_and_mistakes(worked):
    questions = worked.source.questions
    assert len(questions) + len(worked.source.written) in BLANKS
    for question in questions.values():
        assert len(question.mistakes) >= MISTAKES_A_QUESTION, question.name
        assert question.probes, question.name


def test_unfilled_is_not_attempted(worked):
    states = {name: outcome.state for name, outcome in worked.unfilled.items()}
    assert states == dict.fromkeys(worked.source.questions, NOT_ATTEMPTED)


def test_each_mistake_is_named_by_its_own_sentence(worked):
    assert worked.mistaken
    for (name, mistake), outcome in worked.mistaken.items():
        assert (outcome.state, outcome.mistake) == (NOT_YET, mistake), f"{name}, {mistake}: {outcome.reason}"
        assert outcome.reason == worked.checks.MISTAKES[mistake]


def test_the_answers_are_correct(worked, capsys):
    for name in worked.source.questions:
        outcome = worked.judge(name)
        assert outcome.state == CORRECT, f"{name}: {outcome.reason}\n{outcome.traceback}"
    exec("check.summary()", worked.namespace)
    count = len(worked.source.questions)
    assert f"{count} of {count} answered, {count} correct" in capsys.readouterr().out


def test_other_right_forms_are_correct(worked):
    other = runpy.run_path(str(ROOT / "tests" / "right_forms" / f"exercise_{worked.source.number}.py"))["RIGHT"]
    assert set(other) == set(worked.source.questions), "at least one other right form a question"
    for name, forms in other.items():
        answer = worked.namespace[name]
        assert forms
        for code in forms:
            execute(code, f"right form of {name}", worked.namespace)
            assert worked.namespace[name] is not answer, code
            outcome = worked.judge(name)
            assert outcome.state == CORRECT, f"{code}\n{outcome.reason}\n{outcome.traceback}"
        worked.namespace[name] = answer


def public_functions():
    for info in pkgutil.walk_packages(helpers.__path__, "helpers."):
        module = importlib.import_module(info.name)
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == info.name:
                yield f"{info.name}.{name}", value


def test_no_function_of_helpers_is_an_answer(worked):
    for where, function in public_functions():
        for name in worked.source.questions:
            assert worked.judge(name, function).state != CORRECT, f"{where} answers {name}"


def test_no_answer_can_be_read_in_the_checks(worked):
    shown = squeezed(inspect.getsource(worked.checks))
    for cell in worked.source.cells:
        for region in cell.regions:
            for line in telling(region):
                assert line not in shown, f"{cell.id}: {line}"


def test_probes_return_numbers_and_nothing_of_the_notebook(worked):
    """With every array of the notebook gone the answers return the same: they are functions of their data."""
    kinds = (np.ndarray, pd.DataFrame, pd.Series, np.random.Generator)
    first = {name: worked.probe(name) for name in worked.source.questions}
    data = {name: value for name, value in worked.namespace.items() if isinstance(value, kinds)}
    try:
        for name in data:
            del worked.namespace[name]
        for name in worked.source.questions:
            again = worked.probe(name)
            for one, two in zip(map(flat, first[name]), map(flat, again), strict=True):
                assert np.all(np.isfinite(one)), name
                np.testing.assert_array_equal(one, two, err_msg=name)
    finally:
        worked.namespace.update(data)


def flat(returned):
    parts = returned.values() if isinstance(returned, dict) else [returned]
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


@pytest.mark.parametrize("filled", ["wrong", "half"])
def test_a_wrongly_or_half_filled_notebook_runs_clean(worked, filled):
    """Unfilled and solved, nbval proves."""
    namespace = new_namespace()
    given_in = {}
    for i, question in enumerate(worked.source.questions.values()):
        (cell,) = [cell for cell in worked.source.cells if cell.id == question.cell]
        wrong = list(question.mistakes.values())
        given_in[cell.id] = wrong[i % len(wrong)] if filled == "wrong" else (cell.source, cell.blanked)[i % 2]
    for cell in worked.source.cells:
        if cell.kind == "code" and cell.role not in INSTRUCTORS:
            run_cell(cell, given_in.get(cell.id, cell.source), namespace)
