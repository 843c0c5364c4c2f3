"""
Figures that more than one cell or notebook draws: each takes data and an ``ax`` and returns the ``ax``.

Fixed roles everywhere: data grey, model blue, estimate orange, truth dashed black. Notebooks take them from here and
name no colour, font or size themselves; ``plt.style.use("helpers.course")`` gives the look (`course.mplstyle`).
"""

from itertools import cycle, pairwise

import numpy as np

from helpers import inference

DATA, MODEL, ESTIMATE = "0.55", "C0", "C1"
TRUTH = {"color": "black", "linestyle": "--"}


def isoquants(x, y, output, points, heights, gradients, ax):
    """
    Curves of equal output; through some points of them their own, with the gradient as an arrow.

    Both axes get the same unit length, so that a right angle looks like one.

    Parameters
    ----------
    x, y, output : ndarray, shape (m, k)
        A grid of inputs, as `numpy.meshgrid` makes it, and what they produce; thin curves stand at whole numbers.
    points : ndarray, shape (n, 2)
        Where the arrows begin.
    heights : array_like, shape (n,)
        The output at the points: the levels of their own curves.
    gradients : ndarray, shape (n, 2)
        The arrows, as steps along x and y.
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
    """
    levels = np.arange(np.ceil(np.min(output)), np.max(output))
    whole = ax.contour(x, y, output, levels=levels, colors=DATA, linewidths=1)
    ax.clabel(whole, fmt="%g")
    ax.contour(x, y, output, levels=np.sort(heights), colors=MODEL, linewidths=2)
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.007, "zorder": 3}
    ax.quiver(*np.transpose(points), *np.transpose(gradients), color=ESTIMATE, **arrows)
    ax.plot(*np.transpose(points), "o", color="black", markersize=5, zorder=4)
    ax.set_aspect("equal")
    return ax


def log_log(curves, ax):
    """
    Named curves on two logarithmic axes, told apart by colour and by line style, with a legend.

    Parameters
    ----------
    curves : dict of str to (array_like, array_like)
        Abscissas and ordinates, positive, by the name that the legend shall show.
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
    """
    styles = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3))]
    for (name, (x, y)), style in zip(curves.items(), cycle(styles)):
        ax.loglog(x, y, linestyle=style, label=name)
    ax.legend()
    return ax


def trace(nodes, ax):
    """
    What reverse mode keeps of a run: the operations in order, their values, and the slopes that flow back.

    Each operation is a box on one line; an arrow carries the local derivative of the later value with respect to the
    earlier one; below a box stands the derivative of the last value with respect to this one.

    Parameters
    ----------
    nodes : sequence
        In the order of the run. Each has ``name``, ``value``, ``slope`` and ``parents``, a list of pairs
        ``(earlier node, local derivative)``.
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
    """
    place = {id(node): i for i, node in enumerate(nodes)}
    for i, node in enumerate(nodes):
        for parent, local in node.parents:
            start, skips = place[id(parent)], i - place[id(parent)] > 1
            bend = 0.35 if skips else 0.0  # of the length of the arrow; its middle rises by half of that
            style = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={-bend}", "color": DATA, "linewidth": 1.5}
            ax.annotate("", (i, 0.0), (start, 0.0), arrowprops={**style, "shrinkA": 30, "shrinkB": 30})
            ax.text((start + i) / 2, bend / 2 * (i - start) + 0.05, f"{local:.3f}", ha="center", va="bottom")
        ax.text(i, 0.0, f"{node.name}\n{node.value:.3f}", **_box(MODEL, fill="white"))
        ax.text(i, -0.5, f"{node.slope:.3f}", **_box(ESTIMATE, fill=ESTIMATE))
    ax.set(xlim=(-0.5, len(nodes) - 0.5), ylim=(-0.7, 0.9), aspect="equal")
    ax.set_axis_off()
    return ax


def _box(edge, fill):
    box = {"boxstyle": "round,pad=0.4", "edgecolor": edge, "facecolor": fill, "linewidth": 1.5}
    return {"ha": "center", "va": "center", "bbox": box, "zorder": 3}


def relative(table, reference, ax):
    """
    Columns of a table as multiples of a reference, row by row: a marker each on a logarithmic axis, dashed line at 1.

    Parameters
    ----------
    table : pandas.DataFrame
        Positive numbers; missing ones are not drawn. Its index names the rows along the x-axis.
    reference : pandas.Series
        Positive, with the same index.
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax.axhline(1, zorder=0, **TRUTH)
    looks = [("s", "C4"), ("D", "C3"), ("x", MODEL), ("o", ESTIMATE), ("^", "C2")]
    for (name, column), (marker, colour) in zip(table.items(), cycle(looks)):
        ratio = column / reference
        ax.plot(range(len(ratio)), ratio, marker, color=colour, fillstyle="none", markersize=8, label=name)
    ax.set_xticks(range(len(table)), table.index, rotation=60)
    ax.set_yscale("log")
    ax.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    ax.minorticks_off()
    ax.legend()
    return ax


def speed_gains(milliseconds, ax):
    """
    Time against the number of coefficients on log axes, and how much of the gain is algorithm, how much gradient.

    Parameters
    ----------
    milliseconds : pandas.DataFrame
        One row a size (the index), columns (algorithm, gradient): two algorithms, the slow one first, each with the
        same two kinds of gradient, the slow one first. Processor time in milliseconds.
    ax : matplotlib.axes.Axes

    Returns
    -------
    matplotlib.axes.Axes
        Colour tells the algorithms apart, line style and marker the gradients; arrows at the largest size split the
        way from the slowest line to the fastest.
    """
    sizes, columns = list(milliseconds.index), list(milliseconds.columns)
    algorithms, gradients = (list(dict.fromkeys(names)) for names in zip(*columns, strict=True))
    for algorithm, gradient in columns:
        colour = ("C2", "C4")[algorithms.index(algorithm)]
        style = ("o--", "s-")[gradients.index(gradient)]
        times = milliseconds[algorithm, gradient]
        ax.plot(sizes, times, style, color=colour, label=f"{algorithm}, {gradient}")
    last = milliseconds.iloc[-1]
    levels = [last[algorithms[0], gradients[0]], last[algorithms[1], gradients[0]], last[algorithms[1], gradients[1]]]
    for cause, (high, low) in zip(("algorithm", "gradient"), pairwise(levels), strict=True):
        at = 1.12 * sizes[-1]
        ax.annotate("", xy=(at, low), xytext=(at, high), arrowprops={"arrowstyle": "-|>", "color": "black"})
        ax.text(1.05 * at, (high * low) ** 0.5, f"{cause}\n{high / low:.0f}×", va="center")
    ax.set(xscale="log", yscale="log", xlim=(0.85 * sizes[0], 1.9 * sizes[-1]))
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="coefficients K", ylabel="processor time of a fit (ms)")
    ax.legend()
    return ax


def timeline(t, e, ax, lifetimes=None):
    """
    One line a subject, from entry to the end of observation: a full marker for an event, a hollow one if censored.

    Parameters
    ----------
    t : ndarray, shape (n,)
        Durations, in units of time; label the axis with them.
    e : ndarray, shape (n,)
        1 where the event was observed, 0 where the duration is censored.
    ax : matplotlib.axes.Axes
    lifetimes : ndarray, shape (n,), optional
        What only a simulation knows: the rest of each censored life is dashed.

    Returns
    -------
    matplotlib.axes.Axes
    """
    subject = np.arange(1, t.size + 1)
    seen = e == 1
    ax.hlines(subject, 0, t, color=DATA)
    if lifetimes is not None:
        ax.hlines(subject[~seen], t[~seen], lifetimes[~seen], **TRUTH, linewidth=1.5, label="lived, but not seen")
    marker = {"linestyle": "none", "marker": "o", "markersize": 9, "markeredgewidth": 2, "color": DATA}
    ax.plot(t[seen], subject[seen], **marker, label="event")
    ax.plot(t[~seen], subject[~seen], **marker, markerfacecolor="white", label="censored")
    ax.set_yticks(subject)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_ylabel("subject")
    ax.legend()
    return ax


def kaplan_meier(t, e, ax, level=0.95, **style):
    """
    The Kaplan–Meier estimate as steps, its pointwise interval as a band.

    Parameters
    ----------
    t, e, level
        As `helpers.inference.kaplan_meier`.
    ax : matplotlib.axes.Axes
    **style
        Of the steps, for `matplotlib.axes.Axes.step`: another label, another line style.

    Returns
    -------
    matplotlib.axes.Axes
    """
    times, survival, low, high = inference.kaplan_meier(t, e, level)
    style = {"color": DATA, "label": "Kaplan–Meier", **style}
    ax.step(times, survival, where="post", **style)
    last = np.flatnonzero(np.isfinite(low))[-1]  # nobody survives, no interval: carry the band up to there
    low, high = (np.where(np.isfinite(end), end, end[last]) for end in (low, high))
    ax.fill_between(times, low, high, step="post", color=style["color"], alpha=0.25, linewidth=0)
    ax.set(xlim=(0, times[-1]), ylim=(0, 1.02), ylabel="survival")
    ax.legend()
    return ax


def likelihood_contours(first, second, log_likelihood, ax, path=None):
    """
    A log-likelihood of two parameters as contours, labelled by how far they lie below the highest value.

    Parameters
    ----------
    first : ndarray, shape (m,)
        Values of the first parameter, drawn along x.
    second : ndarray, shape (k,)
        Values of the second, drawn along y.
    log_likelihood : ndarray, shape (k, m)
        On their grid; rows follow ``second``.
    ax : matplotlib.axes.Axes
    path : array_like, shape (j, 2), optional
        Where an optimiser went, step by step; the last point is the estimate.

    Returns
    -------
    matplotlib.axes.Axes
    """
    log_likelihood = np.asarray(log_likelihood)
    below = log_likelihood - log_likelihood.max()
    lines = {"colors": MODEL, "linestyles": "solid", "linewidths": 1.5}
    curves = ax.contour(first, second, below, levels=(-1000, -300, -100, -30, -10, -3), **lines)
    ax.clabel(curves, fmt=lambda level: f"−{-level:.0f}")
    if path is not None:
        path = np.asarray(path)
        ax.plot(*path.T, "o-", color=ESTIMATE, linewidth=1.5, markersize=5, label="optimiser's path")
        ax.plot(*path[-1], "*", color=ESTIMATE, markeredgecolor="black", markersize=16, label="estimate")
        ax.legend()
    return ax
