"""How far to trust an estimate: covariance matrices from derivatives, the delta method, the Kaplan–Meier interval."""

import numpy as np
from autograd import hessian, jacobian
from scipy.special import ndtri

from helpers.datasets import survival_data


def _inverse(information):
    information = (information + information.T) / 2
    if not np.all(np.isfinite(information)):
        raise ValueError("the Hessian has entries that are not finite: is theta inside the parameter space?")
    least = np.linalg.eigvalsh(information)[0]
    if least <= 0:
        raise ValueError(
            f"the Hessian is not positive definite (least eigenvalue {least:.3g}): theta is not a minimum of "
            "negative_log_likelihood, or the sign of the likelihood is wrong"
        )
    return np.linalg.inv(information)


def covariance(negative_log_likelihood, theta, *data):
    """
    Inverse of the observed information: the estimated covariance matrix of the estimate.

    Parameters
    ----------
    negative_log_likelihood : callable
        ``negative_log_likelihood(theta, *data)``, a scalar, written for autograd; summed, not averaged.
    theta : array_like, shape (p,)
        The estimate, where the function has its minimum.
    *data
        Passed on.

    Returns
    -------
    ndarray, shape (p, p)

    Raises
    ------
    ValueError
        Where the Hessian is not finite or not positive definite.

    References
    ----------
    B. Efron and D. V. Hinkley, "Assessing the accuracy of the maximum likelihood estimator: observed versus expected
    Fisher information", Biometrika 65 (1978), 457–482.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0, 5.0])
    >>> covariance(lambda theta: ((y - theta[0])**2).sum() / 2, [3.0])  # the variance of a mean, sigma = 1
    array([[0.25]])
    """
    return _inverse(hessian(negative_log_likelihood)(np.asarray(theta, dtype=float), *data))


def standard_errors(negative_log_likelihood, theta, *data):
    """
    Square roots of the diagonal of `covariance`, which documents arguments and errors.

    Returns
    -------
    ndarray, shape (p,)
        In the units of theta.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0, 5.0])
    >>> standard_errors(lambda theta: ((y - theta[0])**2).sum() / 2, [3.0])
    array([0.5])
    """
    return np.sqrt(np.diag(covariance(negative_log_likelihood, theta, *data)))


def sandwich(contributions, theta, *data):
    """
    Huber–White covariance H⁻¹ (Σ s_i s_i') H⁻¹, which holds even where the model's variance is wrong.

    Parameters
    ----------
    contributions : callable
        ``contributions(theta, *data)``, the log-likelihood of each observation, shape (n,), written for autograd.
    theta : array_like, shape (p,)
        The estimate.
    *data
        Passed on.

    Returns
    -------
    ndarray, shape (p, p)

    Raises
    ------
    ValueError
        As `covariance`.

    References
    ----------
    H. White, "Maximum likelihood estimation of misspecified models", Econometrica 50 (1982), 1–25, theorem 3.2.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 4.0, 5.0])
    >>> sandwich(lambda theta: -0.5 * (y - theta[0])**2, [3.0])  # Σ(y - ȳ)² / n²
    array([[0.625]])
    """
    theta = np.asarray(theta, dtype=float)
    scores = jacobian(contributions)(theta, *data)
    bread = covariance(lambda th, *d: -contributions(th, *d).sum(), theta, *data)
    return bread @ (scores.T @ scores) @ bread


def delta_method(transform, theta, covariance):
    """
    Value and standard error of a function of the estimate, g(θ̂) and √(∇g' V ∇g).

    Parameters
    ----------
    transform : callable
        ``transform(theta)``, a scalar, written for autograd.
    theta : array_like, shape (p,)
        The estimate.
    covariance : array_like, shape (p, p)
        Its covariance matrix.

    Returns
    -------
    value : float
    standard_error : float

    References
    ----------
    A. W. van der Vaart, "Asymptotic Statistics", 1998, theorem 3.1.

    Examples
    --------
    >>> value, se = delta_method(lambda theta: np.exp(theta[0]), [0.0], [[0.04]])
    >>> float(value), round(float(se), 12)
    (1.0, 0.2)
    """
    theta = np.asarray(theta, dtype=float)
    slope = jacobian(transform)(theta)
    return transform(theta), np.sqrt(slope @ np.asarray(covariance, dtype=float) @ slope)


def kaplan_meier(t, e, level=0.95):
    """
    Kaplan–Meier estimate of the survival function, with a pointwise interval.

    The interval is built on the scale of log(-log S), from Greenwood's standard error, so that it stays within
    [0, 1]. The estimate is statsmodels'.

    Parameters
    ----------
    t : array_like, shape (n,)
        Durations, in units of time.
    e : array_like, shape (n,)
        1 where the event was observed, 0 where the duration is censored.
    level : float
        Coverage of the interval at each time, in (0, 1).

    Returns
    -------
    times : ndarray, shape (m,)
        0, the distinct times of events, and the longest duration where that one is censored. Each value below holds
        from its time up to the next.
    survival : ndarray, shape (m,)
    low, high : ndarray, shape (m,)
        1 at time 0, nan once nobody survives.

    Raises
    ------
    ValueError
        As `helpers.datasets.survival_data`.

    References
    ----------
    E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", JASA 53 (1958), 457–481.
    J. D. Kalbfleisch and R. L. Prentice, "The Statistical Analysis of Failure Time Data", 2nd ed., 2002, section 1.4
    (the interval).

    Examples
    --------
    >>> times, survival, low, high = kaplan_meier([2.0, 1.0, 3.0, 4.0], [1, 1, 1, 0])
    >>> times
    array([0., 1., 2., 3., 4.])
    >>> survival  # with no censoring before it, the share still alive
    array([1.  , 0.75, 0.5 , 0.25, 0.25])
    """
    from statsmodels.duration.survfunc import SurvfuncRight  # its import takes a second: only who asks pays

    t, e = survival_data(t, e)
    fit = SurvfuncRight(t, e)
    s, alive = fit.surv_prob, fit.surv_prob > 0
    low, high = np.full((2, s.size), np.nan)
    spread = ndtri((1 + level) / 2) * fit.surv_prob_se[alive] / (s[alive] * -np.log(s[alive]))
    low[alive], high[alive] = s[alive] ** np.exp(spread), s[alive] ** np.exp(-spread)
    columns = np.vstack([fit.surv_times, s, low, high])
    if e[t == t.max()].max() == 0:
        last = columns[1:, -1] if s.size else np.ones(3)
        columns = np.column_stack([columns, [t.max(), *last]])
    return tuple(np.column_stack([[0.0, 1.0, 1.0, 1.0], columns]))
