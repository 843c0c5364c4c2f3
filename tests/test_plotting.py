"""Figures are tested by what they show: data, labels, legend; never by pixels."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver
from numpy.testing import assert_allclose

from helpers import inference, plotting


@pytest.fixture
def ax():
    with plt.style.context("helpers.course"):
        figure, ax = plt.subplots()
        yield ax
        figure.canvas.draw()  # nothing that only fails when it is drawn
        plt.close(figure)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


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


def test_timeline_ends_each_line_in_the_marker_that_says_why(ax):
    t, e = np.array([3.0, 2.0, 5.0]), np.array([1.0, 0.0, 0.0])
    assert plotting.timeline(t, e, ax, lifetimes=np.array([3.0, 4.0, 9.0])) is ax
    observed, unseen = (collection.get_segments() for collection in ax.collections)
    np.testing.assert_array_equal([line[:, 0] for line in observed], [[0, 3], [0, 2], [0, 5]])
    np.testing.assert_array_equal([line[:, 0] for line in unseen], [[2, 4], [5, 9]])
    full, hollow = ax.lines
    np.testing.assert_array_equal(full.get_xydata(), [[3, 1]])
    np.testing.assert_array_equal(hollow.get_xydata(), [[2, 2], [5, 3]])
    assert hollow.get_markerfacecolor() == "white"
    assert legend(ax) == ["lived, but not seen", "event", "censored"]
    assert ax.get_ylabel() == "subject"


def test_timeline_of_real_data_dashes_nothing(ax):
    plotting.timeline(np.array([3.0, 2.0]), np.array([1.0, 0.0]), ax)
    assert len(ax.collections) == 1
    assert legend(ax) == ["event", "censored"]


def test_kaplan_meier_draws_the_steps_and_their_band(ax):
    t, e = np.array([1.0, 2.0, 2.0, 4.0, 6.0]), np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    assert plotting.kaplan_meier(t, e, ax, label="all five", linestyle="--") is ax
    times, survival, low, high = inference.kaplan_meier(t, e)
    (steps,) = ax.lines
    np.testing.assert_array_equal(steps.get_xydata(), np.column_stack([times, survival]))
    assert steps.get_drawstyle() == "steps-post"
    assert (steps.get_linestyle(), steps.get_color()) == ("--", plotting.DATA)
    band = ax.collections[0].get_paths()[0].vertices
    assert {round(value, 9) for value in (*low, *high)} <= {round(value, 9) for value in band[:, 1]}
    assert legend(ax) == ["all five"]
    assert ax.get_ylabel() == "survival"


def test_kaplan_meier_carries_the_band_to_where_the_last_one_fails(ax):
    plotting.kaplan_meier(np.array([1.0, 2.0, 3.0]), np.ones(3), ax)
    assert ax.lines[0].get_ydata()[-1] == 0
    band = ax.collections[0].get_paths()[0].vertices
    assert np.all(np.isfinite(band))
    assert band[:, 0].max() == 3


def test_likelihood_contours_put_rows_on_the_second_parameter_and_end_the_path_in_a_star(ax):
    first, second = np.linspace(-2, 2, 41), np.linspace(-10, 10, 31)
    surface = 7 - first**2 - 4 * (second[:, None] - 1) ** 2
    path = [[-1.0, 5.0], [0.5, 2.0], [0.0, 1.0]]
    assert plotting.likelihood_contours(first, second, surface, ax, path=path) is ax
    curves = ax.collections[0]
    for level, curve in zip(curves.levels, curves.get_paths(), strict=True):
        x, y = curve.vertices.T
        np.testing.assert_allclose(-(x**2) - 4 * (y - 1) ** 2, level, atol=0.6)
    walked, star = ax.lines
    np.testing.assert_array_equal(walked.get_xydata(), path)
    np.testing.assert_array_equal(star.get_xydata(), path[-1:])
    assert "−10" in {text.get_text() for text in ax.texts}
    assert legend(ax) == ["optimiser's path", "estimate"]


def test_likelihood_contours_without_a_path_need_no_legend(ax):
    first, second = np.linspace(-2, 2, 9), np.linspace(-3, 3, 11)
    plotting.likelihood_contours(first, second, -(first**2) - 4 * second[:, None] ** 2, ax)
    assert not ax.lines
    assert ax.get_legend() is None


def test_relative_draws_multiples_of_the_reference_and_skips_what_is_missing(ax):
    table = pd.DataFrame({"a": [1.0, 4.0, np.nan], "b": [0.2, 2.0, 3.0]}, index=["one", "two", "three"])
    assert plotting.relative(table, pd.Series([2.0, 2.0, 3.0], index=table.index), ax) is ax
    unity, first, second = ax.lines
    assert_allclose(unity.get_ydata(), 1)
    assert unity.get_linestyle() == plotting.TRUTH["linestyle"]
    assert_allclose(first.get_ydata(), [0.5, 2.0, np.nan])
    assert_allclose(second.get_ydata(), [0.1, 1.0, 1.0])
    assert first.get_marker() != second.get_marker()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["one", "two", "three"]
    assert ax.get_yscale() == "log"
    assert legend(ax) == ["a", "b"]


def test_speed_gains_splits_the_way_from_the_slowest_to_the_fastest(ax):
    columns = pd.MultiIndex.from_product([["source", "done well"], ["no gradient", "autograd"]])
    milliseconds = pd.DataFrame([[40.0, 20.0, 8.0, 4.0], [600.0, 90.0, 30.0, 5.0]], index=[10, 100], columns=columns)
    assert plotting.speed_gains(milliseconds, ax) is ax
    for line, column in zip(ax.lines, columns, strict=True):
        assert_allclose(line.get_xydata(), np.column_stack([[10, 100], milliseconds[column]]))
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-", "--", "-"]
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()
    arrows = [(text.xyann[1], text.xy[1]) for text in ax.texts if getattr(text, "arrow_patch", None)]
    assert arrows == [(600.0, 30.0), (30.0, 5.0)]
    assert {"algorithm\n20×", "gradient\n6×"} <= set(texts(ax))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert legend(ax) == [", ".join(column) for column in columns]
