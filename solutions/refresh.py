"""Run notebooks from top to bottom and store what they show, so that nothing changes where nothing changed."""

import base64
import copy
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_TIMEOUT = 300
UNSTABLE = "nbval-ignore-output"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SHOWN_IN_README = (ROOT / "notebooks" / "03-weibull-survival.ipynb", "figure-surface", ROOT / ".github" / "figure.png")


def clean(notebook):
    """
    Keep only the metadata the course uses: kernelspec, and of a cell its tags and slide type. In place.

    Views of widgets go, too: they name a model that ended with its kernel. The sentence beside them stays.

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
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


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
    nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
    ).execute()
    return clean(notebook)


def same(before, after):
    """
    Whether two runs of a notebook agree, timings aside (the outputs of cells tagged ``nbval-ignore-output``).

    Examples
    --------
    >>> cell = nbformat.v4.new_code_cell("t()", id="time", metadata={"tags": [UNSTABLE]})
    >>> one = nbformat.v4.new_notebook(cells=[cell])
    >>> two = copy.deepcopy(one)
    >>> two.cells[0].outputs = [nbformat.v4.new_output("stream", text="0.31 s")]
    >>> same(one, two)
    True
    """
    before, after = copy.deepcopy(before), copy.deepcopy(after)
    for cell in before.cells + after.cells:
        if UNSTABLE in cell.metadata.get("tags", []):
            cell.outputs = []
    return nbformat.writes(before) == nbformat.writes(after)


def readme_figure():
    """The picture that README shows: bytes of the PNG stored in a lesson."""
    lesson, cell_id, _ = SHOWN_IN_README
    cell = next(cell for cell in nbformat.read(lesson, as_version=4).cells if cell.id == cell_id)
    return base64.b64decode(next(output.data["image/png"] for output in cell.outputs if "image/png" in output.data))


def refresh(paths=()):
    """
    Execute notebooks and write back those that changed.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Notebooks or folders; none means the lessons and the answer notebooks.

    Returns
    -------
    list of pathlib.Path
        The notebooks written.
    """
    written = []
    for path in paths or [ROOT / "notebooks", ROOT / "solutions"]:
        for notebook in sorted(path.glob("*.ipynb")) if path.is_dir() else [path]:
            fresh = execute(notebook)
            changed = not same(nbformat.read(notebook, as_version=4), fresh)
            if changed:
                notebook.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8", newline="\n")
                written.append(notebook)
            print(f"{notebook.name}: {'refreshed' if changed else 'unchanged'}")
    lesson, _, figure = SHOWN_IN_README
    if lesson in written:
        figure.write_bytes(readme_figure())
    return written
