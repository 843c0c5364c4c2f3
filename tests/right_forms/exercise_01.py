"""Right answers in other words than the model's: each must be called correct."""

RIGHT = {
    "cross_partial": [
        "cross_partial = grad(grad(output, 1))",
        "cross_partial = lambda x, y: 0.16 * x**-0.2 * y**-0.8",
        "cross_partial = lambda x, y: hessian(lambda v: output(v[0], v[1]))(np.array([x, y]))[0, 1]",
    ],
    "output_hessian": [
        "output_hessian = jacobian(grad(output_of))",
        """
def output_hessian(inputs):
    x, y = inputs
    mixed = 0.16 * x**-0.2 * y**-0.8
    return [[-0.16 * x**-1.2 * y**0.2, mixed], [mixed, -0.16 * x**0.8 * y**-1.8]]
""",
    ],
    "ces_gradient": [
        "ces_gradient = jacobian(ces)",
        """
def ces_gradient(inputs, share, rho):
    x, y = inputs
    outer = ces(inputs, share, rho) ** (1 - rho)
    return share * x ** (rho - 1) * outer, (1 - share) * y ** (rho - 1) * outer
""",
    ],
    "substitution": [
        """
def substitution(function, inputs):
    first, second = jacobian(function)(inputs)
    return first / second
""",
        "substitution = lambda f, v: np.divide(*grad(f)(v))",
    ],
    "ces_everywhere": [
        """
def ces_everywhere(inputs, share, rho):
    if rho == 0:
        return np.exp(share * np.log(inputs[0]) + (1 - share) * np.log(inputs[1]))
    return ces(inputs, share, rho)
""",
        """
def ces_everywhere(inputs, share, rho):
    x, y = inputs
    safe = np.where(rho == 0, 1.0, rho)
    return np.where(rho == 0, x**share * y ** (1 - share), ces(inputs, share, safe))
""",
    ],
    "slopes": [
        "slopes = lambda x, depth: np.array([grad(damped)(value, depth) for value in x])",
        "slopes = lambda x, depth: [grad(lambda v: damped(v, depth))(value) for value in x]",
        """
def slopes(x, depth):
    y, slope = 0.0 * x, 0.0 * x
    for _ in range(depth):
        y, slope = np.sin(y + x), np.cos(y + x) * (1 + slope)
        slope = slope * np.where(y < 0, 0.5, 1.0)
        y = y * np.where(y < 0, 0.5, 1.0)
    return slope
""",
    ],
    "repaired": [
        """
def repaired(theta, y):
    center, scale = theta
    above = np.where(y > scale, y, scale + 1)
    density = np.sum(-0.5 * np.log(2 * np.pi) - 0.5 * (y - center) ** 2)
    return density + np.log(scale) + np.sum(np.where(y > scale, np.sqrt(above - scale), 0))
""",
        """
def repaired(theta, y):
    total = np.log(theta[1])
    for value in y:
        total = total + norm.logpdf(value, theta[0], 1.0)
        if value > theta[1]:
            total = total + (value - theta[1]) ** 0.5
    return total
""",
    ],
    "newton": [
        """
def newton(function, start, steps):
    if steps == 0:
        return start
    return newton(function, start - function(start) / grad(function)(start), steps - 1)
""",
        """
from autograd import value_and_grad
def newton(function, start, steps):
    for _ in range(steps):
        value, slope = value_and_grad(function)(start)
        start -= value / slope
    return np.array(start)
""",
    ],
}
