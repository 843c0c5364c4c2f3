"""Checks of exercise 03: what each answer must be true to, and the sentence for each usual mistake."""

import numpy as np
from scipy.stats import chi2, weibull_min

from helpers import likelihoods
from helpers.checks import NotYet, call, checker, close, differences, numbers

NOTEBOOK = "03-weibull-survival.ipynb"

MISTAKES = {
    "wrong-sign": "The sign is reversed: the slope of the negative log-likelihood is wanted, the one an optimiser "
    "walks down.",
    "argument-index": "This is the derivative with respect to the durations `t`: one number for each subject. Wanted "
    "is the one with respect to `params`.",
    "value-for-gradient": "This is the negative log-likelihood itself, one number: its derivative is wanted.",
    "mean-for-sum": "It is too small by a factor n: the likelihood is a sum over the subjects, this is the mean.",
    "value-alone": "It returns the value alone. `jac=True` promises the optimiser a pair: value and gradient.",
    "gradient-alone": "It returns the gradient alone. `jac=True` promises the optimiser a pair: value and gradient.",
    "gradient-first": "Both are there, in the wrong order: the value comes first.",
    "log-likelihood-not-negative": "Minimising this makes the data as unlikely as possible: the sign of the likelihood "
    "is reversed.",
    "missing-exp": "`theta` holds logarithms, and here they are used as if they were λ and ρ themselves.",
    "log-for-exp": "`theta` holds logarithms already; taking the logarithm once more leads away from λ and ρ.",
    "jacobian-added": "Renaming a parameter leaves a likelihood as it is. The term you added belongs to a density of "
    "the parameter, as a Bayesian prior has it.",
    "base-ten": "Somewhere a logarithm of base ten stands where the natural one belongs.",
    "unsummed": "It returns one number for each subject: the log-likelihood is their sum.",
    "hazard-censored-too": "The flag multiplies the whole contribution. A censored subject has no event, but it was at "
    "risk: its cumulative hazard counts.",
    "variance-for-se": "This is the variance of log λ̂: its square root is the standard error.",
    "hessian-not-inverted": "The Hessian is information: large where the data say much. A standard error must be small "
    "there.",
    "inverse-of-diagonal": "You inverted one entry of the Hessian: that is the error if ρ were known. Invert the "
    "matrix first, then take the entry.",
    "interval-left-on-log-scale": "This is the interval for log λ: the one for λ is wanted.",
    "flags-reversed": "The flags are the wrong way round: 1 says that the event was seen.",
    "censored-dropped": "The censored subjects are gone. They were seen alive for a while, and that counts.",
    "lifetimes-returned": "These are the whole lifetimes; of a censored one we see only the time until we stopped.",
    "all-events": "Every flag is 1: nothing tells the censored durations from the complete lives.",
    "simulated-scale": "This is the scale of the simulator. But a share of the events is hidden by the tosses, so the "
    "data look like a longer life.",
    "exponent-sign": "This scale is shorter than the simulated one. With fewer events seen, do lives seem shorter?",
    "shape-forgotten": "Right if the hazard were constant (ρ = 1): for any other shape the exponent knows about ρ.",
    "scale-for-median": "This is λ, the age that a share 1/e survives: the median is survived by one half.",
    "shape-taken-as-known": "The median is right; its interval ignores that ρ was estimated too. Both entries of the "
    "gradient count.",
    "interval-on-natural-scale": "The interval is symmetric around the median: it was built on the scale of the "
    "median, where it may reach below zero, not on its logarithm.",
    "factor-two": "Half of what it should be: twice the gain in log-likelihood has the χ² distribution.",
    "degrees-of-freedom": "The statistic is right. Count the parameters again: two Weibulls against one.",
    "lower-tail": "The statistic is right. The p-value is the chance of a larger one.",
    "ratio-reversed": "The larger model cannot fit worse: the difference is taken the wrong way round.",
}

TIMES = np.array([0.4, 1.1, 2.3, 3.7, 0.9])
EVENTS = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
PARAMS = (np.array([0.8, 1.3]), np.array([2.1, 0.7]))

# Two arms of a small trial. TRIAL_RATIO was found with scipy.stats.weibull_min.fit on CensoredData;
# tests/test_exercise_numbers.py finds it again.
TRIAL_TIMES = np.array([1.0, 3.0, 4.0, 7.0, 9.0, 12.0, 2.0, 5.0, 8.0, 13.0, 17.0, 30.0])
TRIAL_EVENTS = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
TRIAL_TREATED = np.arange(12) >= 6
TRIAL_RATIO = 2.94615693


def _objective(params, t, e):
    return -np.sum(likelihoods.weibull(np.log(params), t, e))


@checker
def grad_negative_log_likelihood(answer):
    for params in PARAMS:
        expected = differences(_objective, params, TIMES, EVENTS)
        mistakes = {
            "wrong-sign": -expected,
            "mean-for-sum": expected / TIMES.size,
            "value-for-gradient": _objective(params, TIMES, EVENTS),
            "argument-index": differences(lambda t: _objective(params, t, EVENTS), TIMES),  # noqa: B023
        }
        close(call(answer, params, TIMES, EVENTS), expected, rtol=1e-5, what="the gradient", mistakes=mistakes)


@checker
def objective_with_gradient(answer):
    for params in PARAMS:
        value, slope = _objective(params, TIMES, EVENTS), differences(_objective, params, TIMES, EVENTS)
        returned = call(answer, params, TIMES, EVENTS)
        if type(returned) not in (tuple, list) or len(returned) != 2:
            alone = numbers(returned)
            for mistake, part in {"value-alone": value, "gradient-alone": slope}.items():
                if alone.shape == part.shape and np.allclose(alone, part, rtol=1e-5):
                    raise NotYet(mistake)
            raise NotYet("It should return a pair: the value, one number, and the gradient, shape (2,).")
        if np.shape(returned[0]) == (2,):
            raise NotYet("gradient-first")
        close(returned[0], value, what="the value", mistakes={"log-likelihood-not-negative": -value})
        close(returned[1], slope, rtol=1e-5, what="the gradient", mistakes={"wrong-sign": -slope})


@checker
def negative_log_likelihood_from_logs(answer):
    for params in np.array([3.5, 2.9]), np.array([5.0, 3.2]):  # so large that every mistake gives a number
        theta, terms = np.log(params), likelihoods.weibull(np.log(params), TIMES, EVENTS)
        hazard_of_censored = np.sum((1 - EVENTS) * (TIMES / params[0]) ** params[1])
        expected = -np.sum(terms)
        mistakes = {
            "log-likelihood-not-negative": -expected,
            "unsummed": -terms,
            "mean-for-sum": expected / TIMES.size,
            "hazard-censored-too": expected - hazard_of_censored,
            "missing-exp": _objective(theta, TIMES, EVENTS),
            "log-for-exp": _objective(np.log(theta), TIMES, EVENTS),
            "base-ten": _objective(10**theta, TIMES, EVENTS),
            "jacobian-added": expected - np.sum(theta),
        }
        close(call(answer, theta, TIMES, EVENTS), expected, what="the value", mistakes=mistakes)


@checker
def interval_for_lambda(answer):
    def objective(theta):
        return -np.sum(likelihoods.weibull(theta, TIMES, EVENTS))

    for theta in np.log([1.9, 1.1]), np.log([2.6, 1.4]):
        information = differences(lambda th: differences(objective, th), theta)
        variance = np.linalg.inv(information)[0, 0]
        se, low, high = _three(call(answer, theta, TIMES, EVENTS), "the standard error and the two ends")
        mistakes = {
            "variance-for-se": variance,
            "hessian-not-inverted": np.sqrt(information[0, 0]),
            "inverse-of-diagonal": 1 / np.sqrt(information[0, 0]),
        }
        close(se, np.sqrt(variance), rtol=1e-3, what="the standard error of log λ", mistakes=mistakes)
        ends = theta[0] + 1.96 * np.sqrt(variance) * np.array([-1.0, 1.0])
        mistakes = {"interval-left-on-log-scale": ends}
        close([low, high], np.exp(ends), rtol=1e-3, what="the interval for λ", mistakes=mistakes)


@checker
def censor(answer):
    lifetimes, stops = np.array([2.0, 7.0, 4.0, 9.0, 3.0]), np.array([5.0, 6.0, 4.0, 1.0, 8.0])
    t, e = _parts(call(answer, lifetimes, stops), 2, "the durations and the flags")
    seen = lifetimes <= stops
    mistakes = {"censored-dropped": lifetimes[seen], "lifetimes-returned": lifetimes}
    close(t, [2.0, 6.0, 4.0, 1.0, 3.0], what="the durations", mistakes=mistakes)
    if np.shape(e) == seen.shape and numbers(e)[2] == 0 and numbers(e)[0] == 1:
        raise NotYet("Subject 2 fails at the very moment we stop looking: that event is seen.")
    mistakes = {"flags-reversed": ~seen, "all-events": np.ones(5)}
    close(e, seen, what="the flags", mistakes=mistakes)


@checker
def what_lambda_estimates(answer):
    for lambda_, rho_, p in [(0.8, 0.6, 0.7), (3.0, 1.7, 0.4)]:
        scale = numbers(call(answer, lambda_, rho_, p), shape=(), what="the scale")
        if np.isclose(scale, lambda_):
            raise NotYet("simulated-scale")
        if np.isclose(scale * p, lambda_):
            raise NotYet("shape-forgotten")
        hazard_left = np.abs(scale / lambda_) ** -rho_
        if np.isclose(hazard_left * p, 1):
            raise NotYet("exponent-sign")
        close(hazard_left, p, what="the share of the hazard that your scale leaves")


@checker
def median_interval(answer):
    def log_median(theta):
        return np.log(weibull_min.median(np.exp(theta[1]), scale=np.exp(theta[0])))

    covariance = np.array([[0.09, 0.02], [0.02, 0.16]])
    for theta in np.log([2.0, 1.6]), np.log([0.7, 0.6]):
        returned = call(answer, theta, covariance)
        median, low, high = _three(returned, "the median and the two ends of its interval")
        scale, shape = np.exp(theta)
        mistakes = {"scale-for-median": scale, "base-ten": scale * np.log10(2) ** (1 / shape)}
        close(median, np.exp(log_median(theta)), what="the median", mistakes=mistakes)
        slope = differences(log_median, theta)
        width = 1.96 * np.sqrt(slope @ covariance @ slope) * np.array([-1.0, 1.0])
        mistakes = {
            "interval-on-natural-scale": median * (1 + width),
            "shape-taken-as-known": median * np.exp(1.96 * np.sqrt(covariance[0, 0]) * np.array([-1.0, 1.0])),
        }
        close([low, high], median * np.exp(width), rtol=1e-3, what="the interval", mistakes=mistakes)


@checker
def compare_arms(answer):
    returned = call(answer, TRIAL_TIMES, TRIAL_EVENTS, TRIAL_TREATED)
    statistic, p_value = _parts(returned, 2, "the statistic and the p-value")
    mistakes = {"factor-two": TRIAL_RATIO / 2, "ratio-reversed": -TRIAL_RATIO}
    close(statistic, TRIAL_RATIO, rtol=1e-3, what="the statistic", mistakes=mistakes)
    expected = np.exp(-TRIAL_RATIO / 2)  # the upper tail of χ² with two degrees of freedom
    mistakes = {"degrees-of-freedom": chi2.sf(TRIAL_RATIO, 1), "lower-tail": 1 - expected}
    close(p_value, expected, rtol=1e-3, what="the p-value", mistakes=mistakes)


def _parts(returned, count, what):
    try:
        parts = tuple(returned)
    except TypeError:
        parts = ()
    if len(parts) != count:
        raise NotYet(f"It should return {count} things: {what}.")
    return parts


def _three(returned, what):
    return numbers([numbers(part, shape=()) for part in _parts(returned, 3, what)])
