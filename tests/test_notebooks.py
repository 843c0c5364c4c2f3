"""What nbval cannot see: notebooks were run in order, are clean, keep the house's limits; a change is caught."""

import base64
import io
import re
from types import SimpleNamespace

import matplotlib.image
import nbformat
import numpy as np
import pytest
from nbval.plugin import IPyNbCell

from solutions.refresh import KERNELSPEC, ROOT

LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
ANSWERS = sorted(ROOT.glob("solutions/*.ipynb"))
EXERCISES = sorted(ROOT.glob("exercises/*.ipynb"))
TAGS = {"setup", "raises-exception", "nbval-ignore-output"}
ANSWER_TAGS = {"answer", "written-answer", "summary"}
INSTRUCTOR_TAGS = {"probe-setup", "probe", "mistake"}
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "-"}
MIN_CELLS, MAX_CELLS, MAX_FURTHER = 25, 45, 25
MAX_CODE_LINES, MAX_SETUP_LINES, MAX_WORDS, MAX_LINE = 15, 20, 80, 112


def over(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: f"{path.parent.name}-{path.stem}")


each_lesson, each_run, each = over(LESSONS), over(LESSONS + ANSWERS), over(LESSONS + ANSWERS + EXERCISES)


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type")


def words(markdown):
    """Words of prose: no headings, tables, displayed or inline formulas, code, HTML or link targets."""
    text = re.sub(r"\$\$.*?\$\$|```.*?```|<!--.*?-->", " ", markdown, flags=re.S)
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("|", "#")))
    text = re.sub(r"\$[^$]*\$|`[^`]*`|\]\([^)]*\)|<[^>]+>", " x ", text)
    return len(re.findall(r"\w[\w'’–-]*", text))


def pictures(cell):
    for output in cell.get("outputs", []):
        if "image/png" in output.get("data", {}):
            yield matplotlib.image.imread(io.BytesIO(base64.b64decode(output.data["image/png"])), format="png")


@each
def test_format_ids_and_metadata(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata == {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    known = TAGS | (set() if path in LESSONS else ANSWER_TAGS) | (INSTRUCTOR_TAGS if path in ANSWERS else set())
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", cell.id), f"{cell.id}: not a human-readable id"
        assert set(cell.metadata) <= {"tags", "slideshow"}, f"{cell.id}: stray metadata {dict(cell.metadata)}"
        assert tags(cell) <= known, f"{cell.id}: unknown tags {tags(cell) - known}"


@each
def test_no_absolute_path_no_network(path):
    for cell in code(read(path)):
        text = cell.source + repr(cell.get("outputs"))
        found = re.search(r"/home/|/root/|/work/|/Users/|[A-Z]:\\\\Users|urlopen|requests\.get|https?://\S+\.csv", text)
        assert not found, f"{cell.id}: {found}"


@each_run
def test_cells_were_run_once_in_order_and_without_complaint(path):
    cells = code(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"
            assert output.output_type != "error" or "raises-exception" in tags(cell), f"{cell.id}: {output}"


@over(EXERCISES)
def test_exercises_hold_no_output(path):
    for cell in code(read(path)):
        assert cell.execution_count is None, cell.id
        assert not cell.outputs, cell.id


@each_run
def test_length_of_cells(path):
    previous = None
    for cell in read(path).cells:
        lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        if cell.cell_type == "code":
            assert max(map(len, cell.source.splitlines())) <= MAX_LINE, f"{cell.id}: a line too wide for a slide"
            assert lines <= (MAX_SETUP_LINES if "setup" in tags(cell) else MAX_CODE_LINES), f"{cell.id}: {lines} lines"
        else:
            assert words(cell.source) <= MAX_WORDS, f"{cell.id}: {words(cell.source)} words"
        if path in LESSONS and previous is not None and "setup" not in tags(previous):
            assert not cell.cell_type == previous.cell_type == "code", f"no prose between {previous.id} and {cell.id}"
        previous = cell


@each_lesson
def test_shape_of_a_lesson(path):
    cells = read(path).cells
    headings = [
        (i, line)
        for i, cell in enumerate(cells)
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if re.match(r"#+ ", line)
    ]
    assert [line for _, line in headings if line.startswith("# ")] == [headings[0][1]], "one H1, at the top"
    assert all(word in cells[1].source for word in ("**You will**", "**You need**", "**Minutes**"))
    starts = {line: i for i, line in headings}
    remember, further = starts["## What to remember"], starts.get("## Going further", len(cells))
    main = sum(slide_type(cell) != "skip" for cell in cells[: remember + 1])  # set-up and widgets aside
    assert MIN_CELLS <= main <= MAX_CELLS, f"{main} cells up to What to remember"
    assert len(cells) - further <= MAX_FURTHER, f"{len(cells) - further} cells under Going further"
    for i, cell in enumerate(cells):
        slide = slide_type(cell)
        assert slide in SLIDE_TYPES, f"{cell.id}: slide type {slide}"
        assert slide == "skip" or i < further, f"{cell.id}: Going further is not on slides"


@each_lesson
def test_every_picture_is_stored_drawn_and_described(path):
    cells = read(path).cells
    count = 0
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        shown = list(pictures(cell)) if cell.cell_type == "code" else []
        assert len(shown) <= 1, f"{cell.id}: one figure a cell"
        for picture in shown:
            count += 1
            grey = picture[..., :3].mean(axis=-1)
            assert np.ptp(grey) > 0.5, f"{cell.id}: a blank picture"
            assert np.mean(grey < 0.95) > 0.005, f"{cell.id}: an almost empty picture"
            assert after is not None
            assert after.source.startswith("*What you see:"), f"{after.id}: no sentence for a reader who cannot see it"
    assert count >= 3


@each_run
def test_a_changed_digit_would_be_caught(path):
    """nbval's own comparator accepts each stored output and refuses it with one digit changed."""
    comparator = object.__new__(IPyNbCell)
    comparator.colors = SimpleNamespace(OKBLUE="", FAIL="", ENDC="")
    comparator.parent = SimpleNamespace(
        skip_compare=("metadata", "traceback", "execution_count", "output_type", "name", "image/png"),
        sanitize_patterns={},
    )
    comparator.format_output_compare = lambda *arguments: None
    changed = 0
    for cell in code(read(path)):
        assert comparator.compare_outputs(cell.outputs, cell.outputs)
        for output in cell.outputs if "nbval-ignore-output" not in tags(cell) else []:
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            if output.get("data", {}).get("image/png") or not re.search(r"\d", text):
                continue
            digit = re.sub(r"\d", lambda match: str((int(match[0]) + 1) % 10), text, count=1)
            if "text" in output:
                other = nbformat.from_dict({**output, "text": digit})
            else:
                other = nbformat.from_dict({**output, "data": {**output.data, "text/plain": digit}})
            assert not comparator.compare_outputs([other], [output]), f"{cell.id}: a change went unseen"
            changed += 1
    assert changed > 0
