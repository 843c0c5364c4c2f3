"""Refreshing stores fresh outputs, keeps nothing else, and leaves the file alone where nothing changed."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from solutions.refresh import refresh


def write(path, *sources, tags=()):
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    cells[-1].metadata = {"tags": list(tags), "scrolled": True} if tags else {"scrolled": True}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {}}), path)
    return path


def test_outputs_counts_and_only_known_metadata_are_stored_once(tmp_path):
    path = write(tmp_path / "a.ipynb", "x = 1", "print(x)\nprint(2)\nx", tags=["setup"])
    assert refresh([path]) == [path]
    first, second = nbformat.read(path, as_version=4).cells
    assert [first.execution_count, second.execution_count] == [1, 2]
    assert [output.output_type for output in second.outputs] == ["stream", "execute_result"]
    assert second.metadata == {"tags": ["setup"]}
    before = path.read_bytes()
    assert refresh([path]) == []
    assert path.read_bytes() == before


def test_a_timing_that_differs_is_no_change_and_an_edit_beside_it_is(tmp_path):
    clock = "import time\nprint(time.perf_counter_ns())"
    path = write(tmp_path / "a.ipynb", "print(1)", clock, tags=["nbval-ignore-output"])
    refresh([path])
    before = path.read_bytes()
    assert refresh([tmp_path]) == []
    assert path.read_bytes() == before
    path.write_text(path.read_text(encoding="utf-8").replace("print(1)", "print(3)"), encoding="utf-8")
    assert refresh([path]) == [path]


def test_of_a_widget_the_sentence_is_stored_and_not_the_model_that_dies_with_the_kernel(tmp_path):
    line = "from helpers import widgets\nwidgets.cobb_douglas_point(lambda x, y: x * y)"
    path = write(tmp_path / "a.ipynb", line)
    assert refresh([path]) == [path]
    (output,) = nbformat.read(path, as_version=4).cells[0].outputs
    assert list(output.data) == ["text/plain"]
    assert output.data["text/plain"].startswith("Run this notebook")
    assert refresh([path]) == []


def test_a_notebook_that_fails_is_not_written(tmp_path):
    path = write(tmp_path / "a.ipynb", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        refresh([path])
    assert path.read_bytes() == before
