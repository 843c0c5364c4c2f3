"""
Write the exercises from the answer notebooks, and the student's copy of the course.

An answer notebook ``solutions/NN-short-name.ipynb`` is the only source of exercise NN. Its cells, by tag:

========================  =============================================================================================
setup                     the set-up, with ``check = exercise("NN", release="answers")``; release writes its version
answer                    code with regions between ``# BEGIN SOLUTION`` and ``# END SOLUTION``; the ``# BLANK …``
                          lines, directly after BEGIN, are what the student gets in place of the region
written-answer            markdown, beginning ``<!-- WRITTEN points=2 -->``; the student gets an empty answer
probe-setup               once: what the probes import, and their ``rng``
probe                     ``# PROBE name points=2 rtol=1e-6``: calls the answer with the instructor's data
mistake                   ``# MISTAKE name mistake-id``: binds the name to a usual wrong answer; before the answer
summary                   the last cell, ``check.summary()``
========================  =============================================================================================

Other cells stay. Probe-setup, probes, mistakes, outputs and counts do not. What `solutions.answers` refuses, nothing is
written of.
"""

import ast
import hashlib
import json
import re
import sys
import zipfile

import nbformat

from solutions import answers
from solutions.answers.model import INSTRUCTORS
from solutions.answers.scope import calls_of_exercise
from solutions.refresh import KERNELSPEC, ROOT

PATTERN = "[0-9][0-9]-*.ipynb"
FOLDER = "autograd-mle-course"
WRITE_HERE = "*Write your answer here.*"
STUDENT_FILES = ("requirements.txt", "pyproject.toml", "LICENSE", ".ci/constraints.txt")
STUDENT_README = """\
# Maximum likelihood with automatic differentiation

The student's copy of the course: lessons in `notebooks/`, exercises in `exercises/`. You need Python 3.11 or newer.
In this folder, on macOS or Linux:

```bash
python3 -m venv .venv && .venv/bin/python -m pip install -r requirements.txt -c .ci/constraints.txt
.venv/bin/python -m jupyterlab
```

On Windows, in PowerShell:

```powershell
py -m venv .venv; .venv\\Scripts\\python -m pip install -r requirements.txt -c .ci\\constraints.txt
.venv\\Scripts\\python -m jupyterlab
```

Read a lesson, then fill the blanks (`...`) of the exercise of the same number. After each blank a cell checks your
answer and says what it sees; the last cell says what is still open and which file to hand in.
"""


def exercise(source):
    """
    Turn answers into the exercise that students get.

    Parameters
    ----------
    source : solutions.answers.Answers

    Returns
    -------
    nbformat.NotebookNode
        With the release's version in its set-up cell: a hash of all that a student sees of it, so it changes when a
        question, a hint or a blank does, and does not when a probe or a mistake does.
    """
    cells = []
    for cell in source.cells:
        if cell.role in INSTRUCTORS:
            continue
        text = WRITE_HERE if cell.role == "written-answer" else cell.blanked
        new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        metadata = {"tags": sorted(cell.tags)} if cell.tags else {}
        cells.append(new(text if cell.role != "setup" else with_release(text, ""), id=cell.id, metadata=metadata))
    seen = json.dumps([(cell.id, cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in cells])
    version = hashlib.sha256(seen.encode()).hexdigest()[:8]
    for cell in cells:
        if "setup" in cell.metadata.get("tags", []):
            cell.source = with_release(cell.source, version)
    metadata = {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def with_release(source, version):
    """
    Write a version into the set-up code.

    Examples
    --------
    >>> with_release('check = exercise("03", release="answers")', "1f2e3d4c")
    'check = exercise("03", release="1f2e3d4c")'
    """
    (call,) = calls_of_exercise(ast.parse(source))
    value = call.keywords[0].value
    lines = source.encode().split(b"\n")
    line = lines[value.lineno - 1]  # ast counts columns in bytes
    lines[value.lineno - 1] = line[: value.col_offset] + f'"{version}"'.encode() + line[value.end_col_offset :]
    return b"\n".join(lines).decode()


def release_of(notebook):
    """
    Read the version out of an exercise, whatever else became of it; None where it is not there.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    str or None
    """
    for cell in notebook.cells:
        if cell.cell_type == "code" and "exercise" in cell.source:
            found = re.search(
                r"""\bcheck\s*=\s*exercise\(\s*["']\d\d["']\s*,\s*release\s*=\s*["'](\w*)["']""", cell.source
            )
            if found:
                return found[1]
    return None


def exercises(root=ROOT):
    """
    Every exercise, by file name, as text.

    Raises
    ------
    solutions.answers.Refused
        With everything that is wrong in all answer notebooks.
    """
    written, problems = {}, []
    for path in sorted((root / "solutions").glob(PATTERN)):
        try:
            written[path.name] = nbformat.writes(exercise(answers.read(path))) + "\n"
        except answers.Refused as refused:
            problems += refused.problems
    if problems:
        raise answers.Refused(problems)
    return written


def release(root=ROOT):
    """Write ``exercises/``, and remove what no answer notebook stands behind; say what changed."""
    for name, text in differing(root).items():
        path = root / "exercises" / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"exercises/{name}: {'removed' if text is None else 'written'}", file=sys.stderr)


def differing(root=ROOT):
    """
    What `release` would change.

    Returns
    -------
    dict of str to str or None
        Text by file name; None for a file that should not be there.
    """
    wanted = exercises(root)
    there = {path.name: path.read_bytes() for path in (root / "exercises").glob(PATTERN)}
    changed = {name: text for name, text in wanted.items() if there.get(name) != text.encode()}
    return changed | dict.fromkeys(sorted(set(there) - set(wanted)))


def bundle(path, root=ROOT):
    """
    Write the student's copy: lessons, exercises, helpers and what installs them; no answers and no tests.

    The same tree gives the same bytes.

    Parameters
    ----------
    path : pathlib.Path
        The zip file to write.
    """
    files = {f"exercises/{name}": text.encode() for name, text in exercises(root).items()}
    files["README.md"] = STUDENT_README.encode()
    for name in STUDENT_FILES:
        if (root / name).exists():
            files[name] = (root / name).read_bytes()
    for file in [*(root / "notebooks").glob(PATTERN), *(root / "helpers").rglob("*")]:
        name = file.relative_to(root)
        if file.is_file() and file.suffix != ".pyc" and not any(part.startswith(".") for part in name.parts):
            files[name.as_posix()] = file.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])


def run(check, bundle_path):
    """
    What ``python -m solutions release`` does.

    Returns
    -------
    int
        Exit status: 1 where answer notebooks are refused, or, with ``--check``, exercises differ.
    """
    try:
        if bundle_path:
            bundle(bundle_path)
        elif check:
            names = differing()
            for name in names:
                print(f"exercises/{name} is not what its answer notebook gives: run 'python -m solutions release'")
            return int(bool(names))
        else:
            release()
    except answers.Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0
