"""
Figures that more than one cell or notebook draws: each takes data and an ``ax`` and returns the ``ax``.

Fixed roles everywhere: data grey, model blue, estimate orange, truth dashed black. Notebooks take them from here and
name no colour, font or size themselves; the look is `helpers/course.mplstyle`, used as ``plt.style.use("helpers.course")``.
"""

DATA, MODEL, ESTIMATE = "0.55", "C0", "C1"
TRUTH = {"color": "black", "linestyle": "--"}
