"""Right answers in other words than the model's: each must be called correct."""

RIGHT = {
    "log_likelihood": [
        "log_likelihood = lambda beta, sigma, y, X: np.sum(norm.logpdf(y, X @ beta, sigma))",
        """
def log_likelihood(beta, sigma, y, X):
    total = 0.0
    for y_i, x_i in zip(y, X):
        total += -0.5 * ((y_i - x_i @ beta) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    return total
""",
    ],
    "negative_log_likelihood": [
        "negative_log_likelihood = lambda theta, y, X: -likelihoods.normal_regression(theta, y, X).sum()",
        """
def negative_log_likelihood(theta, y, X):
    log_sigma = theta[-1]
    z = (y - X @ theta[:-1]) * np.exp(-log_sigma)
    return [len(y) * (np.log(2 * np.pi) / 2 + log_sigma) + np.sum(z**2) / 2][0]
""",
    ],
    "in_log_sigma": [
        "in_log_sigma = lambda theta, y, X: in_sigma(np.concatenate([theta[:-1], np.exp(theta[-1:])]), y, X)",
        "in_log_sigma = lambda theta, y, X: -np.sum(likelihoods.normal_regression(theta, y, X))",
    ],
    "fit": [
        """
def fit(y, X):
    start = np.append(np.linalg.lstsq(X, y, rcond=None)[0], 0.0)
    return list(minimize(objective, start, args=(y, X), jac=grad(objective), method="L-BFGS-B").x)
""",
        """
def fit(y, X):
    beta = np.linalg.solve(X.T @ X, X.T @ y)
    return np.append(beta, np.log(np.std(y - X @ beta)))
""",
    ],
    "standard_errors": [
        """
from helpers import inference
def standard_errors(theta, y, X):
    return inference.standard_errors(objective, theta, y, X)
""",
        """
def standard_errors(theta, y, X):
    covariance = np.exp(2 * theta[-1]) * np.linalg.inv(X.T @ X)
    return [*np.sqrt(np.diag(covariance)), 1 / np.sqrt(2 * len(y))]
""",
    ],
    "robust_errors": [
        """
from helpers import inference
def robust_errors(theta, y, X):
    return np.diag(inference.sandwich(contributions, theta, y, X)) ** 0.5
""",
        """
def robust_errors(theta, y, X):
    meat = 0
    for y_i, x_i in zip(y, X):
        score = grad(lambda th: contributions(th, np.array([y_i]), x_i[None, :])[0])(theta)
        meat = meat + np.outer(score, score)
    H = jacobian(grad(objective))(theta, y, X)
    return np.sqrt(np.diag(np.linalg.solve(H, np.linalg.solve(H, meat).T)))
""",
    ],
    "uneven_likelihood": [
        """
def uneven_likelihood(theta, y, X, Z):
    beta, gamma = np.split(theta, [X.shape[1]])
    log_sigma = Z @ gamma
    return np.sum(log_sigma + 0.5 * np.log(2 * np.pi) + 0.5 * ((y - X @ beta) / np.exp(log_sigma)) ** 2)
""",
        """
def uneven_likelihood(theta, y, X, Z):
    log_sigma = Z @ theta[-Z.shape[1] :]
    return np.sum(log_sigma) - norm.logpdf((y - X @ theta[: -Z.shape[1]]) / np.exp(log_sigma)).sum()
""",
    ],
}
