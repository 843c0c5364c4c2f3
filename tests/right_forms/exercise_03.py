"""Right answers in other words than the model's: each must be called correct."""

RIGHT = {
    "grad_negative_log_likelihood": [
        "from autograd import jacobian\ngrad_negative_log_likelihood = jacobian(negative_log_likelihood)",
        "grad_negative_log_likelihood = lambda p, t, e: grad(lambda q: negative_log_likelihood(q, t, e))(p)",
        """
def grad_negative_log_likelihood(params, t, e):
    scale, shape = params
    ratio = t / scale
    hazard = ratio**shape
    along_scale = -np.sum(shape / scale * (hazard - e))
    along_shape = np.sum(hazard * np.log(ratio)) - np.sum(e * (1 / shape + np.log(ratio)))
    return [along_scale, along_shape]
""",
    ],
    "objective_with_gradient": [
        """
def objective_with_gradient(p, t, e):
    return negative_log_likelihood(p, t, e), grad(negative_log_likelihood)(p, t, e)
""",
        """
def objective_with_gradient(params, t, e):
    value, gradient = value_and_grad(negative_log_likelihood)(params, t, e)
    return [value, list(gradient)]
""",
    ],
    "negative_log_likelihood_from_logs": [
        "negative_log_likelihood_from_logs = lambda theta, t, e: -np.sum(likelihoods.weibull(theta, t, e))",
        """
def negative_log_likelihood_from_logs(theta, t, e):
    log_lambda, log_rho = theta
    z = np.exp(log_rho) * (np.log(t) - log_lambda)
    return np.sum(np.exp(z)) - np.sum(e * (log_rho + z - np.log(t)))
""",
    ],
    "interval_for_lambda": [
        """
from scipy.stats import norm
def interval_for_lambda(theta, t, e):
    covariance = np.linalg.inv(hessian(lambda th: objective(th, t, e))(theta))
    se = covariance[0, 0] ** 0.5
    return np.array([se, *np.exp(norm.interval(0.95, loc=theta[0], scale=se))])
""",
        """
from helpers import inference
def interval_for_lambda(theta, t, e):
    se = inference.standard_errors(objective, theta, t, e)[0]
    return [se, np.exp(theta[0]) * np.exp(-1.96 * se), np.exp(theta[0]) * np.exp(1.96 * se)]
""",
    ],
    "censor": [
        "censor = lambda t_star, c: (np.where(t_star <= c, t_star, c), t_star <= c)",
        """
def censor(t_star, c):
    pairs = [(min(a, b), int(a <= b)) for a, b in zip(t_star, c)]
    return [t for t, _ in pairs], [e for _, e in pairs]
""",
    ],
    "what_lambda_estimates": [
        "what_lambda_estimates = lambda lambda_, rho_, p: lambda_ / p ** (1 / rho_)",
        "def what_lambda_estimates(lambda_, rho_, p):\n    return np.exp(np.log(lambda_) - np.log(p) / rho_)",
    ],
    "median_interval": [
        """
from helpers import inference
def median_interval(theta, covariance):
    value, se = inference.delta_method(lambda th: th[0] + np.log(np.log(2)) / np.exp(th[1]), theta, covariance)
    return np.exp([value, value - 1.96 * se, value + 1.96 * se])
""",
        """
def median_interval(theta, covariance):
    median = np.exp(theta[0]) * np.log(2) ** np.exp(-theta[1])
    slope = np.array([1.0, -np.log(np.log(2)) * np.exp(-theta[1])])
    se = np.sqrt(slope.dot(covariance).dot(slope))
    return median, median / np.exp(1.96 * se), median * np.exp(1.96 * se)
""",
    ],
    "compare_arms": [
        """
def compare_arms(t, e, treated):
    full = sum(maximum(t[arm], e[arm]) for arm in (treated, ~treated))
    ratio = 2 * full - 2 * maximum(t, e)
    return [ratio, 1 - chi2.cdf(ratio, df=2)]
""",
        """
def compare_arms(t, e, treated):
    ratio = -2 * (maximum(t, e) - maximum(t[treated], e[treated]) - maximum(t[treated == False], e[treated == False]))
    return ratio, np.exp(-ratio / 2)
""",
    ],
}
