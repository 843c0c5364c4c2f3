"""Answer notebook → questions: name, points, probes, tolerances, named mistakes."""

import ast
import hashlib
from dataclasses import dataclass

from solutions import answers, release
from solutions.answers.model import BEGIN, BLANK, END, INSTRUCTORS
from solutions.answers.scope import bindings
from solutions.refresh import ROOT

MARKERS = (BEGIN, END, BLANK)


@dataclass(frozen=True)
class Probe:
    """One call of an answer with the instructor's data; ``code`` sets ``returned``, and may set ``tolerance``."""

    points: float
    code: str
    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Question:
    """
    One blank, or one answer in words (then ``probes`` is empty, ``name`` the id of its cell, and a person marks it).

    ``answer`` is the model answer, ``mistakes`` the code of each named mistake, ``sentences`` what is said of it;
    ``cell`` is the answer's place among the exercise's code cells, ``prompt`` the text above an answer in words.
    """

    name: str
    points: float
    answer: str
    probes: tuple = ()
    mistakes: tuple = ()
    sentences: tuple = ()
    cell: int = -1
    prompt: str = ""

    @property
    def written(self):
        return not self.probes


@dataclass(frozen=True)
class Exercise:
    """
    An answer notebook.

    ``cells`` are its code cells without those of the instructor, so what a perfect student hands in; ``blanked`` are
    the same with blanks for answers; ``release`` is what the exercise that it gives now carries; ``digest`` changes
    when anything in the notebook does.
    """

    number: str
    stem: str
    release: str
    cells: tuple
    blanked: tuple
    probe_setup: str
    questions: tuple
    digest: str

    @property
    def points(self):
        return sum(question.points for question in self.questions)


def load(path):
    """
    Read answer notebooks.

    Parameters
    ----------
    path : pathlib.Path
        A folder of answer notebooks, or one of them.

    Returns
    -------
    dict of str to Exercise
        By number, sorted.

    Raises
    ------
    solutions.answers.Refused
        A ValueError with all that is wrong: notebook, cell, line.
    FileNotFoundError
        Where there is no answer notebook.
    """
    found = sorted(path.glob(release.PATTERN)) if path.is_dir() else [path]
    if not found or not found[0].is_file():
        raise FileNotFoundError(f"no answer notebooks NN-….ipynb in {path}")
    exercises = [parse(file.name, file.read_text(encoding="utf-8")) for file in found]
    return {exercise.number: exercise for exercise in exercises}


def parse(file, text):
    """
    Parse one answer notebook.

    Parameters
    ----------
    file : str
        Its name, as in ``"03-weibull-survival.ipynb"``.
    text : str

    Returns
    -------
    Exercise

    Raises
    ------
    solutions.answers.Refused
        A ValueError with all that is wrong: notebook, cell, line.
    """
    source = answers.examine(file, text)
    code = [cell for cell in source.cells if cell.kind == "code" and cell.role not in INSTRUCTORS]
    return Exercise(
        number=source.number,
        stem=file.removesuffix(".ipynb"),
        release=release.release_of(release.exercise(source)),
        cells=tuple(cell.source for cell in code),
        blanked=tuple(cell.blanked for cell in code),
        probe_setup=source.probe_setup,
        questions=tuple(_questions(source, [cell.id for cell in code])),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _questions(source, code):
    """Questions and written answers, in the order of their cells."""
    by_cell = {question.cell: question for question in source.questions.values()}
    sentences, prompt = _sentences(source.number), ""
    for cell in source.cells:
        if cell.id in by_cell:
            question = by_cell[cell.id]
            missing = [mistake for mistake in question.mistakes if mistake not in sentences]
            if missing or not question.probes:
                lack = f"MISTAKES of exercise_{source.number}.py lacks {', '.join(missing)}" if missing else "no probe"
                raise answers.Refused([f"{source.file}, cell {cell.id}: {question.name!r}: {lack}"])
            yield Question(
                question.name,
                sum(probe.points for probe in question.probes),
                answer="\n".join(line for line in cell.source.split("\n") if not line.lstrip().startswith(MARKERS)),
                probes=tuple(Probe(p.points, p.code, p.rtol or 0.0, p.atol or 0.0) for p in question.probes),
                mistakes=tuple(question.mistakes.items()),
                sentences=tuple((mistake, sentences[mistake]) for mistake in question.mistakes),
                cell=code.index(cell.id),
            )
        elif cell.id in source.written:
            answer = cell.source.partition("\n")[2].strip()
            yield Question(cell.id, source.written[cell.id], answer, prompt=prompt)
        prompt = cell.source if cell.kind == "markdown" else prompt


def _sentences(number):
    """The sentences as written in the checks' module, which is not run for it: it imports what takes a second."""
    path = ROOT / "helpers" / "checks" / f"exercise_{number}.py"
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "MISTAKES = {}")
    return next(ast.literal_eval(node.value) for node in tree.body if "MISTAKES" in bindings(ast.Module([node], [])))


def without_tolerance(code):
    """
    A probe as it runs on a student's answer: what it tolerates is for the answer's own run alone.

    Examples
    --------
    >>> print(without_tolerance("returned = fit(t)\\ntolerance = 0.01 * se(returned)"))
    returned = fit(t)
    """
    tree = ast.parse(code)
    tree.body = [statement for statement in tree.body if set(bindings(ast.Module([statement], []))) != {"tolerance"}]
    return ast.unparse(tree)


def written_answer(question, cells):
    """
    What a student wrote: in the cell of the question's id, else, where an editor lost the ids, in the markdown cell
    after the same prompt; None where neither is there.

    Examples
    --------
    >>> from solutions.grading.submission import Cell
    >>> why = Question("why", 2.0, "", prompt="**Why?**")
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
