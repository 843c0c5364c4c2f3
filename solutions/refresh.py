"""Run notebooks from top to bottom and store what they show, so that nothing changes where nothing changed."""

import sys
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_TIMEOUT = 300


def clean(notebook):
    """
    Keep only the metadata the course uses: kernelspec, and of a cell its tags and slide type. In place.

    Examples
    --------
    >>> cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["setup"], "execution": {"iopub.status.busy": "now"}})
    >>> clean(nbformat.v4.new_notebook(cells=[cell])).cells[0].metadata
    {'tags': ['setup']}
    """
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        kept = {}
        if cell.metadata.get("tags"):
            kept["tags"] = cell.metadata["tags"]
        if cell.metadata.get("slideshow", {}).get("slide_type"):
            kept["slideshow"] = {"slide_type": cell.metadata["slideshow"]["slide_type"]}
        cell.metadata = nbformat.from_dict(kept)
    return notebook


def merge_streams(notebook):
    """Join neighbouring pieces of one stream, which arrive cut at random places. In place."""
    for cell in notebook.cells:
        merged = []
        for output in cell.get("outputs", []):
            last = merged[-1] if merged else None
            if last and output.output_type == last.output_type == "stream" and output.name == last.name:
                last.text += output.text
            else:
                merged.append(output)
        if "outputs" in cell:
            cell.outputs = merged


def execute(path):
    """
    Execute one notebook in its own folder, with the interpreter that runs this command.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    nbformat.NotebookNode
        The notebook with fresh outputs and execution counts 1 to n.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        Where a cell raises and is not tagged ``raises-exception``.
    """
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    client.execute()
    merge_streams(notebook)
    return clean(notebook)


def refresh(paths):
    """
    Execute notebooks and write them back; say which changed.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Notebooks or folders; none means the lessons and the answer notebooks.
    """
    notebooks = []
    for path in paths or [ROOT / "notebooks", ROOT / "solutions"]:
        notebooks += sorted(path.glob("*.ipynb")) if path.is_dir() else [path]
    for path in notebooks:
        before = path.read_text(encoding="utf-8")
        after = nbformat.writes(execute(path)) + "\n"
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
        print(f"{path.name}: {'unchanged' if after == before else 'refreshed'}", file=sys.stderr)
