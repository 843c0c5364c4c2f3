"""Every shared likelihood against scipy's densities, its derivatives, its scaling laws and the information identity."""

import numpy as np
import pytest
from autograd import hessian, jacobian, value_and_grad
from autograd.test_util import check_grads
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.optimize import minimize

from helpers import likelihoods, simulate

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)
log_scales = st.floats(-3, 3)
coefficients = st.floats(-5, 5)
seeds = st.integers(0, 2**16)


def estimate(contributions, start, *data):
    return minimize(value_and_grad(lambda theta: -contributions(theta, *data).mean()), start, jac=True).x


@EXAMPLES
@given(coefficients, coefficients, log_scales, seeds)
def test_normal_regression_is_scipys_normal(b0, b1, log_sigma, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((7, 2)), rng.standard_normal(7)
    np.testing.assert_allclose(
        likelihoods.normal_regression(np.array([b0, b1, log_sigma]), y, X),
        stats.norm.logpdf(y, X @ [b0, b1], np.exp(log_sigma)),
        rtol=1e-10,
        atol=1e-12,
    )


@EXAMPLES
@given(log_scales, st.floats(-1.5, 1.5), seeds)
def test_weibull_is_scipys_density_for_events_and_survival_for_censored(log_lambda, log_rho, seed):
    rng = np.random.default_rng(seed)
    t, e = rng.exponential(size=8) + 1e-3, rng.integers(0, 2, size=8).astype(float)
    model = stats.weibull_min(np.exp(log_rho), scale=np.exp(log_lambda))
    expected = np.where(e == 1, model.logpdf(t), model.logsf(t))
    np.testing.assert_allclose(
        likelihoods.weibull(np.array([log_lambda, log_rho]), t, e), expected, rtol=1e-9, atol=1e-9
    )


@EXAMPLES
@given(log_scales, st.floats(-1, 1), st.floats(1e-6, 1e6), seeds)
def test_weibull_is_equivariant_in_the_unit_of_time(log_lambda, log_rho, unit, seed):
    rng = np.random.default_rng(seed)
    t, e = rng.weibull(1.3, size=6) + 1e-3, rng.integers(0, 2, size=6).astype(float)
    moved = likelihoods.weibull(np.array([log_lambda + np.log(unit), log_rho]), unit * t, e)
    np.testing.assert_allclose(
        moved, likelihoods.weibull(np.array([log_lambda, log_rho]), t, e) - e * np.log(unit), atol=1e-8
    )


@EXAMPLES
@given(coefficients, log_scales, st.floats(1e-6, 1e6), seeds)
def test_normal_regression_is_equivariant_in_the_unit_of_y(b, log_sigma, unit, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((6, 1)), rng.standard_normal(6)
    moved = likelihoods.normal_regression(np.array([unit * b, log_sigma + np.log(unit)]), unit * y, X)
    before = likelihoods.normal_regression(np.array([b, log_sigma]), y, X)
    np.testing.assert_allclose(moved, before - np.log(unit), rtol=1e-7, atol=1e-7)


CASES = {
    "normal_regression": (
        likelihoods.normal_regression,
        np.array([1.5, -0.7, np.log(0.4)]),
        lambda rng: simulate.regression(3000, [1.5, -0.7], 0.4, rng),
    ),
    "weibull": (
        likelihoods.weibull,
        np.log([2.5, 0.6]),
        lambda rng: simulate.weibull_censored(3000, 2.5, 0.6, 4.0, rng),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_to_order_two(name):
    contributions, theta, data = CASES[name]
    small = [d[:5] for d in data(np.random.default_rng(2))]
    check_grads(lambda th: contributions(th, *small), modes=["rev"], order=2)(theta)


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_recovered_within_four_standard_errors(name):
    contributions, theta, data = CASES[name]
    sample = data(np.random.default_rng(4))
    start = np.zeros_like(theta)
    found = estimate(contributions, start, *sample)
    information = hessian(lambda th: -contributions(th, *sample).sum())(found)
    z = (found - theta) / np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.all(np.abs(z) < 4), z


def test_information_identity_of_the_weibull_by_quadrature():
    """E[ss'] = -E[H] at the true θ, over lifetimes censored at a fixed time."""
    theta, end = np.log([2.0, 1.7]), 2.5
    model = stats.weibull_min(1.7, scale=2.0)
    score, curvature = jacobian(likelihoods.weibull), hessian(lambda th, t, e: likelihoods.weibull(th, t, e))

    def expectation(g):
        inside, _ = integrate.quad_vec(lambda t: model.pdf(t) * g(t, 1.0), 0, end, epsabs=1e-10)
        return inside + model.sf(end) * g(end, 0.0)

    outer = expectation(lambda t, e: np.outer(score(theta, t, e), score(theta, t, e)))
    np.testing.assert_allclose(expectation(lambda t, e: score(theta, t, e)), 0, atol=1e-8)
    np.testing.assert_allclose(outer, -expectation(lambda t, e: curvature(theta, t, e)), atol=1e-7)


def test_information_identity_of_the_regression_by_quadrature():
    theta, x = np.array([0.5, -1.0, np.log(0.7)]), np.array([1.0, 2.0])
    model = stats.norm(x @ theta[:-1], 0.7)
    score = jacobian(lambda th, y: likelihoods.normal_regression(th, y, x))
    curvature = hessian(lambda th, y: likelihoods.normal_regression(th, y, x))

    def expectation(g):
        return integrate.quad_vec(lambda y: model.pdf(y) * g(y), *model.interval(1 - 1e-15), epsabs=1e-10)[0]

    outer = expectation(lambda y: np.outer(score(theta, y), score(theta, y)))
    np.testing.assert_allclose(outer, -expectation(lambda y: curvature(theta, y)), atol=1e-7)
