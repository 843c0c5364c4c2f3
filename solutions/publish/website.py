"""The site: a landing page, the lessons, their decks, and JupyterLite; and the student's copy for Binder and Colab."""

import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat
from markupsafe import Markup

from solutions import answers, release
from solutions.publish.lessons import (
    alternative_text,
    code,
    environment,
    is_picture,
    markdown,
    mathjax,
    output,
    read_lessons,
    reveal,
    without_sentence,
)
from solutions.publish.slides import write_decks
from solutions.refresh import ROOT

BRANCH = "student"
NOT_IN_NOTEBOOKS = {"jupyter", "nbval", "pytest"}
JUPYTERLITE_CELL = """\
# Only in JupyterLite: fetch what the course imports; the first time takes a while.
import sys

if sys.platform == "emscripten":
    %pip install -q {names}
    sys.path.insert(0, "..")
"""
COLAB_CELL = """\
# Only in Google Colab: fetch the course and what it imports.
import sys

if "google.colab" in sys.modules:
    !git clone -q --depth 1 --branch {branch} https://github.com/{repository} course
    %pip install -q {requirements} ./course
    %cd -q course/{folder}
"""
BINDER_BADGE = "[![Open in Binder](https://mybinder.org/badge_logo.svg)]"
COLAB_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
BINDER = {
    "runtime.txt": "python-3.12\n",
    "requirements.txt": "-c ../.ci/constraints.txt\n-r ../requirements.txt\n",
}


def repository():
    """``owner/name`` on GitHub, from the workflow's environment; empty elsewhere, and then nothing links there."""
    return os.environ.get("GITHUB_REPOSITORY", "")


def binder(notebook):
    return f"https://mybinder.org/v2/gh/{repository()}/{BRANCH}?urlpath=lab/tree/{notebook}"


def colab(notebook):
    return f"https://colab.research.google.com/github/{repository()}/blob/{BRANCH}/{notebook}"


def imported(root=ROOT):
    """The lines of requirements.txt that notebooks need where Jupyter is there already."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").split("\n")
    names = {line: re.match(r"[\w-]*", line)[0] for line in lines}
    return [line for line, name in names.items() if name and name not in NOT_IN_NOTEBOOKS and line != "-e ."]


def jupyterlite_cell(root, folder):
    names = " ".join(re.match(r"[\w-]+", line)[0] for line in imported(root))
    return nbformat.v4.new_code_cell(JUPYTERLITE_CELL.format(names=names).strip(), id="install-jupyterlite")


def colab_cell(root, folder):
    requirements = " ".join(f'"{line}"' for line in imported(root))
    source = COLAB_CELL.format(branch=BRANCH, repository=repository(), requirements=requirements, folder=folder)
    return nbformat.v4.new_code_cell(source.strip(), id="install-colab")


def student_copy(folder, install_cell, root=ROOT):
    """
    Unpack the student's copy of the course, with a cell before each notebook's set-up that installs what it needs.

    Parameters
    ----------
    folder : pathlib.Path
        Where its files go.
    install_cell : callable
        Makes the cell from the course's root and the name of the notebook's folder.
    root : pathlib.Path
    """
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / "bundle.zip"
        try:
            release.bundle(archive, root)
        except answers.Refused as refused:
            raise SystemExit(f"mend the answer notebooks first\n{refused}") from None
        zipfile.ZipFile(archive).extractall(temporary)
        shutil.copytree(Path(temporary) / release.FOLDER, folder, dirs_exist_ok=True)
    for path in [*folder.glob("notebooks/*.ipynb"), *folder.glob("exercises/*.ipynb")]:
        notebook = nbformat.read(path, as_version=4)
        setup = next(i for i, cell in enumerate(notebook.cells) if "setup" in cell.metadata.get("tags", []))
        notebook.cells.insert(setup, install_cell(root, path.parent.name))
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def write_student_branch(folder, root=ROOT):
    """Write what the branch ``student`` holds: the student's copy as Binder and Colab open it."""
    if not repository():
        raise SystemExit("say where the branch will be: GITHUB_REPOSITORY=owner/name python -m solutions student …")
    student_copy(folder, colab_cell, root)
    for name, text in BINDER.items():
        path = folder / "binder" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    with open(folder / "README.md", "a", encoding="utf-8", newline="\n") as readme:
        readme.write("\n## Nothing to install\n\n| | Binder | Colab |\n|---|---|---|\n")
        for path in sorted(
            [*folder.glob("notebooks/*.ipynb"), *folder.glob("exercises/*.ipynb")], key=lambda p: p.name
        ):
            notebook = path.relative_to(folder).as_posix()
            readme.write(f"| {notebook} | {BINDER_BADGE}({binder(notebook)}) | {COLAB_BADGE}({colab(notebook)}) |\n")


def page_links(content):
    """
    Links between notebooks, as they are on the site: lessons to pages, exercises and other files to JupyterLite.

    Examples
    --------
    >>> print(page_links('<a href="02-ols.ipynb">02</a> <a href="../exercises/01-a.ipynb">now you</a>'))
    <a href="02-ols.html">02</a> <a href="../lite/lab/index.html?path=exercises/01-a.ipynb">now you</a>
    """

    def on_the_site(match):
        target = posixpath.normpath(posixpath.join("notebooks", match[1]))
        if re.fullmatch(r"notebooks/[^/]+\.ipynb", target):
            target = posixpath.basename(target).removesuffix(".ipynb") + ".html"
        else:
            target = f"../lite/lab/index.html?path={target}"
        return f'href="{target}"'

    return Markup(re.sub(r'href="(?!https?:|#|mailto:)([^"]+)"', on_the_site, content))


def shown_cells(lesson):
    """
    The cells of a lesson as a page shows them; a caption is hidden from those who hear it as alternative text.

    Yields
    ------
    tuple of str, str, markupsafe.Markup
        Id, kind (text, setup or code) and content.
    """
    for index, cell in enumerate(lesson.cells):
        if cell.cell_type == "markdown":
            yield cell.id, "text", page_links(markdown(without_sentence(cell.source)))
            continue
        alt = alternative_text(lesson.cells, index) or ""
        parts = [code(cell.source, cell.id)]
        for shown in cell.outputs:
            content = output(shown, alt)
            if is_picture(shown):
                caption = Markup('<figcaption aria-hidden="true">{}</figcaption>').format(alt[:1].upper() + alt[1:])
                content = Markup("<figure>{}{}</figure>").format(content, caption)
            parts.append(content)
        yield cell.id, "setup" if "setup" in cell.metadata.get("tags", []) else "code", Markup("\n").join(parts)


def contents(lesson):
    """The headings of a lesson with the cells they stand in."""
    for cell in lesson.cells:
        for title in re.findall(r"^## (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else []:
            yield cell.id, markdown(title).removeprefix("<p>").removesuffix("</p>")


def cover(lesson):
    """The first picture of a lesson."""
    for index, cell in enumerate(lesson.cells):
        for shown in filter(is_picture, cell.get("outputs", [])):
            return output(shown, alternative_text(lesson.cells, index))
    return ""


def write_pages(folder, root=ROOT):
    """Write the landing page, the lessons and what they share."""
    course = read_lessons(root)
    exercises = {path.stem for path in (root / "exercises").glob("*.ipynb")}
    common = {"course": course, "exercises": exercises, "repository": repository(), "binder": binder, "colab": colab}

    def write(name, template, **values):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = environment().get_template(template).render(**common, **values)
        path.write_text(text, encoding="utf-8", newline="\n")

    write("index.html", "home.html.j2", top="", here="", cover=cover)
    for lesson in course:
        cells = shown_cells(lesson)
        values = {"lesson": lesson, "cells": cells, "contents": contents(lesson)}
        write(f"lessons/{lesson.stem}.html", "lesson.html.j2", top="../", here=lesson.stem, **values)
    write("assets/site.css", "site.css.j2")
    shutil.copyfile(mathjax(), folder / "assets" / "mathjax.js")
    for face in ("regular", "semibold", "italic"):
        font = reveal(f"source-sans-pro-{face}.woff")
        shutil.copyfile(font, folder / "assets" / font.name)


def write_jupyterlite(folder, root=ROOT):
    """Build JupyterLite with the student's lessons, exercises and helpers in it."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        student_copy(here / "all", jupyterlite_cell, root)
        for name in ("notebooks", "exercises", "helpers"):
            if (here / "all" / name).exists():
                shutil.copytree(here / "all" / name, here / "contents" / name)
        command = [sys.executable, "-m", "jupyter", "lite", "build", "--lite-dir", here, "--output-dir", folder]
        options = ["--contents", here / "contents", "--apps", "lab", "--no-sourcemaps", "--no-unused-shared-packages"]
        built = subprocess.run([*command, *options], cwd=here, capture_output=True, text=True, check=False)
    if built.returncode:
        raise SystemExit(f'JupyterLite was not built; python -m pip install -e ".[publish]"?\n{built.stderr[-2000:]}')


def write_site(folder, root=ROOT):
    """Write the whole site into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    write_pages(folder, root)
    write_decks(folder / "slides", root=root, notes=False)
    write_jupyterlite(folder / "lite", root)
    if not repository():
        print("no links to Binder, Colab and GitHub: GITHUB_REPOSITORY=owner/name is not set", file=sys.stderr)
