"""Seeded simulators: every one takes a ``numpy.random.Generator`` and returns data whose truth is known."""

import numpy as np

from helpers.datasets import positive


def regression(n, beta, sigma, rng):
    """
    Simulate a linear regression with normal errors.

    The regressors are an intercept and K - 1 columns drawn from N(10, 2²), as in Hicks (2018).

    Parameters
    ----------
    n : int
        Number of observations.
    beta : array_like, shape (K,)
        Coefficients; the first is the intercept.
    sigma : float
        Standard deviation of the error, in the units of y.
    rng : numpy.random.Generator

    Returns
    -------
    y : ndarray, shape (n,)
    X : ndarray, shape (n, K)
        The first column is ones.

    References
    ----------
    R. Hicks, "Using Autograd for Maximum Likelihood Estimation", 2018, section "Maximum Likelihood Estimation".

    Examples
    --------
    >>> y, X = regression(50, [1.0, 2.0], 1e-9, np.random.default_rng(0))
    >>> np.allclose(y, 1 + 2 * X[:, 1])
    True
    """
    beta = np.asarray(beta, dtype=float)
    sigma = positive("sigma", sigma)
    X = np.column_stack([np.ones(n), 10 + 2 * rng.standard_normal((n, beta.size - 1))])
    y = X @ beta + sigma * rng.standard_normal(n)
    return y, X


def weibull(n, lambda_, rho_, rng):
    """
    Draw Weibull lifetimes, S(t) = exp(-(t / lambda_)**rho_), by inverting the survival function.

    Parameters
    ----------
    n : int
        Number of lifetimes.
    lambda_ : float
        Scale, in units of time: the age that a share 1/e survives.
    rho_ : float
        Shape; the hazard rises for rho_ > 1 and falls for rho_ < 1.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
        Lifetimes, in units of time.

    Examples
    --------
    >>> t = weibull(100_000, 3.0, 2.0, np.random.default_rng(0))
    >>> round(float((t > 3.0).mean()), 2), round(float(np.exp(-1)), 2)
    (0.37, 0.37)
    """
    return positive("lambda_", lambda_) * rng.exponential(size=n) ** (1 / positive("rho_", rho_))


def weibull_flagged_at_random(n, lambda_, rho_, p, rng):
    """
    Weibull lifetimes with event flags that are coin tosses: the design of Davidson-Pilon's tutorial.

    The flags say nothing about the lifetimes. What a survival model then estimates is another Weibull,
    with scale ``lambda_ * p**(-1 / rho_)``: see lesson 03.

    Parameters
    ----------
    n, lambda_, rho_, rng
        As in `weibull`.
    p : float
        Probability that a flag is 1, in (0, 1].

    Returns
    -------
    t : ndarray, shape (n,)
        Durations, all of them complete lifetimes.
    e : ndarray, shape (n,)
        1 with probability p, else 0, whatever t is.

    References
    ----------
    J. A. Koziol and S. B. Green, "A Cramér–von Mises statistic for randomly censored data", Biometrika 63 (1976),
    465–474: the model of proportional hazards in which durations and flags are independent.

    Examples
    --------
    >>> t, e = weibull_flagged_at_random(4, 1.0, 1.0, 1.0, np.random.default_rng(0))
    >>> e
    array([1., 1., 1., 1.])
    """
    if not 0 < p <= 1:
        raise ValueError(f"p must be a probability above 0, got {p}")
    t = weibull(n, lambda_, rho_, rng)
    return t, rng.binomial(1, p, size=n).astype(float)


def weibull_censored(n, lambda_, rho_, mean_followup, rng):
    """
    Weibull lifetimes, right-censored by an independent exponential follow-up.

    Observed are T = min(T*, C) and E = 1{T* <= C}; the lifetime T* of a censored subject is never seen.

    Parameters
    ----------
    n, lambda_, rho_, rng
        As in `weibull`.
    mean_followup : float
        Mean of the follow-up time C, in units of time; ``numpy.inf`` censors nobody.

    Returns
    -------
    t : ndarray, shape (n,)
        Observed durations.
    e : ndarray, shape (n,)
        1 where the event was observed, 0 where the duration is censored.

    References
    ----------
    J. D. Kalbfleisch and R. L. Prentice, "The Statistical Analysis of Failure Time Data", 2nd ed., 2002, section 3.2
    (independent right censoring).

    Examples
    --------
    >>> t, e = weibull_censored(5, 1.0, 2.0, np.inf, np.random.default_rng(0))
    >>> bool(e.all())
    True
    """
    if not mean_followup > 0:
        raise ValueError(f"mean_followup must be positive, got {mean_followup}")
    lifetime = weibull(n, lambda_, rho_, rng)
    followup = mean_followup * rng.exponential(size=n)
    return np.minimum(lifetime, followup), (lifetime <= followup).astype(float)
