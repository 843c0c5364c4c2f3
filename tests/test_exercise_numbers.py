"""The frozen numbers in the checks, found again by a package that shares no code with them."""

import numpy as np
import statsmodels.api as sm
from scipy.stats import CensoredData, weibull_min

from helpers.checks import exercise_02, exercise_03


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
