"""Judge one answer: the three outcomes, and what checkers call to reach them."""

import contextlib
import copy
import dis
import functools
import io
import linecache
import re
import sys
import traceback
import types
import warnings
from dataclasses import dataclass

import numpy as np

CORRECT, NOT_YET, NOT_ATTEMPTED = "correct", "not yet", "not attempted"


@dataclass(frozen=True)
class Outcome:
    """What a check found: true where the answer is correct. A cell that ends in it shows nothing: the check did."""

    name: str
    state: str
    reason: str = ""
    mistake: str | None = None
    traceback: str = ""

    def __bool__(self):
        return self.state == CORRECT

    def _ipython_display_(self):
        pass


class NotYet(Exception):
    """
    Raised by a checker: the answer is not right yet.

    Parameters
    ----------
    reason : str
        An id of the exercise's ``MISTAKES``, or a sentence.
    """


class _NotAttempted(Exception):
    pass


def checker(function):
    """Mark a function of a checks module as the check of the question that bears its name."""
    function.checks_an_answer = True
    return function


def _copy(value):
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(_copy(item) for item in value)
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    copied = isinstance(value, np.ndarray) or type(value).__module__.startswith("pandas.")
    return copy.deepcopy(value) if copied else value  # a copy of what autograd traces would be cut off from its trace


def call(answer, *data):
    """
    Call an answer with copies of the data, so that one that changes its arguments spoils nothing.

    Parameters
    ----------
    answer : callable
    *data
        Arguments.

    Returns
    -------
    object
        Whatever the answer returns.

    Raises
    ------
    NotYet
        Where the answer is not a function.
    """
    if not callable(answer):
        raise NotYet(f"It must be a function of its data; it is of type `{type(answer).__name__}`.")
    returned = answer(*_copy(data))
    parts = returned if type(returned) in (list, tuple) else returned.values() if type(returned) is dict else [returned]
    if any(part is ... for part in parts):
        raise _NotAttempted
    return returned


def numbers(returned, shape=None, what="the result"):
    """
    Turn what an answer returned into an array of floats.

    Parameters
    ----------
    returned : object
        Anything.
    shape : tuple of int, optional
        The shape it must have.
    what : str
        What the number is called in a reason.

    Returns
    -------
    ndarray of float

    Raises
    ------
    NotYet
        Where it is not numbers, or has another shape, or nan among them.

    Examples
    --------
    >>> numbers([1, 2], shape=(2,))
    array([1., 2.])
    >>> numbers(None)
    Traceback (most recent call last):
        ...
    helpers.checks.judging.NotYet: Your function returned None: is a `return` missing?
    """
    array = _as_array(returned)
    if shape is not None and array.shape != shape:
        must, is_ = _shape(shape, "be", "have"), _shape(array.shape, "is", "has")
        raise NotYet(f"{_first_upper(what)} must {must}; yours {is_}.")
    lost = int(np.isnan(array).sum())
    if lost:
        raise NotYet(f"{_first_upper(what)} is nan{f' in {lost} of {array.size} places' if array.ndim else ''}.")
    return array


def close(returned, expected, rtol=1e-6, atol=1e-9, what="the result", mistakes=None):
    """
    Compare what an answer returned with what it must be.

    Parameters
    ----------
    returned : object
        Anything.
    expected : array_like
    rtol, atol : float
        As in `numpy.isclose`.
    what : str
        What the number is called in a reason: "the gradient".
    mistakes : dict of str to array_like, optional
        What usual mistakes return, by id. They are compared under the same tolerance, whatever their shape.

    Raises
    ------
    NotYet
        With the id of the first mistake that was returned, or a sentence on shape, nan, or the largest difference.

    Examples
    --------
    >>> close([1.0, 2.0], [1.0, 2.0 + 1e-9])
    >>> close([-1.0, -2.0], [1.0, 2.0], mistakes={"wrong-sign": [-1.0, -2.0]})
    Traceback (most recent call last):
        ...
    helpers.checks.judging.NotYet: wrong-sign
    >>> close(3.0, 4.0, what="the slope")
    Traceback (most recent call last):
        ...
    helpers.checks.judging.NotYet: The slope is 3, and should be 4.
    """
    array, expected = _as_array(returned), np.asarray(expected, dtype=float)

    def same(value):
        value = np.asarray(value, dtype=float)
        return array.shape == value.shape and np.allclose(array, value, rtol=rtol, atol=atol, equal_nan=True)

    if same(expected):
        return
    for mistake, value in (mistakes or {}).items():
        if same(value):
            raise NotYet(mistake)
    array = numbers(array, expected.shape, what)
    wrong = ~np.isclose(array, expected, rtol=rtol, atol=atol)
    worst = tuple(int(i) for i in np.argwhere(wrong)[0])
    got, want = _different(array[worst], expected[worst])
    if worst:
        what = f"{what} at [{', '.join(map(str, worst))}]"
    raise NotYet(f"{_first_upper(what)} is {got}, and should be {want}.")


def differences(function, theta, *data):
    """
    Derivative of a function by central differences: right to about nine digits, and independent of autograd.

    Parameters
    ----------
    function : callable
        ``function(theta, *data)``, a float or an array.
    theta : array_like, shape (p,), or float

    Returns
    -------
    ndarray
        The shape of what the function returns, then that of theta.

    Examples
    --------
    >>> bool(np.allclose(differences(lambda theta: theta[0]**2 * theta[1], [3.0, 2.0]), [12.0, 9.0], rtol=1e-9))
    True
    """
    theta = np.array(theta, dtype=float)
    columns = []
    for index in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[index] = np.cbrt(np.finfo(float).eps) * max(1.0, abs(theta[index]))
        rise = np.asarray(function(theta + step, *data)) - np.asarray(function(theta - step, *data))
        columns.append(rise / (2 * step[index]))
    return np.moveaxis(np.array(columns), 0, -1).reshape(np.shape(columns[0]) + theta.shape)


def judge(name, check, mistakes, namespace):
    """
    Check one answer and never raise because of it.

    Parameters
    ----------
    name : str
        Name of the answer.
    check : callable
        The checker: returns where the answer is right, raises `NotYet` where not.
    mistakes : dict of str to str
        Sentences by id.
    namespace : dict
        Globals of the notebook.

    Returns
    -------
    Outcome
    """
    if name not in namespace:
        return Outcome(name, NOT_ATTEMPTED, f"There is no `{name}` yet: fill in its cell and run it.")
    answer = namespace[name]
    if answer is ...:
        return Outcome(name, NOT_ATTEMPTED, "Replace the `...`.")
    try:
        with _quiet():
            check(answer)
        return Outcome(name, CORRECT)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _failure(name, answer, mistakes, namespace, error)


def _failure(name, answer, mistakes, namespace, error):
    try:
        line = _blank_line(answer, namespace)
        if line or isinstance(error, _NotAttempted):
            return Outcome(name, NOT_ATTEMPTED, f"Replace the `...`{f' in line {line}' if line else ''}.")
        if isinstance(error, NotYet):
            reason = str(error)
            return Outcome(name, NOT_YET, mistakes.get(reason, reason), reason if reason in mistakes else None)
        message, trace = _in_one_line(error, namespace), _trace(error, namespace)
        if "ellipsis" in message.lower():
            return Outcome(name, NOT_ATTEMPTED, f"It still meets a `...`. {message}", traceback=trace)
        return Outcome(name, NOT_YET, message, traceback=trace)
    except KeyboardInterrupt:
        raise
    except BaseException:  # an error whose own text raises, and the like
        return Outcome(name, NOT_YET, f"Your function raised {type(error).__name__}, and the error cannot be shown.")


def _as_array(returned):
    if returned is None:
        raise NotYet("Your function returned None: is a `return` missing?")
    if callable(returned):
        raise NotYet("Your function returned a function: it should return numbers.")
    try:
        array = np.asarray(returned)
        if array.dtype.kind not in "biufO":
            raise TypeError
        return array.astype(float)
    except KeyboardInterrupt:
        raise
    except BaseException:
        kind = type(returned).__name__
        raise NotYet(f"Your function should return numbers; it returned a value of type `{kind}`.") from None


def _shape(shape, be, have):
    return f"{have} shape {tuple(shape)}" if shape else f"{be} a single number"


def _first_upper(text):
    return text[:1].upper() + text[1:]


def _different(got, want):
    for digits in (4, 8, 12, 17):
        texts = f"{got:.{digits}g}", f"{want:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _frames(error, namespace):
    """The traceback from the first frame of the notebook on: frames of the notebook are known by their globals."""
    frames = []
    step = error.__traceback__
    while step:
        frames.append(step)
        step = step.tb_next
    inside = [frame.tb_frame.f_globals is namespace for frame in frames]
    return frames[inside.index(True) :] if any(inside) else []


def _in_one_line(error, namespace):
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error)).strip().partition("\n")[0]
    text = f"Your function raised {type(error).__name__}{': ' * bool(text)}{text[:200].rstrip('.')}"
    frames = _frames(error, namespace)
    if frames:
        cell = frames[0].tb_frame.f_code.co_filename
        last = [frame for frame in frames if frame.tb_frame.f_code.co_filename == cell][-1]
        code = linecache.getline(cell, last.tb_lineno).strip()
        text += f", in line {last.tb_lineno}{f': `{code}`' if code else ''}"
    return text + "."


def _trace(error, namespace):
    frames = _frames(error, namespace)
    return "".join(traceback.format_exception(type(error), error, frames[0] if frames else None, limit=-20))


def _blank_line(answer, namespace):
    """Line where a function of the notebook still holds a `...` that is no index, or None."""
    while isinstance(answer, functools.partial):
        answer = answer.func
    if not isinstance(answer, types.FunctionType) or answer.__globals__ is not namespace:
        return None
    codes = [answer.__code__]
    while codes:
        code = codes.pop(0)
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        instructions = list(dis.get_instructions(code))
        for i, instruction in enumerate(instructions):
            if instruction.argval is not ...:
                continue
            users = (after for after in instructions[i + 1 :] if not after.opname.startswith(("LOAD", "BUILD_TUPLE")))
            user = next(users, instruction)
            if "SUBSCR" not in user.opname and user.argrepr != "[]":
                return instruction.positions.lineno
    return None


class _Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


@contextlib.contextmanager
def _quiet():
    """No warnings, prints, pictures or displays from code that is being checked."""
    pyplot, shell = sys.modules.get("matplotlib.pyplot"), sys.modules.get("IPython")
    open_before = set(pyplot.get_fignums()) if pyplot else set()
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(np.errstate(all="ignore"))
        if shell and shell.get_ipython():
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output(stdout=False, stderr=False))
        stack.enter_context(contextlib.redirect_stdout(_Nowhere()))
        stack.enter_context(contextlib.redirect_stderr(_Nowhere()))
        try:
            yield
        finally:
            for figure in set(pyplot.get_fignums()) - open_before if pyplot else ():
                pyplot.close(figure)
