"""Standard errors, sandwich and delta method against closed forms and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from autograd import numpy as anp

from helpers import datasets, inference, likelihoods, simulate


@pytest.fixture(scope="module")
def regression():
    y, X = simulate.regression(400, [1.0, -0.5, 2.0], 3.0, np.random.default_rng(6))
    ols = sm.OLS(y, X).fit()
    theta = np.append(ols.params, 0.5 * np.log(np.mean(ols.resid**2)))
    return y, X, ols, theta


def negative(theta, y, X):
    return -likelihoods.normal_regression(theta, y, X).sum()


def test_standard_errors_of_a_regression_are_those_of_ols_without_the_degrees_of_freedom(regression):
    y, X, ols, theta = regression
    n, k = X.shape
    se = inference.standard_errors(negative, theta, y, X)
    np.testing.assert_allclose(se[:-1], ols.bse * np.sqrt((n - k) / n), rtol=1e-10)
    np.testing.assert_allclose(se[-1], 1 / np.sqrt(2 * n), rtol=1e-10)


def test_sandwich_is_hc0(regression):
    y, X, ols, theta = regression
    robust = inference.sandwich(likelihoods.normal_regression, theta, y, X)
    np.testing.assert_allclose(np.sqrt(np.diag(robust))[:-1], ols.HC0_se, rtol=1e-9)


def test_delta_method_of_a_ratio_matches_the_hand_derivation(regression):
    y, X, _, theta = regression
    V = inference.covariance(negative, theta, y, X)
    value, se = inference.delta_method(lambda th: th[1] / th[2], theta, V)
    slope = np.array([0, 1 / theta[2], -theta[1] / theta[2] ** 2, 0])
    assert value == theta[1] / theta[2]
    np.testing.assert_allclose(se, np.sqrt(slope @ V @ slope), rtol=1e-12)


def test_a_maximum_is_not_taken_for_a_minimum(regression):
    y, X, _, theta = regression
    with pytest.raises(ValueError, match="not positive definite"):
        inference.standard_errors(lambda th, *data: -negative(th, *data), theta, y, X)


def test_a_hessian_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"), np.errstate(all="ignore"):
        inference.covariance(lambda th: anp.sum(anp.sqrt(th)), [0.0, 1.0])


def test_kaplan_meier_of_the_6mp_arm_is_the_published_one():
    """Survival: Kalbfleisch and Prentice's textbook example; the interval as Stata and SAS print it (log-log)."""
    arm = datasets.leukaemia().query("arm == '6-MP'")
    times, survival, low, high = inference.kaplan_meier(arm["weeks"], arm["relapse"])
    np.testing.assert_array_equal(times, [0, 6, 7, 10, 13, 16, 22, 23, 35])
    published = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    np.testing.assert_allclose(survival, [1, *published, published[-1]], atol=5e-5)
    np.testing.assert_allclose(low[1:8], [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881], atol=5e-5)
    np.testing.assert_allclose(high[1:8], [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801], atol=5e-5)


def test_kaplan_meier_interval_covers_at_its_level():
    rng, truth = np.random.default_rng(8), np.exp(-(0.6**1.5))
    inside = 0
    for _ in range(300):
        times, _, low, high = inference.kaplan_meier(*simulate.weibull_censored(60, 1.0, 1.5, 2.0, rng), level=0.9)
        now = np.searchsorted(times, 0.6, side="right") - 1
        inside += low[now] <= truth <= high[now]
    assert 0.85 < inside / 300 < 0.95


def test_kaplan_meier_at_the_edges():
    for curve in inference.kaplan_meier([2.0, 3.0], [0, 0])[1:]:
        np.testing.assert_array_equal(curve, [1, 1])
    times, survival, low, _ = inference.kaplan_meier([2.0, 3.0], [1, 1])
    np.testing.assert_array_equal(survival, [1, 0.5, 0])
    assert times[-1] == 3
    assert np.isnan(low[-1])
    with pytest.raises(ValueError, match=r"durations\[1\] is -3.0"):
        inference.kaplan_meier([2.0, -3.0], [1, 1])
