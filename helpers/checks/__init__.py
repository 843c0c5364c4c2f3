'''
Exercise checks: correct, not yet (and why), not attempted.

An exercise's set-up cell says ``check = exercise("03", release="…")``. Then ``check("fit")`` looks ``fit`` up in the
notebook, shows one of the three outcomes and returns whether the answer is correct, so that the course's own use of
an answer can stand under ``if check("fit"):``. It never raises because of what a student wrote; only the stop button
gets through. Checks teach; they never mark.

How to write the checks of an exercise
--------------------------------------
One module an exercise, ``helpers/checks/exercise_03.py``, with the name of its notebook, a sentence for every mistake,
and one function a question, named like the question::

    """Checks of exercise 03: what each answer must be true to, and the sentence for each usual mistake."""

    from autograd import numpy as np

    from helpers.checks import NotYet, call, checker, close, differences

    NOTEBOOK = "03-weibull-survival.ipynb"

    MISTAKES = {"wrong-sign": "It points downhill: the optimiser minimises the negative log-likelihood."}


    @checker
    def grad_negative_log_likelihood(answer):
        t, e = np.array([0.5, 1.0, 4.0]), np.array([1.0, 1.0, 0.0])
        for theta in np.array([0.8, 1.1]), np.array([2.0, 0.7]):
            expected = differences(_objective, theta, t, e)
            close(call(answer, theta, t, e), expected, rtol=1e-5, what="the gradient",
                  mistakes={"wrong-sign": -expected})

- It returns where the answer is right and raises ``NotYet(reason)`` where it is not; the reason is an id of
  ``MISTAKES`` or a sentence. Several ids in one check: `close` takes the first mistake whose value was returned.
- ``call(answer, *data)`` calls the answer with copies of the data. What the answer raises, let pass: it becomes one
  line with the student's own line of code. ``close(returned, expected, …)`` compares, and finds what is not numbers, of
  the wrong shape or nan. ``numbers(returned, shape)`` does that alone, for properties that are not an equality.
  ``differences(function, theta, *data)`` is an independent derivative.
- Test properties with more than one set of data and parameters, unequal and none of them 0 or 1, never the code of the
  answer. What the check knows stands in `helpers` where every student can read it.
- A sentence says what is seen and where to look, not what to type. `code` stands in backticks.
'''

import sys
from importlib import import_module
from importlib.util import find_spec

from helpers.checks.display import show_outcome, show_summary
from helpers.checks.judging import NotYet, call, checker, close, differences, judge, numbers

__all__ = ["NotYet", "call", "checker", "close", "differences", "exercise", "numbers"]


def exercise(number, release):
    """
    Find the checks of an exercise.

    Parameters
    ----------
    number : str
        Number of the exercise, as in its file name: ``"03"``.
    release : str
        Which release of the exercise the notebook is; ``python -m solutions release`` writes it.

    Returns
    -------
    Exercise

    Raises
    ------
    LookupError
        Where there are no checks of that number.

    Examples
    --------
    >>> exercise("00", release="")
    Traceback (most recent call last):
        ...
    LookupError: there are no checks of an exercise '00': helpers.checks.exercise_00 does not exist
    """
    module = f"helpers.checks.exercise_{number}"
    if find_spec(module) is None:
        raise LookupError(f"there are no checks of an exercise {number!r}: {module} does not exist")
    return Exercise(import_module(module), release)


class Exercise:
    """
    The checks of one exercise, and how far the student is.

    Parameters
    ----------
    module : module
        Holds ``NOTEBOOK``, ``MISTAKES`` and the checkers, in the order of the questions.
    release : str
    """

    def __init__(self, module, release):
        self.notebook, self.mistakes, self.release = module.NOTEBOOK, module.MISTAKES, release
        self.checkers = {name: value for name, value in vars(module).items() if hasattr(value, "checks_an_answer")}
        self._judged = {}

    def __call__(self, name):
        """
        Check the answer of that name in the notebook, show the outcome, and return it: true where it is correct.

        Raises
        ------
        LookupError
            For a name that is no question: a mistake of the course, not of a student.
        """
        outcome = self.judge(name, sys._getframe(1).f_globals)
        show_outcome(outcome)
        return outcome

    def judge(self, name, namespace):
        """
        Check the answer of that name in a namespace, and show nothing.

        Parameters
        ----------
        name : str
        namespace : dict
            The globals of a notebook.

        Returns
        -------
        helpers.checks.judging.Outcome
        """
        if name not in self.checkers:
            raise LookupError(f"{self.notebook} has no question {name!r}, its questions are {', '.join(self.checkers)}")
        outcome = judge(name, self.checkers[name], self.mistakes, namespace)
        self._judged[name] = (namespace.get(name), outcome)
        return outcome

    def traceback(self, name):
        """Print the traceback of the error that the answer raised when it was last checked."""
        _, outcome = self._judged.get(name, (None, None))
        print(outcome.traceback if outcome is not None and outcome.traceback else f"no error was seen in {name}")

    def summary(self):
        """
        Show how many questions are answered and correct, which are open, and which file to hand in.

        A question counts as it stands in the notebook now: one that was changed since its check, was never checked or
        was not correct is looked at again, so the order in which the cells ran does not matter.
        """
        namespace = sys._getframe(1).f_globals
        outcomes = []
        for name in self.checkers:
            value, outcome = self._judged.get(name, (None, None))
            if not (outcome and namespace.get(name) is value):  # an outcome is true where it is correct
                outcome = self.judge(name, namespace)
            outcomes.append(outcome)
        show_summary(outcomes, self.notebook)
