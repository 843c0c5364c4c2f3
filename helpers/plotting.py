"""
Figures that more than one cell or notebook draws: each takes data and an ``ax`` and returns the ``ax``.

Fixed roles everywhere: data grey, model blue, estimate orange, truth dashed black. Notebooks take them from here and
name no colour, font or size themselves; ``plt.style.use("helpers.course")`` gives the look (`course.mplstyle`).
"""

DATA, MODEL, ESTIMATE = "0.55", "C0", "C1"
TRUTH = {"color": "black", "linestyle": "--"}
