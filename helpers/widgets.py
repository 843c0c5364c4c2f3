"""
Sliders around the lessons' own functions and data.

Every function takes what the notebook has written (the likelihood stays visible there) and returns one object to be
the last line of a cell. In JupyterLab, Notebook 7, Colab and JupyterLite it is a picture with sliders above it and its
numbers in words below; wherever there is no kernel or no front end for widgets (GitHub, nbconvert, nbval) a sentence
stands in its place, and the static figure before it has shown the same thing.

What does not move (grids, contours, data) is computed and drawn once. A slider then has a few artists drawn over it,
and the picture travels as PNG bytes, so that it depends on no plotting backend.
"""

import io
import textwrap

import ipywidgets
import traitlets
from autograd import elementwise_grad, grad, hessian, value_and_grad
from autograd import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from scipy.optimize import minimize

from helpers import plotting
from helpers.datasets import regression_data, survival_data
from helpers.inference import kaplan_meier, standard_errors
from helpers.plotting import DATA, ESTIMATE, MODEL, TRUTH

__all__ = [
    "Demonstration",
    "bfgs_steps",
    "cobb_douglas_point",
    "coefficients_by_hand",
    "nested_sine",
    "share_censored",
    "shrinking_secant",
    "slider",
    "weibull_by_hand",
]

WIDE = {"figsize": (10.0, 4.4), "dpi": 150}  # two panels beside each other, sharp on a wall
PAPER = {"width": "100%", "max_width": "1000px"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LINE = 88  # characters of the sentence that stands for a widget where none can be shown


class Picture(ipywidgets.Image):
    """
    An image with a name for those who do not see it: the tooltip becomes its title.

    ipywidgets 8.1 looks for a description before it sets the title, and an image has none: it would not be shown.
    """

    description = traitlets.Unicode("").tag(sync=True)


class Demonstration(ipywidgets.VBox):
    """
    Sliders, a picture that follows them, and its numbers in words.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Holds whatever does not move. Not one of pyplot's, so that none is left open.
    draw : callable
        ``draw(**values)`` adds what moves to the axes of `figure` and returns the sentence that puts it into words.
        What it added is drawn over the still picture and then taken away; limits and titles it leaves alone.
    sliders : dict of str to ipywidgets slider
        Keyed by the argument of `draw` that they set. A picture is drawn when a slider comes to rest.
    stands_for : str
        What the reader would see and could move: the sentence in place of the widget where none can be shown.

    Examples
    --------
    >>> figure = Figure()
    >>> ax = figure.subplots()
    >>> def draw(height):
    ...     ax.axhline(height)
    ...     return f"The line is at {height}."
    >>> demo = Demonstration(figure, draw, {"height": slider("height", 0, 5, 1, 2, "height of the line")}, "a line.")
    >>> demo.words.value
    'The line is at 2.'
    >>> demo.sliders["height"].value = 4
    >>> demo.words.value
    'The line is at 4.'
    >>> print(demo._repr_mimebundle_()["text/plain"])
    Run this notebook in Jupyter to move here: a line.
    """

    def __init__(self, figure, draw, sliders, stands_for):
        self.draw, self.sliders = draw, sliders
        self.sentence = textwrap.fill(f"Run this notebook in Jupyter to move here: {stands_for}", LINE)
        self._canvas = FigureCanvasAgg(figure)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)
        self._axes = {ax: set(ax.get_children()) for ax in figure.axes}
        for ax in figure.axes:
            ax.autoscale(False)  # what moves must not move the scales under the still picture
        self.picture = Picture(format="png", tooltip=f"Picture of {stands_for}", layout=PAPER)
        self.words = ipywidgets.HTML(layout=PAPER, style={"font_size": "15px"})
        self._redraw()
        for control in sliders.values():
            control.observe(self._follow, names="value")
        super().__init__([*sliders.values(), self.picture, self.words])

    def _redraw(self):
        try:
            words = self.draw(**{name: control.value for name, control in self.sliders.items()})
            self._canvas.restore_region(self._still)
            for ax, artist in self._moving():
                if hasattr(artist, "do_3d_projection"):
                    artist.do_3d_projection()
                ax.draw_artist(artist)
        finally:
            while moving := self._moving():
                moving[0][1].remove()  # contours, drawn first, take their labels with them
        png = io.BytesIO()
        imsave(png, self._canvas.buffer_rgba(), format="png", pil_kwargs={"compress_level": 1})
        self.picture.value, self.words.value = png.getvalue(), words

    def _moving(self):
        new = [(ax, artist) for ax, still in self._axes.items() for artist in ax.get_children() if artist not in still]
        return sorted(new, key=lambda pair: pair[1].get_zorder())

    def _follow(self, change):
        try:
            self._redraw()
        except Exception as error:  # a front end hides what a callback raises, and the picture would stand still
            self.words.value = f"The picture could not follow: {type(error).__name__}: {error}"
            raise

    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs) | {"text/plain": self.sentence}


def slider(label, low, high, step, value, tooltip):
    """
    Make one slider, labelled, that reports when it comes to rest.

    Parameters
    ----------
    label : str
        Stands to its left.
    low, high, step, value : int or float
        All integers make an integer slider; otherwise the number to its right has the digits of the step.
    tooltip : str
        What it sets, in words, with the unit: shown on hovering, read out by a screen reader.

    Returns
    -------
    ipywidgets.IntSlider or ipywidgets.FloatSlider

    Raises
    ------
    ValueError
        Where the value lies outside of the range.

    Examples
    --------
    >>> slider("depth", 1, 100, 1, 7, "how often the sine is nested").value
    7
    """
    if not low <= value <= high:
        raise ValueError(f"{label} must lie between {low} and {high}, got {value}")
    whole = all(isinstance(number, int) for number in (low, high, step, value))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        tooltip=tooltip,
        readout_format="d" if whole else f".{max(0, _digits(step))}f",
        continuous_update=False,
        style={"description_width": "110px"},
        layout={"width": "min(100%, 560px)"},
    )


def _digits(step):
    return -int(np.floor(np.log10(step)))


def _around(middle, reach, start):
    """Low, high, step and start of a slider, in round numbers."""
    digits = _digits(reach / 20)
    low, high, start = (round(float(value), digits) for value in (middle - reach, middle + reach, start))
    return low, high, 10.0**-digits, start


def _function(name, value):
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {type(value).__name__}")
    return value


def cobb_douglas_point(f, x=2.0, y=3.0):
    """
    A point moved over a production surface, with its tangent plane and its gradient.

    Parameters
    ----------
    f : callable
        ``f(x, y)`` of positive inputs, written with `autograd.numpy`; takes arrays as well as numbers.
    x, y : float
        Where the point starts, between 0.5 and 5.5.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `f` is no function.
    ValueError
        Where the start lies outside of the picture.

    Examples
    --------
    >>> print(cobb_douglas_point(lambda x, y: x**0.8 * y**0.2).words.value)
    At x = 2.0, y = 3.0 output is 2.169; its slope is 0.868 along x and 0.145 along y. A step of 0.5 straight uphill
    gains 0.432, the tangent plane promises 0.440.
    """
    f_x, f_y = grad(_function("f", f)), grad(f, 1)
    low, high, step = 0.5, 5.5, 0.5
    inputs = np.linspace(0.02, 6, 61)
    X, Y = np.meshgrid(inputs, inputs)
    Z = f(X, Y)
    figure = Figure(**WIDE)
    surface, plan = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    surface.plot_surface(X, Y, Z, color=MODEL, alpha=0.5, rcount=16, ccount=16, edgecolor="white", linewidth=0.4)
    surface.view_init(elev=18, azim=-150)
    surface.set_box_aspect(None, zoom=1.1)
    surface.set(xlabel="labour x (hours)", ylabel="machines y (hours)", xlim=(0, 7), ylim=(0, 7))
    surface.set(zlim=(0, 1.1 * Z.max()), title="Output, and the plane that touches it")
    plan.set(aspect="equal", xlabel="labour x (hours)", ylabel="machines y (hours)", xlim=(0, 7), ylim=(0, 7))
    plan.set_title("Uphill is square to the isoquant")

    def draw(x, y):
        z, gx, gy = f(x, y), f_x(x, y), f_y(x, y)
        length = np.hypot(gx, gy)
        corner_x, corner_y = np.meshgrid(np.clip([x - 1.5, x + 1.5], 0, 7), np.clip([y - 1.5, y + 1.5], 0, 7))
        plane = z + gx * (corner_x - x) + gy * (corner_y - y)
        surface.plot_surface(corner_x, corner_y, plane, color=ESTIMATE, alpha=0.6)
        surface.plot(x, y, z, "o", color="black", zorder=4)
        plotting.isoquants(X, Y, Z, [(x, y)], [z], [(gx, gy)], plan)
        gained = f(x + step * gx / length, y + step * gy / length) - z
        return (
            f"At x = {x:.1f}, y = {y:.1f} output is {z:.3f}; its slope is {gx:.3f} along x and {gy:.3f} along y. "
            f"A step of {step} straight uphill gains {gained:.3f}, the tangent plane promises {step * length:.3f}."
        )

    sliders = {
        "x": slider("labour x", low, high, 0.1, x, "labour x, in hours"),
        "y": slider("machines y", low, high, 0.1, y, "machines y, in hours"),
    }
    return Demonstration(
        figure, draw, sliders, "a point on the surface of output, with its tangent plane and its gradient."
    )


def nested_sine(f, depth=3, x=0.5):
    """
    A sine nested to a depth of choice, with its tangent, above and beside its derivative.

    Parameters
    ----------
    f : callable
        ``f(x, depth)``, written with `autograd.numpy`; takes an array of x as well as a number.
    depth : int
        Where the depth starts, from 1 to 100.
    x : float
        Where the point starts, from -2 to 2.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `f` is no function.
    ValueError
        Where a start lies outside of the picture.
    """
    slope = elementwise_grad(_function("f", f))
    deepest = 100
    grid = np.union1d(np.linspace(-2, 2, 201), np.linspace(-0.2, 0.2, 81))
    curves = [f(grid, n) for n in range(1, deepest + 1)]
    slopes = [slope(grid, n) for n in range(1, deepest + 1)]
    figure = Figure(**WIDE)
    value, derivative = figure.subplots(1, 2)
    value.set(xlabel="x", ylabel="f(x)", xlim=(-2, 2), ylim=(-1.25, 1.25), title="Each depth is a program of its own,")
    derivative.set_yscale("asinh", linear_width=1)
    derivative.set(
        xlabel="x", ylabel="derivative of f", xlim=(-2, 2), ylim=(-1.5, 150), title="with a slope of its own"
    )
    derivative.set_yticks([-1, 0, 1, 10, 100], ["−1", "0", "1", "10", "100"])

    def draw(depth, x):
        y, dy = f(x, depth), slope(x, depth)
        run = 0.6 / np.hypot(1, dy)
        value.plot(grid, curves[depth - 1], color=MODEL)
        value.plot([x - run, x + run], [y - run * dy, y + run * dy], "--", color=ESTIMATE)
        value.plot(x, y, "o", color=ESTIMATE)
        derivative.plot(grid, slopes[depth - 1], color=MODEL)
        derivative.plot(x, dy, "o", color=ESTIMATE)
        return f"Depth {depth}, x = {x:.2f}: f = {y:.4f}, slope {dy:.4f}; the slope at 0 is {slope(0.0, depth):.0f}."

    sliders = {
        "depth": slider("depth", 1, deepest, 1, depth, "how many sines are nested in one another"),
        "x": slider("x", -2.0, 2.0, 0.01, x, "where the tangent touches"),
    }
    return Demonstration(figure, draw, sliders, "depth and x of the nested sine, with its tangent and its derivative.")


def shrinking_secant(f, x=1.0):
    """
    A secant through x and x + h under a microscope whose field of view is h.

    Left, both axes are measured in h: a smooth curve becomes its tangent as h shrinks, and then the stairs of
    floating-point numbers come into view. Right, the error of the secant's slope against h.

    Parameters
    ----------
    f : callable
        Function of one number, written with `autograd.numpy`; takes arrays as well.
    x : float
        Where the derivative is wanted.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `f` is no function.
    """
    slope = grad(_function("f", f))(float(x))
    steps = 10.0 ** np.linspace(-16, 0, 161)
    errors = np.abs((f(x + steps) - f(x)) / steps - slope)
    window = np.linspace(-3, 3, 401)
    reach = 3.2 * max(abs(slope), 0.5)
    figure = Figure(**WIDE)
    lens, trade_off = figure.subplots(1, 2)
    lens.plot(window, slope * window, **TRUTH, linewidth=1, label="tangent (autograd)")
    lens.set(xlabel="distance from x, in h", ylabel="change of f, in h", xlim=(-3, 3), ylim=(-reach, reach))
    lens.set_title("Through a microscope that is h wide")
    trade_off.loglog(steps, np.maximum(errors, 1e-17), color=DATA)
    trade_off.set(xlabel="step h", ylabel="error of the secant's slope", title="First too far, then too fine")

    def draw(exponent):
        h = 10.0**exponent
        secant = (f(x + h) - f(x)) / h
        error = abs(secant - slope)
        lens.plot(window, (f(x + window * h) - f(x)) / h, color=MODEL, label="f")
        lens.plot([-3, 3], [-3 * secant, 3 * secant], ":", color=ESTIMATE, label="secant")
        lens.plot([0, 1], [0, secant], "o", color=ESTIMATE)
        lens.legend(loc="upper left" if slope < 0 else "lower right")
        trade_off.plot(h, max(error, 1e-17), "o", color=ESTIMATE, markersize=9)
        return (
            f"h = {h:.1e}: the secant's slope is {secant:.10f}, autograd's {slope:.10f}: an error of {error:.1e}. "
            f"The least error, {errors.min():.1e}, is at h = {steps[errors.argmin()]:.1e}."
        )

    sliders = {"exponent": slider("log10 of h", -16.0, 0.0, 0.5, 0.0, "power of ten of the step h")}
    return Demonstration(figure, draw, sliders, "the step h of a finite difference, with its secant and its error.")


def _regression(negative_log_likelihood, y, X, columns, **thetas):
    """What both pictures of a regression are given, checked, as arrays."""
    _function("negative_log_likelihood", negative_log_likelihood)
    y, X = regression_data(y, X)
    columns = list(columns)
    if len(set(columns)) != 2 or not set(columns) <= set(range(X.shape[1])):
        raise ValueError(f"columns must be two different columns of X, 0 to {X.shape[1] - 1}; got {columns}")
    for name, theta in thetas.items():
        thetas[name] = np.array(theta, dtype=float)
        if thetas[name].shape != (X.shape[1] + 1,):
            raise ValueError(
                f"{name} must have shape ({X.shape[1] + 1},), coefficients and log sigma; got {thetas[name].shape}"
            )
    return y, X, columns, [f"β{str(column).translate(SUBSCRIPTS)}" for column in columns], *thetas.values()


def _valley(first, second, drop, best, names, ax):
    """Contours of how far below its peak a log-likelihood of two coefficients is, on one scale for both."""
    levels = 10.0 ** np.arange(2, 8)
    curves = ax.contour(first, second, drop, levels=levels, colors=MODEL, linewidths=1.5)
    ax.clabel(curves, fmt=lambda level: f"−{level:,.0f}".replace(",", " "))
    ax.plot(*best, "*", color="black", markersize=11)
    ax.set(xlabel=names[0], ylabel=names[1], aspect="equal")


def _uphill(point, gradient, drop, ax):
    """
    An arrow along the gradient, at right angles to the contour as drawn, whatever the units of the two axes.

    It is the longer the farther `point` is below the peak: a gradient near zero has a direction, too.
    """
    pixels = ax.transData.transform([1, 1]) - ax.transData.transform([0, 0])
    direction = gradient / pixels
    inches = 0.25 * np.log10(1 + max(drop, 0)) * direction / max(np.hypot(*direction), 1e-300)
    ax.quiver(*point, *inches, angles="uv", scale_units="inches", scale=1, width=0.012, color=ESTIMATE, zorder=3)
    ax.plot(*point, "o", color="black", zorder=4)


def _where(names, point, gradient, log_likelihood, drop):
    advice = ", ".join(f"{'raise' if up > 0 else 'lower'} {name}" for name, up in zip(names, gradient, strict=True))
    return (
        f"{names[0]} = {point[0]:.3g}, {names[1]} = {point[1]:.3g}: log-likelihood {log_likelihood:.1f}, "
        f"{drop:.1f} below the best. The gradient ({gradient[0]:+.0f}, {gradient[1]:+.0f}) says: {advice}."
    )


def coefficients_by_hand(negative_log_likelihood, theta, y, X, columns=(1, 2)):
    """
    Two coefficients moved by hand, against the residuals and on the log-likelihood, with its gradient.

    The other coefficients and σ stay where `theta` has them; a star marks the best that the two can then do.

    Parameters
    ----------
    negative_log_likelihood : callable
        ``negative_log_likelihood(theta, y, X)``, one number, written with `autograd.numpy`.
    theta : array_like, shape (K + 1,)
        ``[beta_0, …, beta_{K-1}, log_sigma]``: the estimate or, where it is known, the truth.
    y : array_like, shape (n,)
    X : array_like, shape (n, K)
    columns : pair of int
        Which two coefficients move; regressors in like units, so that both axes can have the same scale.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `negative_log_likelihood` is no function.
    ValueError
        Where the data are refused by `helpers.datasets.regression_data`, or `theta` or `columns` do not fit them.
    """
    y, X, columns, names, theta = _regression(negative_log_likelihood, y, X, columns, theta=theta)
    places = np.eye(theta.size)[columns]
    rest = theta * (1 - places.sum(axis=0))

    def two(pair):
        return negative_log_likelihood(rest + np.dot(pair, places), y, X)

    slope, best = grad(two), minimize(value_and_grad(two), theta[columns], jac=True, method="BFGS").x
    residuals = y - np.dot(X, rest[:-1] + np.dot(best, places)[:-1])
    reach = 2.5 * residuals.std() / np.abs(X[:, columns]).mean()
    away = np.linspace(-reach, reach, 41)
    drop = [[two(best + np.array([dx, dy])) - two(best) for dx in away] for dy in away]
    few = slice(500)  # as many as can be told apart
    regressors = X[few, columns]
    figure = Figure(**WIDE)
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 4))
    panels, valley = [figure.add_subplot(grid[row, 0]) for row in (0, 1)], figure.add_subplot(grid[:, 1])
    for panel, column in zip(panels, columns, strict=True):
        panel.axhline(0, **TRUTH, linewidth=1)
        panel.set(xlabel=f"regressor {column}", ylabel="residual", ylim=np.array([-6, 6]) * residuals.std())
        panel.set_xlim(np.quantile(regressors, [0, 1]))
    panels[0].set_title("A level or a tilt left in the residuals …")
    _valley(best[0] + away, best[1] + away, drop, best, names, valley)
    valley.set_title("… is a gradient")

    def draw(first, second):
        pair = np.array([first, second])
        drop, uphill = two(pair) - two(best), -slope(pair)
        left = residuals[few] - np.dot(regressors, pair - best)
        for panel, regressor in zip(panels, regressors.T, strict=True):
            panel.plot(regressor, left, ".", color=DATA, markersize=3)
            ends = np.array([regressor.min(), regressor.max()])
            panel.plot(ends, np.polyval(np.polyfit(regressor, left, 1), ends), color=ESTIMATE)
        _uphill(pair, uphill, drop, valley)
        return _where(names, pair, uphill, -two(pair), drop)

    sliders = {
        key: slider(name, *_around(middle, 0.9 * reach, middle + 0.5 * reach), f"coefficient of regressor {column}")
        for key, name, middle, column in zip(("first", "second"), names, best, columns, strict=True)
    }
    return Demonstration(
        figure, draw, sliders, "two coefficients, with the residuals they leave and the gradient of the log-likelihood."
    )


def bfgs_steps(negative_log_likelihood, start, theta, y, X, columns=(1, 2)):
    """
    BFGS on a regression, one step at a time.

    Left, the way of two coefficients over the log-likelihood, maximised over all other parameters; right, the size of
    the gradient and the distance from the estimate. Every step is SciPy's own: the fit is run again and stopped one
    iteration later, so that `hess_inv` is known at each.

    Parameters
    ----------
    negative_log_likelihood : callable
        ``negative_log_likelihood(theta, y, X)``, one number, written with `autograd.numpy`; that of a normal
        regression, whose profile likelihood is known exactly.
    start : array_like, shape (K + 1,)
        Where BFGS begins, ``[beta_0, …, beta_{K-1}, log_sigma]``.
    theta : array_like, shape (K + 1,)
        The estimate.
    y : array_like, shape (n,)
    X : array_like, shape (n, K)
    columns : pair of int
        Which two coefficients are shown.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `negative_log_likelihood` is no function.
    ValueError
        Where the data are refused by `helpers.datasets.regression_data`, or `theta` or `columns` do not fit them.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., 2006, section 6.1.
    """
    y, X, columns, names, start, theta = _regression(negative_log_likelihood, y, X, columns, start=start, theta=theta)
    fits = _each_step(negative_log_likelihood, start, y, X)
    covariance = np.linalg.inv(hessian(negative_log_likelihood)(theta, y, X))
    se = np.sqrt(np.diag(covariance))
    gradients = np.array([np.max(np.abs(fit.jac)) for fit in fits])
    distances = np.array([np.max(np.abs(fit.x - theta) / se) for fit in fits])
    errors = [np.sqrt(np.diag(fit.hess_inv)) / se for fit in fits]
    path, best = np.array([fit.x[columns] for fit in fits]), theta[columns]

    figure = Figure(**WIDE)
    valley, progress = figure.subplots(1, 2)
    middle, span = (path.min(axis=0) + path.max(axis=0)) / 2, 0.65 * np.ptp(path, axis=0).max()
    first, second = np.linspace(middle - span, middle + span, 81).T
    away = np.stack(np.meshgrid(first - best[0], second - best[1]), axis=-1)
    inside = np.linalg.inv(covariance[np.ix_(columns, columns)])
    drop = y.size / 2 * np.log1p(np.einsum("...i,ij,...j", away, inside, away) / y.size)
    _valley(first, second, drop, best, names, valley)
    valley.set_title("Two of the coefficients on their way …")
    progress.semilogy(gradients, color=MODEL, label="largest |gradient|")
    progress.semilogy(distances, "--", color=DATA, label="distance, in standard errors")
    progress.axhline(1e-5, **TRUTH, linewidth=1, label="gtol, where BFGS would stop")
    progress.set(xlabel="step", title="… and when they are there")
    progress.legend(loc="upper right")

    def draw(step):
        valley.plot(*path[: step + 1].T, "-", color=ESTIMATE)
        valley.plot(*path[step], "o", color=ESTIMATE, markeredgecolor="black")
        progress.plot([step, step], [gradients[step], distances[step]], "o", color=ESTIMATE, markeredgecolor="black")
        return (
            f"Step {step} of {len(fits) - 1}: {names[0]} = {path[step, 0]:.4f}, {names[1]} = {path[step, 1]:.4f}; "
            f"largest |gradient| {gradients[step]:.1e}, {distances[step]:.1e} standard errors from the estimate. "
            f"Standard errors from hess_inv: {errors[step].min():.2f} to {errors[step].max():.2f} times the right ones."
        )

    sliders = {"step": slider("step", 0, len(fits) - 1, 1, 0, "how many iterations BFGS has done")}
    return Demonstration(figure, draw, sliders, "the steps of BFGS, one by one, up to the estimate.")


def _each_step(objective, start, *data):
    """The results of BFGS stopped after 0, 1, 2, … iterations, up to where it stops by itself."""
    fits, pair = [], value_and_grad(objective)
    while not fits or fits[-1].nit == len(fits) - 1:
        options = {"maxiter": len(fits)}
        fits.append(minimize(pair, start, args=data, jac=True, method="BFGS", options=options))
    return fits[:-1]


def weibull_by_hand(negative_log_likelihood, cumulative_hazard, t, e):
    """
    Scale λ and shape ρ moved by hand: the survival curve over Kaplan–Meier, and the gradient of the log-likelihood.

    Parameters
    ----------
    negative_log_likelihood : callable
        ``negative_log_likelihood(params, t, e)`` with ``params = (lambda_, rho_)``, one number, written with
        `autograd.numpy`.
    cumulative_hazard : callable
        ``cumulative_hazard(params, t)``, at each t.
    t : array_like, shape (n,)
        Durations, in any unit of time.
    e : array_like, shape (n,)
        1 where the event was observed, 0 where the duration is censored.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where a function is none.
    ValueError
        Where the data are refused by `helpers.datasets.survival_data`.
    """
    slope = grad(_function("negative_log_likelihood", negative_log_likelihood))
    _function("cumulative_hazard", cumulative_hazard)
    t, e = survival_data(t, e)
    best = _weibull_fit(negative_log_likelihood, t, e)
    highest = -negative_log_likelihood(best, t, e)
    lambdas, rhos = best[0] * np.linspace(0.3, 4, 60), best[1] * np.linspace(0.6, 2.4, 60)
    surface = [[-negative_log_likelihood((lambda_, rho_), t, e) for lambda_ in lambdas] for rho_ in rhos]
    times, survival, *_ = kaplan_meier(t, e)
    end = np.quantile(t, 0.95)
    ages = np.linspace(0, end, 201)[1:]

    figure = Figure(**WIDE)
    curves, contours = figure.subplots(1, 2)
    plotting.kaplan_meier(t, e, curves)
    curves.get_legend().remove()
    curves.set(xlim=(0, end), xlabel="time", title="A curve through the data …")
    plotting.likelihood_contours(lambdas, rhos, surface, contours)
    contours.plot(*best, "*", color="black", markersize=11)
    contours.set(xlabel="scale λ", ylabel="shape ρ", title="… is a walk uphill")

    def draw(lambda_, rho_):
        params = np.array([lambda_, rho_])
        reached, uphill = -negative_log_likelihood(params, t, e), -slope(params, t, e)
        curves.plot(ages, np.exp(-cumulative_hazard(params, ages)), color=MODEL, label="Weibull")
        curves.legend(loc="upper right")
        _uphill(params, uphill, highest - reached, contours)
        gap = np.max(np.abs(np.exp(-cumulative_hazard(params, times[1:])) - survival[1:]))
        words = _where(("λ", "ρ"), params, uphill, reached, highest - reached)
        return f"{words} The curve is up to {gap:.2f} away from Kaplan–Meier."

    sliders = {
        "lambda_": slider("scale λ", *_around(2.15 * best[0], 1.8 * best[0], 3 * best[0]), "scale λ, in units of time"),
        "rho_": slider("shape ρ", *_around(1.5 * best[1], 0.85 * best[1], 2 * best[1]), "shape ρ, without unit"),
    }
    return Demonstration(
        figure, draw, sliders, "λ and ρ, with the survival curve and the gradient of the log-likelihood."
    )


def _weibull_fit(negative_log_likelihood, t, e):
    """Estimate (λ, ρ) on the log scale, from a start in the units of the data."""
    objective = value_and_grad(lambda theta: negative_log_likelihood(np.exp(theta), t, e) / t.size)
    return np.exp(minimize(objective, np.array([np.log(t.mean()), 0.0]), jac=True, method="BFGS").x)


def share_censored(negative_log_likelihood, lifetimes, followups):
    """
    The share of censored lives, and what it does to the estimate of λ: used properly, dropped, or counted as events.

    The same lives are censored by follow-ups in the same proportions; all follow-ups are stretched by one factor so
    that the share is as wanted.

    Parameters
    ----------
    negative_log_likelihood : callable
        ``negative_log_likelihood(params, t, e)`` with ``params = (lambda_, rho_)``, one number, written with
        `autograd.numpy`.
    lifetimes : array_like, shape (n,)
        Complete lifetimes, in any unit of time, as only a simulation knows them.
    followups : array_like, shape (n,)
        Positive follow-up times, independent of the lifetimes.

    Returns
    -------
    Demonstration

    Raises
    ------
    TypeError
        Where `negative_log_likelihood` is no function.
    ValueError
        Where the data are refused by `helpers.datasets.survival_data` or disagree in length.
    """
    _function("negative_log_likelihood", negative_log_likelihood)
    lifetimes, everyone = survival_data(lifetimes)
    followups = np.array(followups, dtype=float)
    if lifetimes.shape != followups.shape:
        raise ValueError(f"lifetimes has shape {lifetimes.shape}, followups has shape {followups.shape}: must agree")
    if not np.all(followups > 0):
        first = np.flatnonzero(~(followups > 0))[0]
        raise ValueError(f"followups must be positive: followups[{first}] is {followups[first]}")
    shares = np.arange(0, 81, 5)
    looks = {
        "used properly": {"color": ESTIMATE, "linestyle": "-", "marker": "o"},
        "dropped": {"color": "C2", "linestyle": ":", "marker": "s"},
        "counted as events": {"color": "C4", "linestyle": "-.", "marker": "^"},
    }
    estimates, intervals = {way: [] for way in looks}, []
    for share in shares:
        stop = followups * np.quantile(lifetimes / followups, 1 - share / 100)
        t, e = np.minimum(lifetimes, stop), (lifetimes <= stop).astype(float)
        ways = ((t, e), (t[e == 1], e[e == 1]), (t, everyone))
        for way, data in zip(looks, ways, strict=True):
            estimates[way].append(_weibull_fit(negative_log_likelihood, *data))
        lambda_ = estimates["used properly"][-1][0]
        relative = standard_errors(negative_log_likelihood, estimates["used properly"][-1], t, e)[0] / lambda_
        intervals.append(lambda_ * np.exp(1.96 * relative * np.array([-1, 1])))  # of log λ, which has no walls
    complete = estimates["used properly"][0][0]

    end = np.quantile(lifetimes, 0.95)
    ages = np.linspace(0, end, 201)[1:]
    figure = Figure(**WIDE)
    curves, scales = figure.subplots(1, 2)
    curves.plot(*_survived(lifetimes), color=DATA, label="all lifetimes")
    curves.set(xlim=(0, end), ylim=(0, 1.02), xlabel="time", ylabel="survival", title="Fits to what we saw")
    scales.fill_between(shares, *np.transpose(intervals), color=ESTIMATE, alpha=0.25, linewidth=0)
    for way, look in looks.items():
        scales.plot(shares, np.array(estimates[way])[:, 0], **look | {"marker": ""}, label=f"censored {way}")
    scales.axhline(complete, **TRUTH, linewidth=1, label="every life seen to its end")
    scales.set(xlabel="censored (%)", ylabel="estimate of λ", yscale="log", title="Two shortcuts, both downhill")
    scales.legend(loc="lower left")

    def draw(share):
        place = share // 5
        for way, look in looks.items():
            lambda_, rho_ = estimates[way][place]
            curves.plot(ages, np.exp(-((ages / lambda_) ** rho_)), **look | {"marker": ""}, label=way)
            scales.plot(share, lambda_, **look, markersize=9)
        curves.legend(loc="upper right")
        proper, dropped, counted = (estimates[way][place][0] for way in looks)
        low, high = intervals[place]
        return (
            f"{share} % of {lifetimes.size} lives censored. With the censored used properly λ is estimated as "
            f"{proper:.3f} (95% interval {low:.3f} to {high:.3f}), with them dropped as {dropped:.3f}, with them "
            f"counted as events as {counted:.3f}; with every life seen to its end it is {complete:.3f}."
        )

    sliders = {"share": slider("censored (%)", 0, 80, 5, 30, "share of lives that are censored, in percent")}
    return Demonstration(figure, draw, sliders, "the share of censored lives, and with it three estimates of λ.")


def _survived(lifetimes):
    """The share still alive, in steps, where every life was seen to its end."""
    times, survival, *_ = kaplan_meier(lifetimes, np.ones_like(lifetimes))
    return np.repeat(times, 2)[1:], np.repeat(survival, 2)[:-1]
