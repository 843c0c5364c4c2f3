"""Simulators follow their law, real data match their published totals, bad input is refused where it enters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers import datasets, simulate

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)


def test_regression_has_the_design_of_the_source():
    y, X = simulate.regression(200_000, [1.0, -2.0, 0.5], 2.0, np.random.default_rng(1))
    assert y.shape == (200_000,)
    assert X.shape == (200_000, 3)
    assert np.all(X[:, 0] == 1)
    np.testing.assert_allclose(X[:, 1:].mean(axis=0), 10, atol=0.03)
    np.testing.assert_allclose(X[:, 1:].std(axis=0), 2, atol=0.03)
    np.testing.assert_allclose(np.std(y - X @ [1.0, -2.0, 0.5]), 2, atol=0.02)


def test_same_seed_same_data_and_the_generator_is_the_callers():
    rng = np.random.default_rng(3)
    first, second = simulate.weibull(5, 2.0, 0.7, rng), simulate.weibull(5, 2.0, 0.7, rng)
    np.testing.assert_array_equal(first, simulate.weibull(5, 2.0, 0.7, np.random.default_rng(3)))
    assert np.all(first != second)


def test_weibull_lifetimes_follow_the_weibull():
    t = simulate.weibull(4000, 3.0, 0.6, np.random.default_rng(5))
    assert stats.kstest(t, stats.weibull_min(0.6, scale=3.0).cdf).pvalue > 0.01


def test_coin_toss_flags_are_independent_of_the_durations_and_true_censoring_is_not():
    tossed_t, tossed_e = simulate.weibull_flagged_at_random(20_000, 1.0, 2.0, 0.6, np.random.default_rng(7))
    true_t, true_e = simulate.weibull_censored(20_000, 1.0, 2.0, 1.0, np.random.default_rng(7))
    assert stats.ks_2samp(tossed_t[tossed_e == 1], tossed_t[tossed_e == 0]).pvalue > 0.01
    assert stats.ks_2samp(true_t[true_e == 1], true_t[true_e == 0]).pvalue < 1e-6


def test_censoring_observes_the_minimum():
    uncensored, everyone = simulate.weibull_censored(300, 2.0, 1.5, np.inf, np.random.default_rng(9))
    observed, e = simulate.weibull_censored(300, 2.0, 1.5, 1.0, np.random.default_rng(9))
    assert everyone.all()
    assert np.all(observed <= uncensored)
    np.testing.assert_array_equal(observed[e == 1], uncensored[e == 1])
    assert np.all(observed[e == 0] < uncensored[e == 0])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda rng: simulate.regression(5, [1.0], 0.0, rng), "sigma"),
        (lambda rng: simulate.weibull(5, -1.0, 1.0, rng), "lambda_"),
        (lambda rng: simulate.weibull(5, 1.0, float("nan"), rng), "rho_"),
        (lambda rng: simulate.weibull_flagged_at_random(5, 1.0, 1.0, 1.5, rng), "p"),
        (lambda rng: simulate.weibull_censored(5, 1.0, 1.0, 0.0, rng), "mean_followup"),
    ],
)
def test_simulators_name_the_parameter_they_refuse(call, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        call(np.random.default_rng(0))


def test_leukaemia_matches_the_published_totals():
    data = datasets.leukaemia()
    arms = data.groupby("arm")
    assert arms["weeks"].sum().to_dict() == {"6-MP": 359, "placebo": 182}
    assert arms["relapse"].sum().to_dict() == {"6-MP": 9, "placebo": 21}
    assert data.groupby("pair")["arm"].nunique().eq(2).all()


def test_ball_bearings_match_the_published_mean():
    np.testing.assert_allclose(datasets.ball_bearings()["revolutions"].mean(), 72.22, atol=0.005)


positive_floats = st.floats(1e-3, 1e3)


@EXAMPLES
@given(st.lists(positive_floats, min_size=1, max_size=20), st.data())
def test_the_gate_names_the_first_bad_duration(durations, data):
    bad = data.draw(st.integers(0, len(durations) - 1))
    durations[bad:] = [data.draw(st.sampled_from([0.0, -1.0]))] * (len(durations) - bad)
    with pytest.raises(ValueError, match=rf"durations must be positive: durations\[{bad}\]"):
        datasets.survival_data(durations)


@EXAMPLES
@given(st.lists(positive_floats, min_size=1, max_size=20))
def test_the_gate_lets_good_data_through_unchanged_and_copied(durations):
    given_t = np.array(durations)
    t, e = datasets.survival_data(given_t, [True] * len(durations))
    np.testing.assert_array_equal(t, given_t)
    assert e.sum() == len(durations)
    t[0] = -1
    assert given_t[0] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "durations is empty"),
        (([[1.0]],), r"durations must have 1 dimension\(s\), its shape is \(1, 1\)"),
        (([1.0, np.nan],), r"durations must be finite: durations\[1\] is nan"),
        ((["a week"],), "durations must hold numbers"),
        (([1.0, 2.0], [1]), r"durations has shape \(2,\), events has shape \(1,\)"),
        (([1.0, 2.0], [1, 2]), r"events must be 0 \(censored\) or 1 \(observed\): events\[1\] is 2.0"),
    ],
)
def test_survival_data_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.survival_data(*arguments)


@pytest.mark.parametrize(
    ("y", "X", "message"),
    [
        ([1.0, 2.0], [[1.0]], "y has 2 rows, X has 1"),
        ([1.0, 2.0], [[1.0, np.inf], [1.0, 0.0]], r"X must be finite: X\[\(0, 1\)\] is inf"),
        ([1.0, 2.0, 3.0], [[1.0, 2.0]] * 3, "X has 2 columns but rank 1"),
        ([1.0], [[1.0, 2.0]], "X has 2 columns but rank 1"),
    ],
)
def test_regression_data_refuses(y, X, message):
    with pytest.raises(ValueError, match=message):
        datasets.regression_data(y, X)
