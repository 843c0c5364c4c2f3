"""Show outcomes: a word and a symbol carry the meaning, colour only repeats it."""

import html
import os
import re
import sys

from helpers.checks.judging import CORRECT, NOT_ATTEMPTED, NOT_YET

SYMBOL = {CORRECT: "✔", NOT_YET: "✘", NOT_ATTEMPTED: "○"}
# Dark ink on its own light ground: contrast above 7, in a light JupyterLab and in a dark one.
INK = {CORRECT: "#0f4d1f", NOT_YET: "#6b2f00", NOT_ATTEMPTED: "#3d3d3d"}
GROUND = {CORRECT: "#e2f4e5", NOT_YET: "#fdebd3", NOT_ATTEMPTED: "#ececec"}
ANSI = {CORRECT: "32", NOT_YET: "33", NOT_ATTEMPTED: "2"}


def show_outcome(outcome):
    """Show one outcome where the student reads it: a notebook, a terminal, a file."""
    lines = [outcome.reason] if outcome.reason else []
    _show(outcome.state, f"{SYMBOL[outcome.state]} {outcome.name}: {outcome.state}", lines, outcome.traceback)


def show_summary(outcomes, notebook):
    """Show how many questions are answered and correct, which are open, and what to do next."""
    names = {state: [outcome.name for outcome in outcomes if outcome.state == state] for state in SYMBOL}
    answered = len(outcomes) - len(names[NOT_ATTEMPTED])
    lines = [
        f"{SYMBOL[state]} {state}: {', '.join(f'`{name}`' for name in names[state])}"
        for state in (NOT_ATTEMPTED, NOT_YET)
        if names[state]
    ]
    if answered == len(outcomes):
        lines.append(f"All questions are answered: save this notebook and hand in `{notebook}`.")
    state = CORRECT if len(names[CORRECT]) == len(outcomes) else NOT_YET if answered else NOT_ATTEMPTED
    _show(state, f"{answered} of {len(outcomes)} answered, {len(names[CORRECT])} correct", lines)


def _show(state, head, lines, traceback=""):
    plain = "\n  ".join([head, *lines])
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and type(shell).__name__ != "TerminalInteractiveShell":
        from IPython.display import display

        display({"text/plain": plain, "text/html": _page(state, head, lines, traceback)}, raw=True)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = plain.encode(encoding, "replace").decode(encoding)  # a Windows console may know no check mark
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"\033[{ANSI[state]}m{plain}\033[0m" if colour else plain)


def _page(state, head, lines, traceback):
    rows = "".join(f"<div>{_marked(line)}</div>" for line in lines)
    if traceback:
        rows += f"<details><summary>the whole error</summary><pre>{html.escape(traceback)}</pre></details>"
    return (
        f'<div style="color: {INK[state]}; background-color: {GROUND[state]}; border-left: 5px solid {INK[state]}; '
        f'padding: 6px 10px; margin: 2px 0;"><strong>{_marked(head)}</strong>{rows}</div>'
    )


def _marked(text):
    style = "color: inherit; background-color: transparent; padding: 0;"
    return re.sub(r"`([^`]+)`", rf'<code style="{style}">\1</code>', html.escape(text))
