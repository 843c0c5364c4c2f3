"""The colours of the course stay apart for readers who see fewer of them."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_rgb

from helpers import plotting

# Distance in CAM02-UCS (Luo, Cui & Li 2006), where 1 is about what can just be told apart side by side; in a figure
# colours stand apart and lines are thin, so a multiple is wanted. tab10 comes down to 1.6 (below).
FAR_ENOUGH = 15
SIGHT = ["normal", "deuteranomaly", "protanomaly", "tritanomaly"]


def cycle(style, count=4):
    with plt.style.context(style):
        return [to_rgb(colour) for colour in plt.rcParams["axes.prop_cycle"].by_key()["color"][:count]]


def least_distance(colours, sight):
    """Least distance between any two colours, as seen with a colour vision deficiency (Machado et al. 2009)."""
    if sight != "normal":
        seen = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
        colours = [np.clip(cspace_convert(colour, seen, "sRGB1"), 0, 1) for colour in colours]
    return min(deltaE(a, b, input_space="sRGB1") for a, b in combinations(colours, 2))


@pytest.mark.parametrize("sight", SIGHT)
def test_the_first_four_colours_stay_apart(sight):
    assert least_distance(cycle("helpers.course"), sight) > FAR_ENOUGH


@pytest.mark.parametrize("sight", SIGHT)
def test_data_model_estimate_and_truth_stay_apart(sight):
    with plt.style.context("helpers.course"):
        roles = [plotting.DATA, plotting.MODEL, plotting.ESTIMATE, plotting.TRUTH["color"]]
        colours = [to_rgb(role) for role in roles]
    assert least_distance(colours, sight) > FAR_ENOUGH


def test_matplotlibs_old_colours_would_fail():
    assert least_distance(cycle("default"), "protanomaly") < 2
