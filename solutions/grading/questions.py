"""Answer notebook → questions: name, points, probes, tolerances, named mistakes."""

import ast
import hashlib
import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from solutions.grading.submission import CALL, read

ROOT = Path(__file__).resolve().parents[2]
PROBE = re.compile(r"# PROBE (?P<name>\w+)(?P<options>(?: +\w+=\S+)*) *")
MISTAKE = re.compile(r"# MISTAKE (?P<name>\w+) +(?P<id>[\w-]+) *")
WRITTEN = re.compile(r"<!-- WRITTEN points=(?P<points>[\d.]+) -->\s*")
MARKER = re.compile(r"^\s*# (BEGIN SOLUTION|END SOLUTION|BLANK\b.*)\n?", re.MULTILINE)
NOT_ANSWERED = "*Write your answer here.*"
INSTRUCTORS = {"probe-setup", "probe", "mistake"}


@dataclass(frozen=True)
class Probe:
    """One call of an answer with the instructor's data; ``code`` sets ``returned``, and may set ``tolerance``."""

    question: str
    points: float
    code: str
    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Question:
    """
    One blank, or one written answer (then ``probes`` is empty, ``name`` the id of its cell, and a person marks it).

    ``answer`` is the model answer, ``mistakes`` the code of each named mistake, ``sentences`` what is said of it.
    """

    name: str
    points: float
    probes: tuple = ()
    answer: str = ""
    mistakes: tuple = ()
    sentences: tuple = ()
    prompt: str = ""

    @property
    def written(self):
        return not self.probes


@dataclass(frozen=True)
class Exercise:
    """An answer notebook; ``cells`` are its code cells without probes and mistakes: what a perfect student hands in."""

    number: str
    stem: str
    release: str
    cells: tuple
    probe_setup: str
    questions: tuple
    digest: str

    @property
    def points(self):
        return sum(question.points for question in self.questions)

    @property
    def probes(self):
        return [probe for question in self.questions for probe in question.probes]


def load(paths):
    """
    Read answer notebooks.

    Parameters
    ----------
    paths : pathlib.Path
        A folder of answer notebooks, or one of them.

    Returns
    -------
    dict of str to Exercise
        By number, sorted.

    Raises
    ------
    ValueError
        Where a notebook is not written as FORMAT says: names the notebook, the cell and the line.
    FileNotFoundError
        Where there is no answer notebook.
    """
    found = sorted(paths.glob("[0-9][0-9]-*.ipynb")) if paths.is_dir() else [paths]
    if not found or not found[0].is_file():
        raise FileNotFoundError(f"no answer notebooks NN-….ipynb in {paths}")
    exercises = [parse(path.stem, path.read_bytes(), released(path)) for path in found]
    return {exercise.number: exercise for exercise in exercises}


def released(path):
    """The release that students have: what stands in the exercise of the same name, "" where it was never released."""
    exercise = path.resolve().parent.parent / "exercises" / path.name
    if not exercise.is_file():
        return ""
    cells, _ = read(exercise.read_bytes())
    return next((match["release"] or "" for cell in cells for match in CALL.finditer(cell.source)), "")


def parse(stem, data, release=""):
    """
    Parse one answer notebook.

    Parameters
    ----------
    stem : str
        Of its file name, as in ``"03-weibull-survival"``.
    data : bytes
    release : str
        The present release; "" takes the one that the answer notebook itself names.

    Returns
    -------
    Exercise

    Raises
    ------
    ValueError
        Names the notebook, the cell and what is wrong.
    """
    cells, _ = read(data)
    calls = [match for cell in cells if cell.kind == "code" for match in CALL.finditer(cell.source)]
    if len(calls) != 1:
        raise ValueError(f'{stem}: needs exactly one call of exercise("NN", release="…"), found {len(calls)}')
    number = calls[0]["number"]
    questions = _questions(stem, number, cells)
    return Exercise(
        number=number,
        stem=stem,
        release=release or calls[0]["release"] or "",
        cells=tuple(cell.source for cell in cells if cell.kind == "code" and not INSTRUCTORS & set(cell.tags)),
        probe_setup="\n".join(cell.source for cell in cells if "probe-setup" in cell.tags),
        questions=tuple(questions),
        digest=hashlib.sha256(data).hexdigest(),
    )


def _questions(stem, number, cells):
    """Questions in the order of their first probe, or of their cell where the answer is written."""
    probes, mistakes, written, prompt = {}, {}, {}, ""
    for cell in cells:
        where = f"{stem}, cell {cell.id or '?'}, line 1"
        if "probe" in cell.tags:
            probe = _probe(where, cell.source)
            probes.setdefault(probe.question, []).append(probe)
        elif "mistake" in cell.tags:
            match = _header(MISTAKE, where, cell.source, "# MISTAKE name mistake-id")
            mistakes.setdefault(match["name"], {})[match["id"]] = cell.source
        elif "written-answer" in cell.tags:
            match = _header(WRITTEN, where, cell.source, "<!-- WRITTEN points=2 -->")
            answer = cell.source[match.end() :].strip()
            probes[cell.id] = None
            written[cell.id] = Question(cell.id, float(match["points"]), answer=answer, prompt=prompt)
        prompt = cell.source if cell.kind == "markdown" else prompt
    unknown = set(mistakes) - {name for name, found in probes.items() if found}
    if unknown:
        raise ValueError(f"{stem}: mistakes of {', '.join(sorted(unknown))}, which no probe calls")
    return [
        written.get(name) or _question(stem, number, name, found, mistakes.get(name, {}), cells)
        for name, found in probes.items()
    ]


def _question(stem, number, name, probes, mistakes, cells):
    sentences = _sentences(number)
    missing = [mistake for mistake in mistakes if mistake not in sentences]
    if missing:
        raise ValueError(f"{stem}: MISTAKES of helpers/checks/exercise_{number}.py lacks {', '.join(missing)}")
    return Question(
        name,
        sum(probe.points for probe in probes),
        probes=tuple(probes),
        answer=MARKER.sub("", next((c.source for c in cells if "answer" in c.tags and binds(c.source, name)), "")),
        mistakes=tuple(mistakes.items()),
        sentences=tuple((mistake, sentences[mistake]) for mistake in mistakes),
    )


def _sentences(number):
    module = f"helpers.checks.exercise_{number}"
    return getattr(import_module(module), "MISTAKES", {}) if find_spec(module) else {}


def _header(pattern, where, source, example):
    match = pattern.match(source)
    if not match:
        raise ValueError(f"{where}: must begin like {example!r}, begins {source.partition(chr(10))[0]!r}")
    return match


def _probe(where, source):
    match = _header(PROBE, where, source, "# PROBE name points=2 rtol=1e-6")
    try:
        options = {key: float(value) for key, value in (option.split("=") for option in match["options"].split())}
        probe = Probe(match["name"], code=source, **options)
        tree = ast.parse(source)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ValueError(f"{where}: {error}") from None
    if not binds(source, "returned"):
        raise ValueError(f"{where}: the probe must assign `returned`")
    if not (probe.rtol or probe.atol or binds(tree, "tolerance")):
        raise ValueError(f"{where}: the probe needs rtol, atol or `tolerance = …`")
    return probe


def without_tolerance(code):
    """
    A probe as it runs on a student's answer: what it tolerates is for the answer's own run alone.

    Examples
    --------
    >>> print(without_tolerance("returned = fit(t)\\ntolerance = 0.01 * se(returned)"))
    returned = fit(t)
    """
    tree = ast.parse(code)
    tree.body = [statement for statement in tree.body if not binds(ast.Module([statement], []), "tolerance")]
    return ast.unparse(tree)


def binds(code, name):
    """
    Whether code binds a name at its top level: by assignment, ``def``, ``class`` or import. False if it does not parse.

    Examples
    --------
    >>> binds("def fit(t): ...", "fit"), binds("fit = 1", "fit"), binds("print(fit)", "fit"), binds("(", "fit")
    (True, True, False, False)
    """
    try:
        tree = ast.parse(code) if isinstance(code, str) else code
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and statement.name == name:
            return True
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and any(
            isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name
            or isinstance(node, ast.alias) and (node.asname or node.name) == name
            for node in ast.walk(statement)
        ):  # fmt: skip
            return True
    return False


def written_answer(question, cells):
    """
    What a student wrote: in the cell of the question's id, else, where an editor lost the ids, in the markdown cell
    after the same prompt; None where neither is there.

    Examples
    --------
    >>> from solutions.grading.submission import Cell
    >>> why = Question("why", 2.0, prompt="**Why?**")
    >>> written_answer(why, [Cell("markdown", "**Why?**"), Cell("markdown", "Because.")])
    'Because.'
    """
    texts = [cell for cell in cells if cell.kind == "markdown"]
    by_id = [cell.source for cell in texts if cell.id == question.name]
    after = [
        below.source
        for above, below in zip(texts, texts[1:], strict=False)
        if question.prompt.strip() and above.source.strip() == question.prompt.strip()
    ]
    return next(iter(by_id + after), None)
