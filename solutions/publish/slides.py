"""A reveal.js deck from each lesson: one file that needs nothing else."""

import re
from dataclasses import dataclass

from markupsafe import Markup

from solutions.publish.lessons import (
    alternative_text,
    code,
    environment,
    is_picture,
    markdown,
    output,
    read_lessons,
    slide_type,
    without_sentence,
)
from solutions.refresh import ROOT


@dataclass
class Block:
    """What a slide shows in one piece: a cell or a part of it (text, code, result, picture, notes)."""

    cell: str
    kind: str
    content: Markup
    fragment: bool = False


def read_notes(stem, root=ROOT):
    """
    Speaker notes of a lesson: what stands under each ``## cell-id`` of ``solutions/notes/NN-stem.md``.

    Returns
    -------
    dict of str to str
        Markdown by cell id; empty where there is no such file.
    """
    path = root / "solutions" / "notes" / f"{stem}.md"
    _, *parts = re.split(r"^## (\S+) *\n", path.read_text(encoding="utf-8"), flags=re.M) if path.exists() else [""]
    return {cell: text.strip() for cell, text in zip(parts[::2], parts[1::2], strict=True)}


def blocks(cells, index, notes):
    """
    What a cell puts on slides, and what it says to the speaker.

    The sentence that describes a picture is its alternative text and the speaker's; the audience sees the picture.
    """
    cell = cells[index]
    fragment = slide_type(cell) == "fragment"
    spoken = [notes[cell.id]] if cell.id in notes else []
    if cell.cell_type == "code":
        yield Block(cell.id, "code", code(cell.source.replace("\n\n\n", "\n\n"), cell.id), fragment)
    else:
        if text := without_sentence(cell.source):
            yield Block(cell.id, "text", without_local_links(markdown(text)), fragment)
        if sentence := alternative_text(cells, index - 1):
            spoken.append(f"*They see:* {sentence}")
    if spoken:
        yield Block(cell.id, "notes", markdown("\n\n".join(spoken)))
    for shown in cell.get("outputs", []):
        alt = alternative_text(cells, index)
        yield Block(cell.id, "picture" if is_picture(shown) else "result", output(shown, alt), fragment)


def without_local_links(content):
    """
    Links to other files of the course lead nowhere from a deck that travels alone: keep their words only.

    Examples
    --------
    >>> print(without_local_links(Markup('see <a href="02-ols.ipynb">lesson 02</a>')))
    see lesson 02
    """
    return Markup(re.sub(r'<a href="(?!https?:)[^"]*">(.*?)</a>', r"\1", content, flags=re.S))


def slides(cells, notes):
    """
    Sort the cells of a lesson into slides.

    The slide types decide, with one exception: a picture begins a slide, as large as it will go, with the verdict under
    it. What then does not fit is sorted onto further slides where it can be measured, in the browser (``deck.js``).

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
    notes : dict of str to str
        Speaker notes by cell id.

    Returns
    -------
    list of list of list of Block
        Columns of slides of blocks: a column starts at every cell of type ``slide``.
    """
    columns, after_picture = [], False
    for index, cell in enumerate(cells):
        kind = slide_type(cell)
        if kind == "skip":
            continue
        if kind == "slide" or not columns:
            columns.append([[]])
        elif kind == "subslide" and not after_picture:
            columns[-1].append([])
        after_picture = False
        for block in blocks(cells, index, notes):
            if block.kind == "picture":
                columns[-1].append([])
                after_picture = True
            columns[-1][-1].append(block)
    return columns


def deck(lesson, notes):
    """The slides of a lesson as one HTML file."""
    columns = slides(lesson.cells, notes)
    return environment().get_template("deck.html.j2").render(lesson=lesson, columns=columns)


def write_decks(folder, number=None, root=ROOT, notes=True):
    """
    Write a deck for each lesson, or for the one with this number; with the speaker's notes, or without.

    Returns
    -------
    list of pathlib.Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in read_lessons(root, number):
        path = folder / f"{lesson.stem}.html"
        path.write_text(deck(lesson, read_notes(lesson.stem, root) if notes else {}), encoding="utf-8", newline="\n")
        written.append(path)
    return written
