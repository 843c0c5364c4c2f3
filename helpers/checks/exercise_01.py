"""Checks of exercise 01: what each answer must be true to, and the sentence for each usual mistake."""

import numpy as np
from autograd import grad
from autograd import numpy as anp
from scipy.stats import norm

from helpers.checks import NotYet, call, checker, close, differences, numbers

NOTEBOOK = "01-autodiff-basics.ipynb"

MISTAKES = {
    "twice-by-the-first": "This is the second derivative by x twice: once by x and once by y is asked for.",
    "twice-by-the-second": "This is the second derivative by y twice: once by x and once by y is asked for.",
    "first-derivative": "This is a first derivative: a second one is asked for.",
    "gradient-for-hessian": "This is the gradient, shape (2,): the matrix of second derivatives has shape (2, 2).",
    "rows-summed": "These are the sums over the rows of the Hessian. `elementwise_grad` is for functions whose values "
    "each depend on one entry of the argument.",
    "wrong-sign": "The sign is reversed: with diminishing returns the diagonal is negative.",
    "value-for-gradient": "This is the value of the function: its derivative is asked for.",
    "by-the-share": "This is the derivative by `share`, one number: the inputs are the first argument.",
    "by-rho": "This is the derivative by `rho`, one number: the inputs are the first argument.",
    "outer-derivative-lost": "This differentiates what stands inside the bracket; the power outside counts too.",
    "ratio-inverted": "The ratio is upside down.",
    "ratio-of-inputs": "This is the ratio of the inputs: that of the marginal products is asked for.",
    "slope-of-the-isoquant": "This is the slope of the isoquant. The rate of substitution is its size, positive.",
    "nan-in-the-other-branch": "The value is right, the gradient is nan: `np.where` computes both branches, and the "
    "slope of the one not chosen is no number.",
    "linear-limit": "At zero you return the weighted sum of the inputs: that is ρ = 1. The limit is the weighted "
    "geometric mean.",
    "shares-swapped": "At zero the shares are the wrong way round: `share` belongs to the first input.",
    "limit-everywhere": "Right at zero; but other values of `rho` now give Cobb–Douglas as well.",
    "if-forgotten": "These are the slopes of the nested sine without the halving.",
    "depth-ignored": "The loop does not run `depth` times.",
    "slopes-added-up": "This is one number, the sum of the slopes: one slope for each entry of `x` is asked for.",
    "box-refused": "autograd's box still meets a function that wants a plain number: look for `math` and for plain "
    "`scipy`.",
    "assigned-in-place": "A box is still written into an array of floats: collect the terms in another way.",
    "tail-changed": "The function has another value now: the tail counts only where y is above the scale.",
    "uphill": "The step goes the wrong way: away from the root.",
    "slope-never-renewed": "The first step is right, the later ones keep its slope: draw the tangent anew each time.",
    "one-step": "One step is right; `steps` of them are asked for.",
}

PLACES = np.array([[2.0, 3.0], [5.0, 0.7]])

# Question 6: places, depth, and there the slopes, values, slopes without the `if`, slopes a hundred deep;
# tests/test_exercise_numbers.py finds them again.
DAMPED = (
    (
        [-1.5, -0.6, 0.2, 0.9],
        3,
        [-0.147113541943, 0.399818579979, 2.35006706572, -0.259519274872],
        [-0.463565661336, -0.416942045182, 0.554858081804, 0.948325916236],
        [-0.0726528779338, 0.0897159790463, 2.35006706572, -0.259519274872],
        [-0.160184836029, 0.348052202679, 0.879943346786, -0.221213072657],
    ),
    (
        [-0.9, 0.15, 1.1],
        7,
        [0.0975850443281, 2.51450176732, -0.293448642497],
        [-0.492032024381, 0.759441189245, 0.90646577588],
        [-0.222166504001, 2.51450176732, -0.293448642497],
        [0.0975825761957, 1.25271244677, -0.296812173969],
    ),
)


def _output(inputs):
    return inputs[0] ** 0.8 * inputs[1] ** 0.2


def _ces(inputs, share, rho):
    return (share * inputs[0] ** rho + (1 - share) * inputs[1] ** rho) ** (1 / rho)


def _slope(function, theta):
    """Gradient by autograd, where the function itself is the answer; what its failures mean."""
    try:
        return grad(function)(theta)
    except TypeError as error:
        raise NotYet("box-refused") from error
    except ValueError as error:
        raise NotYet("assigned-in-place") if "sequence" in str(error) else error from error


@checker
def cross_partial(answer):
    for place in PLACES:
        slope = differences(_output, place)
        second = differences(lambda inputs: differences(_output, inputs), place)
        mistakes = {"twice-by-the-first": second[0, 0], "twice-by-the-second": second[1, 1]}
        returned = call(answer, *place)
        if np.shape(returned) == () and np.isclose(slope, numbers(returned)).any():
            raise NotYet("first-derivative")
        close(returned, second[0, 1], rtol=1e-4, what="the mixed derivative", mistakes=mistakes)


@checker
def output_hessian(answer):
    for place in PLACES:
        expected = differences(lambda inputs: differences(_output, inputs), place)
        mistakes = {
            "wrong-sign": -expected,
            "gradient-for-hessian": differences(_output, place),
            "rows-summed": expected.sum(axis=1),
        }
        close(call(answer, place), expected, rtol=1e-4, atol=1e-6, what="the Hessian", mistakes=mistakes)


@checker
def ces_gradient(answer):
    for inputs, share, rho in zip(PLACES, (0.3, 0.6), (-0.7, 0.4), strict=True):
        expected = differences(_ces, inputs, share, rho)
        inside = differences(lambda v: _ces(v, share, rho) ** rho, inputs)  # noqa: B023
        mistakes = {
            "value-for-gradient": _ces(inputs, share, rho),
            "by-the-share": differences(lambda a: _ces(inputs, a, rho), share),  # noqa: B023
            "by-rho": differences(lambda r: _ces(inputs, share, r), rho),  # noqa: B023
            "outer-derivative-lost": inside,
        }
        close(call(answer, inputs, share, rho), expected, rtol=1e-6, what="the gradient", mistakes=mistakes)


@checker
def substitution(answer):
    def functions(share):
        yield lambda v: v[0] ** share * v[1] ** (1 - share), lambda v: share / (1 - share) * v[1] / v[0]
        yield lambda v: v[0] + share * anp.log(v[1]), lambda v: v[1] / share

    for share, inputs in zip((0.8, 0.3), PLACES, strict=True):
        for function, rate in functions(share):
            expected = rate(inputs)
            mistakes = {
                "ratio-inverted": 1 / expected,
                "slope-of-the-isoquant": -expected,
                "ratio-of-inputs": inputs[0] / inputs[1],
            }
            close(call(answer, function, inputs), expected, what="the rate", mistakes=mistakes)


@checker
def ces_everywhere(answer):
    share = 0.35
    for inputs in PLACES:
        limit = np.exp(np.average(np.log(inputs), weights=[share, 1 - share]))
        mistakes = {
            "linear-limit": np.average(inputs, weights=[share, 1 - share]),
            "shares-swapped": np.prod(inputs) / limit,
        }
        close(call(answer, inputs, share, 0.0), limit, what="the value at rho = 0", mistakes=mistakes)
        for rho in (0.5, -1.2, 0.01):
            mistakes = {"limit-everywhere": limit}
            what = f"the value at rho = {rho}"
            close(call(answer, inputs, share, rho), _ces(inputs, share, rho), what=what, mistakes=mistakes)
        slope = numbers(np.nan_to_num(_slope(lambda v: call(answer, v, share, 0.0), inputs), nan=np.inf))
        if np.isinf(slope).any():
            raise NotYet("nan-in-the-other-branch")
        expected = np.array([share, 1 - share]) * limit / inputs
        close(slope, expected, what="the gradient at rho = 0")


@checker
def slopes(answer):
    for x, depth, expected, values, without, deep in DAMPED:
        returned = call(answer, np.array(x), depth)
        mistakes = {
            "value-for-gradient": values,
            "if-forgotten": without,
            "depth-ignored": deep,
            "slopes-added-up": np.sum(expected),
        }
        close(returned, expected, what="the slope", mistakes=mistakes)


@checker
def repaired(answer):
    y = np.array([0.4, 0.9, 2.7, 3.3])

    def original(theta):
        return norm.logpdf(y, theta[0]).sum() + np.log(theta[1]) + np.sqrt(np.maximum(y - theta[1], 0)).sum()

    for theta in np.array([0.7, 1.6]), np.array([-0.4, 2.1]):
        without_tail = original(theta) - np.sqrt(np.maximum(y - theta[1], 0)).sum()
        mistakes = {"tail-changed": without_tail + np.sqrt(np.abs(y - theta[1])).sum()}
        close(call(answer, theta, y), original(theta), what="the value", mistakes=mistakes)
        slope = np.asarray(_slope(lambda th: call(answer, th, y), theta), dtype=float)
        if np.isnan(slope).any():
            raise NotYet("nan-in-the-other-branch")
        close(slope, differences(original, theta), rtol=1e-6, what="the gradient")


@checker
def newton(answer):
    def cubic(x):
        return x**3 - 2 * x - 5

    places = {0: 3.0, 1: 2.36, 2: 2.1271967801588167, 3: 2.0951360369336975}  # Newton's own example, from 3
    for steps in (1, 2, 3):
        x, slope = 3.0, 25.0
        for _ in range(steps):
            x = x - cubic(x) / slope
        mistakes = {"slope-never-renewed": x} if steps > 1 else {"uphill": 3.64, "ratio-inverted": 3.0 - 25 / 16}
        if steps > 1:
            mistakes["one-step"] = places[1]
        what = f"the place after {steps} step{'s' * (steps > 1)} from 3 for x³ - 2x - 5"
        close(call(answer, cubic, 3.0, steps), places[steps], what=what, mistakes=mistakes)
