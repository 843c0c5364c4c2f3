"""Standard errors, sandwich and delta method against closed forms and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from autograd import numpy as anp

from helpers import inference, likelihoods, simulate


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
