"""Spelling in what codespell does not read by itself: the notebooks, prose and code, and the speaker's notes."""

import nbformat
import pytest
from codespell_lib import main

from solutions.refresh import ROOT

NOTEBOOKS = sorted(path for room in ("notebooks", "exercises", "solutions") for path in ROOT.glob(f"{room}/*.ipynb"))


def misspelt(text, folder):
    path = folder / "text.md"
    path.write_text(text, encoding="utf-8")
    return main("--quiet-level", "35", str(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebooks_are_spelt_right(path, tmp_path, capsys):
    cells = nbformat.read(path, as_version=4).cells
    wrong = misspelt("\n".join(f"[{cell.id}]\n{cell.source}" for cell in cells), tmp_path)
    assert not wrong, capsys.readouterr().out


def test_a_misspelling_is_found(tmp_path):
    assert misspelt("The liklihood of the paramters", tmp_path)  # codespell:ignore
