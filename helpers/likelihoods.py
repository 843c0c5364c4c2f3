"""
Log-likelihoods that two notebooks share, observation by observation.

One order for all of them, stated here: ``f(theta, *data)`` returns the contribution of each observation, an array of
shape (n,). In ``theta`` coefficients come first, then the scale, then the shape; scale and shape enter as logarithms,
so that every ``theta`` is a valid one. The sum of the contributions is the log-likelihood, its negative is what an
optimiser minimises, and their Jacobian holds the scores. The data were checked where they entered
(`helpers.datasets`); nothing is checked here, where derivatives are taken.
"""

from autograd import numpy as np


def normal_regression(theta, y, X):
    """
    Normal linear regression: y_i ~ N(x_i'β, σ²).

    Parameters
    ----------
    theta : array_like, shape (K + 1,)
        ``[beta_0, …, beta_{K-1}, log_sigma]``.
    y : ndarray, shape (n,)
    X : ndarray, shape (n, K)

    Returns
    -------
    ndarray, shape (n,)
        Log-density of each observation.

    References
    ----------
    W. H. Greene, "Econometric Analysis", 8th ed., 2018, section 14.9.1.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> y, X = np.array([1.0, 4.0]), np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> theta = np.array([0.5, 1.0, np.log(3.0)])
    >>> np.allclose(normal_regression(theta, y, X), norm.logpdf(y, [0.5, 2.5], 3.0))
    True
    """
    log_sigma = theta[-1]
    z = (y - np.dot(X, theta[:-1])) / np.exp(log_sigma)
    return -0.5 * np.log(2 * np.pi) - log_sigma - 0.5 * z**2


def weibull(theta, t, e):
    """
    Right-censored Weibull durations: e_i log h(t_i) - H(t_i), with H(t) = (t/λ)^ρ.

    Parameters
    ----------
    theta : array_like, shape (2,)
        ``[log_lambda, log_rho]``; λ in the units of t.
    t : ndarray, shape (n,)
        Durations, positive.
    e : ndarray, shape (n,)
        1 where the event was observed, 0 where the duration is censored.

    Returns
    -------
    ndarray, shape (n,)
        Log-density of an observed event, log-survival of a censored one.

    References
    ----------
    J. D. Kalbfleisch and R. L. Prentice, "The Statistical Analysis of Failure Time Data", 2nd ed., 2002,
    equation (3.2) with the Weibull hazard of section 2.2.2.

    Examples
    --------
    >>> from scipy.stats import weibull_min
    >>> t, e = np.array([1.0, 5.0]), np.array([1.0, 0.0])
    >>> model = weibull_min(0.7, scale=2.0)
    >>> np.allclose(weibull(np.log([2.0, 0.7]), t, e), [model.logpdf(1.0), model.logsf(5.0)])
    True
    """
    log_lambda, log_rho = theta[0], theta[1]
    log_ratio = np.log(t) - log_lambda
    log_hazard = log_rho - log_lambda + (np.exp(log_rho) - 1) * log_ratio
    return e * log_hazard - np.exp(np.exp(log_rho) * log_ratio)
