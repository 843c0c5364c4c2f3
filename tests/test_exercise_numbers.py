"""The frozen numbers in the checks, found again by a package that shares no code with them."""

import mpmath
import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import CensoredData, weibull_min

from helpers.checks import exercise_01, exercise_02, exercise_03


def test_robust_errors_are_hc0():
    hc0 = sm.OLS(exercise_02.Y, exercise_02.X).fit().HC0_se
    np.testing.assert_allclose(exercise_02.ROBUST[:-1], hc0, rtol=1e-6)


def test_likelihood_ratio_of_the_trial_is_scipys():
    def maximum(t, e):
        shape, _, scale = weibull_min.fit(CensoredData.right_censored(t, e == 0), floc=0)
        model = weibull_min(shape, scale=scale)
        return np.sum(np.where(e == 1, model.logpdf(t), model.logsf(t)))

    t, e, treated = exercise_03.TRIAL_TIMES, exercise_03.TRIAL_EVENTS, exercise_03.TRIAL_TREATED
    ratio = 2 * (maximum(t[treated], e[treated]) + maximum(t[~treated], e[~treated]) - maximum(t, e))
    np.testing.assert_allclose(exercise_03.TRIAL_RATIO, ratio, rtol=1e-6)


@pytest.mark.parametrize("case", exercise_01.DAMPED, ids=lambda case: f"depth {case[1]}")
def test_slopes_of_the_damped_sine_are_those_of_thirty_digits(case):
    def damped(x, depth, halved=2):
        y = mpmath.mpf(0)
        for _ in range(depth):
            y = mpmath.sin(y + x)
            y = y / halved if y < 0 else y
        return y

    def slopes(*how):
        with mpmath.workdps(30):
            return [float(mpmath.diff(lambda v: damped(v, *how), place)) for place in x]

    x, depth, expected, values, without, deep = case
    for frozen, found in [(expected, slopes(depth)), (without, slopes(depth, 1)), (deep, slopes(100))]:
        np.testing.assert_allclose(frozen, found, rtol=1e-10)
    np.testing.assert_allclose(values, [float(damped(place, depth)) for place in x], rtol=1e-10)
