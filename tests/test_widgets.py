"""A slider moves the picture and its words; where nothing can show it a sentence stands there; bad input is named."""

import io
import re

import matplotlib.image
import matplotlib.pyplot as plt
import nbformat
import pytest
from autograd import numpy as np
from matplotlib.figure import Figure

from helpers import likelihoods, simulate, widgets
from solutions.refresh import ROOT

VIEW = "application/vnd.jupyter.widget-view+json"


def output(x, y):
    return x**0.8 * y**0.2


def nested(x, depth=100):
    y = 0.0
    for _ in range(depth):
        y = np.sin(y + x)
    return y


def regression_objective(theta, y, X):
    return -np.sum(likelihoods.normal_regression(theta, y, X))


def cumulative_hazard(params, t):
    return (t / params[0]) ** params[1]


def weibull_objective(params, t, e):
    return -np.sum(likelihoods.weibull(np.log(params), t, e))


def regression(n):
    y, X = simulate.regression(n, [1.0, 0.7, -0.4], 2.0, np.random.default_rng(1))
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    return np.append(beta, np.log(np.std(y - X @ beta))), y, X


def by_hand(n, **changes):
    theta, y, X = regression(n)
    return widgets.coefficients_by_hand(
        **{"negative_log_likelihood": regression_objective, "theta": theta, "y": y, "X": X} | changes
    )


def steps(n, **changes):
    theta, y, X = regression(n)
    given = {"negative_log_likelihood": regression_objective, "start": np.zeros(4), "theta": theta, "y": y, "X": X}
    return widgets.bfgs_steps(**given | changes)


def curve(n, **changes):
    t, e = simulate.weibull_censored(n, 2.0, 1.5, 3.0, np.random.default_rng(2))
    given = {"negative_log_likelihood": weibull_objective, "cumulative_hazard": cumulative_hazard, "t": t, "e": e}
    return widgets.weibull_by_hand(**given | changes)


def censored(n, **changes):
    rng = np.random.default_rng(3)
    given = {"lifetimes": simulate.weibull(n, 2.0, 1.5, rng), "followups": rng.exponential(size=n)}
    return widgets.share_censored(**{"negative_log_likelihood": weibull_objective} | given | changes)


DEMOS = {  # made from n observations, where there are any
    "cobb_douglas_point": lambda n: widgets.cobb_douglas_point(output),
    "nested_sine": lambda n: widgets.nested_sine(nested),
    "shrinking_secant": lambda n: widgets.shrinking_secant(nested),
    "coefficients_by_hand": by_hand,
    "bfgs_steps": steps,
    "weibull_by_hand": curve,
    "share_censored": censored,
}


@pytest.fixture(scope="module", params=DEMOS)
def demo(request):
    return DEMOS[request.param](200)


def pixels(demo):
    return matplotlib.image.imread(io.BytesIO(demo.picture.value), format="png")


def numbers(demo):
    return [float(number) for number in re.findall(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]\d+)?", demo.words.value)]


def test_every_slider_moves_the_picture_and_the_words_and_brings_both_back(demo):
    for control in demo.sliders.values():
        start, picture, words, shape = control.value, demo.picture.value, demo.words.value, pixels(demo).shape
        for end in (control.min, control.max):
            if end != start:
                control.value = end
                assert demo.picture.value != picture
                assert demo.words.value != words
                assert pixels(demo).shape == shape
        control.value = start
        assert (demo.picture.value, demo.words.value) == (picture, words)


def test_no_figure_stays_open(demo):
    assert plt.get_fignums() == []


def test_sliders_are_labelled_and_report_when_they_come_to_rest(demo):
    for control in demo.sliders.values():
        assert control.description
        assert len(control.tooltip) > len(control.description)
        assert not control.continuous_update
    assert demo.picture.tooltip
    assert demo.picture.description == ""  # without it the front end shows an error in place of the picture
    assert demo.children == (*demo.sliders.values(), demo.picture, demo.words)


def test_a_sentence_without_numbers_stands_where_no_widget_can_be_shown(demo):
    bundle = demo._repr_mimebundle_()
    assert set(bundle) == {"text/plain", VIEW}
    assert bundle[VIEW]["model_id"] == demo.model_id
    assert bundle["text/plain"].startswith("Run this notebook in Jupyter to move here: ")
    assert bundle["text/plain"].endswith(".")
    assert not re.search(r"\d", bundle["text/plain"])
    assert max(map(len, bundle["text/plain"].splitlines())) <= 88


def test_every_widget_stands_in_one_lesson_with_two_questions_after_it():
    used = []
    for path in ROOT.glob("notebooks/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        for cell, after in zip(cells, cells[1:], strict=False):
            if cell.cell_type == "code" and (called := re.search(r"^widgets\.(\w+)\(", cell.source, flags=re.M)):
                used.append(called[1])
                assert re.search(r"1\. .+\?.*2\. .+\?", after.source, flags=re.S), f"{path.name}, {after.id}"
    assert sorted(used) == sorted(DEMOS)


def test_the_picture_is_drawn_over_a_still_one_and_nothing_stays():
    figure = Figure(figsize=(2, 2))
    ax = figure.subplots()
    ax.plot([0, 1], [0, 1])

    def draw(height):
        ax.axhline(height)
        ax.contour([[0, 1], [1, height]])
        return ""

    demo = widgets.Demonstration(figure, draw, {"height": widgets.slider("height", 0, 9, 1, 2, "its height")}, "it.")
    limits = ax.axis()
    demo.sliders["height"].value = 8
    assert ax.axis() == limits
    assert len(ax.lines) == 1
    assert len(ax.collections) == 0


def test_a_picture_that_cannot_follow_says_why():
    def draw(height):
        return f"{1 / height}"

    demo = widgets.Demonstration(Figure(), draw, {"height": widgets.slider("height", 0, 2, 1, 1, "its height")}, "it.")
    with pytest.raises(ZeroDivisionError):
        demo.sliders["height"].value = 0
    assert demo.words.value == "The picture could not follow: ZeroDivisionError: division by zero"
    demo.sliders["height"].value = 2
    assert demo.words.value == "0.5"


def test_the_tangent_plane_lies_above_a_concave_surface():
    demo = widgets.cobb_douglas_point(output)
    *_, gained, promised = numbers(demo)
    assert 0 < gained < promised


def test_the_slope_at_zero_is_the_depth():
    demo = widgets.nested_sine(nested)
    for depth in (1, 7, 100):
        demo.sliders["depth"].value = depth
        assert numbers(demo)[-1] == depth


def test_the_secant_is_best_neither_at_the_longest_nor_at_the_shortest_step():
    demo, error = widgets.shrinking_secant(nested), {}
    for exponent in (0.0, -8.0, -15.0):
        demo.sliders["exponent"].value = exponent
        error[exponent] = numbers(demo)[3]
    assert error[-8.0] < 1e-6 < min(error[0.0], error[-15.0])


def test_the_gradient_says_which_way_is_up():
    demo, (theta, *_) = by_hand(200), regression(200)
    for first, second in ((0.2, 0.2), (-0.2, -0.2)):
        demo.sliders["first"].value, demo.sliders["second"].value = theta[1] + first, theta[2] + second
        assert ("lower β₁, lower β₂" if first > 0 else "raise β₁, raise β₂") in demo.words.value


def test_bfgs_starts_at_the_start_and_ends_at_the_estimate():
    demo = steps(200)
    assert "β₁ = 0.0000, β₂ = 0.0000" in demo.words.value
    demo.sliders["step"].value = demo.sliders["step"].max
    theta, *_ = regression(200)
    assert f"β₁ = {theta[1]:.4f}, β₂ = {theta[2]:.4f}" in demo.words.value


def test_a_curve_at_the_estimate_is_close_to_kaplan_meier():
    demo = curve(500)
    far = numbers(demo)[-1]
    demo.sliders["lambda_"].value, demo.sliders["rho_"].value = 2.0, 1.5
    assert numbers(demo)[-1] < 0.08 < far


def test_only_the_proper_use_of_censored_lives_keeps_the_scale():
    demo = censored(1000)
    demo.sliders["share"].value = 0
    _, _, proper, _, _, _, dropped, counted, complete = numbers(demo)
    assert proper == dropped == counted == complete
    demo.sliders["share"].value = 50
    _, _, proper, _, low, high, dropped, counted, complete = numbers(demo)
    assert low < complete < high
    assert max(dropped, counted) < low


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: widgets.cobb_douglas_point(3.0), TypeError, "f must be a function, got float"),
        (lambda: widgets.cobb_douglas_point(output, x=9.0), ValueError, "labour x must lie between 0.5 and 5.5, got 9"),
        (lambda: widgets.nested_sine(None), TypeError, "f must be a function"),
        (lambda: widgets.nested_sine(nested, depth=0), ValueError, "depth must lie between 1 and 100, got 0"),
        (lambda: widgets.shrinking_secant("sin"), TypeError, "f must be a function, got str"),
        (lambda: by_hand(20, negative_log_likelihood=1), TypeError, "negative_log_likelihood must be a function"),
        (lambda: by_hand(20, theta=np.zeros(3)), ValueError, r"theta must have shape \(4,\)"),
        (lambda: by_hand(20, columns=(1, 1)), ValueError, "columns must be two different columns of X, 0 to 2"),
        (lambda: by_hand(20, columns=(1, 3)), ValueError, "columns must be two different columns of X, 0 to 2"),
        (lambda: by_hand(20, y=np.full(20, np.nan)), ValueError, r"y\[0\] is nan"),
        (lambda: steps(20, start=np.zeros(5)), ValueError, r"start must have shape \(4,\)"),
        (lambda: curve(20, cumulative_hazard=None), TypeError, "cumulative_hazard must be a function"),
        (lambda: curve(20, t=-np.ones(20)), ValueError, r"durations\[0\] is -1.0"),
        (lambda: censored(20, followups=np.ones(3)), ValueError, r"followups has shape \(3,\)"),
        (
            lambda: censored(20, followups=np.zeros(20)),
            ValueError,
            r"followups must be positive: followups\[0\] is 0.0",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
