"""Figures are tested by what they show: data, labels, legend; never by pixels."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver
from numpy.testing import assert_allclose

from helpers import plotting


@pytest.fixture
def ax():
    with plt.style.context("helpers.course"):
        figure, ax = plt.subplots()
        yield ax
        figure.canvas.draw()  # nothing that only fails when it is drawn
        plt.close(figure)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_isoquants_run_through_their_points_and_arrows_are_the_gradients(ax):
    x, y = np.meshgrid(np.linspace(0.1, 4, 50), np.linspace(0.1, 3, 40))
    points = np.array([[2.0, 1.0], [1.0, 2.5]])
    heights, gradients = points.prod(axis=1), points[:, ::-1]
    assert plotting.isoquants(x, y, x * y, points, heights, gradients, ax) is ax

    (arrows,) = [artist for artist in ax.collections if isinstance(artist, Quiver)]
    whole, through = [artist for artist in ax.collections if not isinstance(artist, Quiver)]
    assert_allclose(whole.levels, np.arange(1, 12))
    assert_allclose(through.levels, [2.0, 2.5])
    for path, height in zip(through.get_paths(), through.levels, strict=True):
        assert_allclose(path.vertices.prod(axis=1), height, rtol=0.05)
    assert_allclose(arrows.get_offsets(), points)
    assert_allclose(np.column_stack([arrows.U, arrows.V]), gradients)
    assert (arrows.angles, arrows.scale_units, arrows.scale) == ("xy", "xy", 1)
    assert_allclose(arrows.get_facecolor()[0], to_rgba(plotting.ESTIMATE))
    assert_allclose(ax.lines[0].get_xydata(), points)
    assert ax.get_aspect() == 1, "a right angle must look like one"


def test_log_log_tells_curves_apart_without_colour(ax):
    curves = {f"curve {i}": ([1.0, 10.0], [10.0**i, 1.0]) for i in range(5)}
    assert plotting.log_log(curves, ax) is ax

    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(curves)
    for line, (x, y) in zip(ax.lines, curves.values(), strict=True):
        assert_allclose(line.get_xydata(), np.column_stack([x, y]))
    assert len({str(line._unscaled_dash_pattern) for line in ax.lines}) == 5


def test_trace_shows_names_values_slopes_and_every_local_derivative(ax):
    x = SimpleNamespace(name="x", value=2.0, slope=9.0, parents=[])
    square = SimpleNamespace(name="square", value=4.0, slope=2.0, parents=[(x, 4.0)])
    total = SimpleNamespace(name="+", value=6.0, slope=1.0, parents=[(square, 2.0), (x, 1.0)])
    assert plotting.trace([x, square, total], ax) is ax

    shown = texts(ax)
    assert {"x\n2.000", "square\n4.000", "+\n6.000"} <= set(shown), "boxes"
    assert {"9.000", "2.000", "1.000"} <= set(shown), "slopes"
    arrows = [(text.xyann, text.xy) for text in ax.texts if getattr(text, "arrow_patch", None)]
    assert arrows == [((0, 0.0), (1, 0.0)), ((1, 0.0), (2, 0.0)), ((0, 0.0), (2, 0.0))]
    height = {text.get_position(): text.get_text() for text in ax.texts}
    assert height[(0.5, 0.05)] == "4.000"
    assert height[(1.5, 0.05)] == "2.000"
    assert height[(1.0, 0.35 + 0.05)] == "1.000", "the label of the arc stands above it"
    assert not ax.axison
