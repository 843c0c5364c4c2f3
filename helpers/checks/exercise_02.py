"""Checks of exercise 02: what each answer must be true to, and the sentence for each usual mistake."""

import numpy as np
from scipy.stats import norm

from helpers import likelihoods
from helpers.checks import NotYet, call, checker, close, differences, numbers

NOTEBOOK = "02-ols-maximum-likelihood.ipynb"

MISTAKES = {
    "half-missing": "It falls too fast as the residuals grow: the squared residual carries a factor ½.",
    "sigma-not-squared": "The residuals are in units of σ before they are squared: the square takes σ with it.",
    "log-of-the-variance": "The normal density is divided by σ once; you subtract log σ² for each observation, without "
    "its factor ½.",
    "base-ten": "Somewhere a logarithm of base ten stands where the natural one belongs.",
    "unsummed": "It returns one number for each observation: the log-likelihood is their sum.",
    "negative-already": "The sign is reversed: the log-likelihood itself is asked for. It grows as the fit improves.",
    "sign-lost": "The sign is lost: an optimiser that minimises this makes the data as unlikely as possible.",
    "mean-for-sum": "It is too small by a factor N: this is the mean over the observations, not the sum.",
    "regressors-lost": "The mean is the intercept alone: the other columns of `X` take no part.",
    "missing-exp": "The logarithm of σ is used as if it were σ itself.",
    "log-for-exp": "The last entry is a logarithm already; taking it once more leads away from σ.",
    "coefficients-transformed-too": "The coefficients were transformed as well: only σ has a wall, β may be negative.",
    "log-variance": "This would be right if the last entry were log σ². It is log σ.",
    "sigma-for-log-sigma": "The coefficients are right; the last entry is σ̂, and log σ̂ is asked for.",
    "degrees-of-freedom": "Almost: you divided by N − K, as OLS does. Maximum likelihood divides by N.",
    "start-returned": "This is where the optimiser starts, not where it ends.",
    "sigma-left-out": "The coefficients are right; log σ̂ is a parameter too and stands last.",
    "variance-for-se": "These are variances: their square roots are the standard errors.",
    "hessian-not-inverted": "The Hessian is information: large where the data say much. A standard error must be small "
    "there.",
    "inverse-of-diagonal": "You inverted the diagonal: those are the errors if all other parameters were known. Invert "
    "the matrix first, then take its diagonal.",
    "hessian-alone": "These are the errors of question 5: they trust the model's variance. The scores are missing.",
    "outer-product-alone": "You inverted the sum of the outer products: the meat without the bread.",
    "small-sample-correction": "This is the sandwich times N / (N − K), known as HC1. The formula has no such factor.",
    "variance-for-sigma": "exp(z'γ) is taken as the variance: it is the standard deviation.",
    "log-sigma-term-lost": "The term with log σ_i is gone. It was no constant: it keeps σ from growing without end.",
}

Y = np.array([1.2, -0.7, 2.9, 4.1, 0.3, 5.2, 2.2])
X = np.array([[1.0, 0.3, 2.0], [1.0, -1.1, 0.4], [1.0, 0.8, -1.5], [1.0, 2.4, 0.7], [1.0, -0.6, 1.9], [1.0, 1.7, -2.2],
              [1.0, 0.9, 1.1]])  # fmt: skip
BETAS = (np.array([0.4, 1.3, -0.6]), np.array([-1.2, 0.7, 0.9]))

# Question 6 at the estimate for Y and X, right and wrong, found by the cells of the answer notebook;
# tests/test_exercise_numbers.py finds the right one again with statsmodels' HC0.
ROBUST = np.array([0.19586955, 0.14902893, 0.10255619, 0.13446841])
ROBUST_MISTAKES = {
    "hessian-alone": np.array([0.17041641, 0.13179487, 0.099636599, 0.26726124]),
    "outer-product-alone": np.array([0.15382437, 0.12340627, 0.1057371, 0.6010121]),
}


def _objective(theta, y, X):
    return -np.sum(likelihoods.normal_regression(theta, y, X))


def _estimate(y, X):
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    return np.append(beta, np.log(np.sqrt(np.mean((y - X @ beta) ** 2))))


@checker
def log_likelihood(answer):
    for beta, sigma in zip(BETAS, (1.7, 0.6), strict=True):
        terms = norm.logpdf(Y, X @ beta, sigma)
        squares, n = np.sum((Y - X @ beta) ** 2), Y.size
        expected = terms.sum()
        mistakes = {
            "negative-already": -expected,
            "unsummed": terms,
            "mean-for-sum": expected / n,
            "half-missing": expected - squares / sigma**2 / 2,
            "sigma-not-squared": expected + squares / 2 * (1 / sigma**2 - 1 / sigma),
            "log-of-the-variance": expected - n * np.log(sigma),
            "base-ten": expected + n * np.log(np.sqrt(2 * np.pi) * sigma) * (1 - 1 / np.log(10)),
        }
        close(call(answer, beta, sigma, Y, X), expected, what="the log-likelihood", mistakes=mistakes)


@checker
def negative_log_likelihood(answer):
    for beta, log_sigma in zip(BETAS, (0.5, -0.4), strict=True):
        terms = norm.logpdf(Y, X @ beta, np.exp(log_sigma))
        expected = -terms.sum()
        mistakes = {
            "sign-lost": -expected,
            "unsummed": -terms,
            "mean-for-sum": expected / Y.size,
            "regressors-lost": -norm.logpdf(Y, beta[0], np.exp(log_sigma)).sum(),
            "missing-exp": -norm.logpdf(Y, X @ beta, log_sigma).sum(),
        }
        theta = np.append(beta, log_sigma)
        close(call(answer, theta, Y, X), expected, what="the value", mistakes=mistakes)


@checker
def in_log_sigma(answer):
    for beta, log_sigma in zip(BETAS, (1.6, 2.1), strict=True):  # so large that every mistake gives a number
        theta = np.append(beta, log_sigma)
        expected = _objective(theta, Y, X)
        mistakes = {
            "sign-lost": -expected,
            "missing-exp": _objective(np.append(beta, np.log(log_sigma)), Y, X),
            "log-for-exp": _objective(np.append(beta, np.log(np.log(log_sigma))), Y, X),
            "coefficients-transformed-too": _objective(np.append(np.exp(beta), log_sigma), Y, X),
            "log-variance": _objective(np.append(beta, log_sigma / 2), Y, X),
        }
        close(call(answer, theta, Y, X), expected, what="the value", mistakes=mistakes)


@checker
def fit(answer):
    for y, regressors in (Y, X), (3 * Y[::-1] - 2, X[:, :2]):
        (n, k), expected = regressors.shape, _estimate(y, regressors)
        returned = call(answer, y, regressors)
        if isinstance(returned, dict) and "x" in returned:
            raise NotYet("It returns all that `minimize` says; the estimate is one part of it.")
        theta = numbers(returned, what="the estimate")
        if theta.shape == (k,) and np.allclose(theta, expected[:k], rtol=1e-3):
            raise NotYet("sigma-left-out")
        theta = numbers(theta, shape=(k + 1,), what="the estimate")
        if np.allclose(theta[:k], 0) and not np.allclose(expected[:k], 0, atol=0.01):
            raise NotYet("start-returned")
        if np.allclose(theta[:k], expected[:k], rtol=1e-3):
            mistakes = {
                "sigma-for-log-sigma": np.exp(expected[k]),
                "degrees-of-freedom": expected[k] + 0.5 * np.log(n / (n - k)),
            }
            close(theta[k], expected[k], rtol=1e-3, atol=1e-3, what="log σ̂", mistakes=mistakes)
        slope = differences(_objective, theta, y, regressors)
        if np.max(np.abs(slope)) > 0.01 * n:
            raise NotYet("The likelihood still rises from where it stopped: its slope there is not zero.")
        close(theta, expected, rtol=1e-2, atol=1e-3, what="the estimate")


@checker
def standard_errors(answer):
    for y, regressors in (Y, X), (3 * Y[::-1] - 2, X[:, :2]):
        (n, k), theta = regressors.shape, _estimate(y, regressors)
        information = differences(lambda th: differences(_objective, th, y, regressors), theta)  # noqa: B023
        variance = np.diag(np.linalg.inv(information))
        expected = np.sqrt(variance)
        mistakes = {
            "variance-for-se": variance,
            "hessian-not-inverted": np.sqrt(np.diag(information)),
            "inverse-of-diagonal": 1 / np.sqrt(np.diag(information)),
            "degrees-of-freedom": expected * np.append(np.full(k, np.sqrt(n / (n - k))), 1),
        }
        returned = call(answer, theta, y, regressors)
        close(returned, expected, rtol=1e-3, what="the standard errors", mistakes=mistakes)


@checker
def robust_errors(answer):
    n, k = X.shape
    mistakes = ROBUST_MISTAKES | {
        "variance-for-se": ROBUST**2,
        "small-sample-correction": ROBUST * np.sqrt(n / (n - k)),
    }
    returned = call(answer, _estimate(Y, X), Y, X)
    close(returned, ROBUST, rtol=1e-4, what="the robust errors", mistakes=mistakes)


@checker
def uneven_likelihood(answer):
    Z = np.column_stack([np.ones(Y.size), np.linspace(0.2, 1.4, Y.size)])
    for beta, gamma in zip(BETAS, np.array([[0.3, 0.5], [0.6, 0.2]]), strict=True):
        sigma = np.exp(Z @ gamma)
        terms = norm.logpdf(Y, X @ beta, sigma)
        expected = -terms.sum()
        mistakes = {
            "sign-lost": -expected,
            "unsummed": -terms,
            "missing-exp": -norm.logpdf(Y, X @ beta, np.log(sigma)).sum(),
            "variance-for-sigma": -norm.logpdf(Y, X @ beta, np.sqrt(sigma)).sum(),
            "log-sigma-term-lost": expected - np.log(sigma).sum(),
        }
        theta = np.append(beta, gamma)
        close(call(answer, theta, Y, X, Z), expected, what="the value", mistakes=mistakes)
