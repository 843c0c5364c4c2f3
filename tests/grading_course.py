"""A course of one small exercise, "90": its answer notebook, what students make of it, and a sandbox that is none."""

import copy
import json

import nbformat
import numpy as np

from solutions import release
from solutions.answers import examine as solutions_of
from solutions.grading import channel, questions

SENTENCES = {
    "wrong-sign": "The gradient points downhill: differentiate the negative log-likelihood.",
    "variance": "That is the variance: take its square root.",
    "no-function": "`median` is bound to a number: bind it to a function of the data.",
}
STEM = "90-small-course"


def cell(source, id, *tags, kind="code"):
    made = {"cell_type": kind, "id": id, "metadata": {"tags": list(tags)} if tags else {}, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def text(source, id, *tags):
    return cell(source, id, *tags, kind="markdown")


def notebook(*cells):
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "cells": copy.deepcopy(list(cells)),
    }


SETUP = """import numpy as np
from helpers.checks import exercise

check = exercise("90", release="answers")"""
BLANKS = {
    "gradient": "gradient = ...  # what goes here?",
    "fit": "def fit(t):\n    return ...  # your code here",
    "median": "median = ...  # what goes here?",
}
ANSWERS = {
    "gradient": "def gradient(rate, t):\n    return t.sum() - len(t) / rate",
    "fit": "def fit(t):\n    return {'mean': t.mean(), 'sd': t.std()}",
    "median": "median = np.median",
}
MISTAKES = {
    "gradient": {"wrong-sign": "def gradient(rate, t):\n    return len(t) / rate - t.sum()"},
    "fit": {"variance": "def fit(t):\n    return {'mean': t.mean(), 'sd': t.var()}"},
    "median": {"no-function": "median = np.median([1.0, 2.0])"},
}
PROBES = {
    "gradient": [
        "# PROBE gradient points=1 rtol=1e-6\nreturned = gradient(0.5, rng.exponential(size=20))",
        "# PROBE gradient points=1 rtol=1e-6\nt = rng.exponential(size=20)\n"
        "returned = [gradient(2.0, t), gradient(3.0, t)]",
    ],
    "fit": [
        "# PROBE fit points=3\nt = 2 + rng.exponential(3, size=50)\nreturned = fit(t)\n"
        "tolerance = 0.01 * returned['sd'] / len(t) ** 0.5"
    ],
    "median": ["# PROBE median points=1 rtol=1e-9\nreturned = median(rng.exponential(size=9))"],
}
WHY = text("**Why** is the mean the estimate?", "why-prompt")


def answer_cell(name, answer=None):
    blank = "\n".join("# BLANK " + line for line in BLANKS[name].splitlines())
    return cell(f"# BEGIN SOLUTION\n{blank}\n{answer or ANSWERS[name]}\n# END SOLUTION", name, "answer")


def answers(**changes):
    """The answer notebook; ``changes`` replaces cells by id (with underscores for hyphens), or drops them (None)."""
    cells = [text("# Small course", "title"), cell(SETUP, "setup", "setup")]
    cells.append(cell("import numpy as np\n\nrng = np.random.default_rng(0)", "probe-setup", "probe-setup"))
    for name in BLANKS:
        for mistake, source in MISTAKES[name].items():
            cells.append(cell(f"# MISTAKE {name} {mistake}\n{source}", f"mistake-{name}-{mistake}", "mistake"))
        cells += [answer_cell(name), cell(f'check("{name}")', f"check-{name}")]
        cells += [cell(source, f"probe-{name}-{i}", "probe") for i, source in enumerate(PROBES[name])]
    cells += [WHY, text("<!-- WRITTEN points=2 -->\nBecause the score is zero there.", "why", "written-answer")]
    cells.append(cell("check.summary()", "summary", "summary"))
    changed = [changes.get(each["id"].replace("-", "_"), each) for each in cells]
    return notebook(*[each for each in changed if each])


def parse(**changes):
    return questions.parse(f"{STEM}.ipynb", json.dumps(answers(**changes)))


def exercise(**answered):
    """The exercise as released, with the sources in ``answered`` in place of blanks, by cell id."""
    book = json.loads(nbformat.writes(release.exercise(solutions_of(f"{STEM}.ipynb", json.dumps(answers())))))
    for each in book["cells"]:
        each["source"] = answered.get(each["id"], "".join(each["source"]))
    return book


def right(**changes):
    """Every answer right, the written one attempted."""
    return exercise(**({"why": "Because."} | ANSWERS | changes))


def dump(book):
    return json.dumps(book, indent=1).encode()


class InProcess:
    """Runs jobs as the sandbox's `Worker` does, without a sandbox: for the course's own code only."""

    def __init__(self, mode=None, limits=None, helpers=None):
        self.runs = 0

    def run(self, job):
        self.runs += 1
        space, taken, ran = {"exercise": None}, {}, []
        for i, each in enumerate(job["cells"]):
            try:
                exec(each["source"].replace("from helpers.checks import exercise", STUB), space)
                ran.append(channel.Ran("ran"))
            except Exception as error:
                ran.append(channel.Ran("raised", channel.Problem(type(error).__name__, str(error))))
            for name in job["questions"]:
                if callable(space.get(name)) and space[name] is not taken.get(name, (0, None))[1]:
                    taken[name] = (i, space[name])
        questions = {name: self._take(job, name, probes, taken, space) for name, probes in job["questions"].items()}
        return channel.Result(questions=questions, cells=ran, isolation="warm", runs=1)

    def run_all(self, jobs):
        return [self.run(job) for job in jobs]

    def _take(self, job, name, probes, taken, space):
        if name in taken:
            return channel.Taken("taken", taken[name][0], [_probed(job, name, p, taken[name][1]) for p in probes])
        state = "missing" if name not in space else "blank" if space[name] is ... else "not callable"
        nothing = channel.Probed(problem=channel.Problem(channel.NOT_RUN, state))
        return channel.Taken(state, None, [nothing] * len(probes))

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


STUB = """class exercise:
    def __init__(self, *a, **k): pass
    def __call__(self, name): return False
    def summary(self): pass"""


def _probed(job, name, probe, answer):
    space = {}
    exec(job["setup"], space)
    space |= {"rng": np.random.default_rng(probe["seed"]), name: answer}
    try:
        exec(probe["source"], space)
        return channel.Probed(_plain(space["returned"]), _plain(space.get("tolerance")))
    except TypeError as error:
        if "ellipsis" in str(error):
            return channel.Probed(problem=channel.Problem(channel.BLANK, "it returns ..."))
        return channel.Probed(problem=channel.Problem("TypeError", str(error)))
    except Exception as error:
        return channel.Probed(problem=channel.Problem(type(error).__name__, str(error)))


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if value is None else np.asarray(value, dtype=float).tolist()
