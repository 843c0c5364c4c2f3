"""Slides and site: what is in them, that every link leads somewhere, and that nothing in them is fetched from afar."""

import json
import re
import runpy
import sys
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager

from solutions.publish import slides, website
from solutions.publish.lessons import WHAT_YOU_SEE, is_picture, read_lesson, read_lessons, slide_type
from solutions.refresh import ROOT

LESSONS = read_lessons()
EXERCISES = sorted(ROOT.glob("exercises/*.ipynb"))
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_REPOSITORY", "owner/course")
        website.write_site(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page of ours, parsed, by its path in the site."""
    paths = [path for path in site.rglob("*.html") if site / "lite" not in path.parents]
    return {path.relative_to(site): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in paths}


def read(path):
    return nbformat.read(path, as_version=4)


def addresses(page):
    """What a page points to, and whether a browser fetches it without being asked."""
    for tag in page.find_all(True):
        for attribute in ("href", "src", "srcset", "data", "poster", "action"):
            if value := tag.get(attribute):
                yield tag, value, tag.name != "a"


def test_the_site_has_every_lesson_as_page_slides_and_notebook(site):
    for lesson in LESSONS:
        assert (site / "lessons" / f"{lesson.stem}.html").is_file()
        assert (site / "slides" / f"{lesson.stem}.html").is_file()
    home = (site / "index.html").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert lesson.title in home
        assert f"{lesson.minutes} minutes" in home


def test_every_internal_link_leads_somewhere(site, pages):
    followed = 0
    for path, page in pages.items():
        for _, value, _ in addresses(page):
            link = urlsplit(value)
            if link.scheme:
                continue
            target = (site / path.parent / unquote(link.path)).resolve() if link.path else site / path
            assert target.is_file(), f"{path}: {value}"
            if link.fragment:
                linked = pages[target.relative_to(site.resolve())] if link.path else page
                assert linked.find(id=link.fragment), f"{path}: {value}"
            for opened in parse_qs(link.query).get("path", []):
                assert (site / "lite" / "files" / opened).is_file(), f"{path}: {value}"
            followed += 1
    assert followed > 10 * len(LESSONS)


def test_nothing_is_fetched_from_afar(site, pages):
    for path, page in pages.items():
        for tag, value, fetched in addresses(page):
            scheme = urlsplit(value).scheme
            assert not fetched or scheme in ("", "data"), f"{path}: <{tag.name}> fetches {value[:80]}"
    css = (site / "assets" / "site.css").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\((?!source-sans)", css)


def test_a_deck_is_one_file(pages):
    for path, page in pages.items():
        if path.parent.name == "slides":
            fetched = [value[:80] for _, value, fetched in addresses(page) if fetched]
            assert all(value.startswith("data:") for value in fetched), path


@each_lesson
def test_every_picture_on_page_and_slides_has_its_sentence_for_text(lesson, pages):
    drawn = [cell for cell in lesson.cells if any(map(is_picture, cell.get("outputs", [])))]
    shown = [cell for cell in drawn if slide_type(cell) != "skip"]
    described = [cell for cell, after in pairwise(lesson.cells) if WHAT_YOU_SEE.match(after.source)]
    assert drawn
    assert [cell.id for cell in described] == [cell.id for cell in drawn], "a sentence without its picture"
    for folder, expected in (("lessons", drawn), ("slides", shown)):
        images = pages[website.Path(folder) / f"{lesson.stem}.html"].find_all("img")
        assert len(images) == len(expected)
        for image in images:
            assert len(image["alt"]) > 30, f"{folder}: a picture without its sentence"
            assert not re.search(r"[$\\`]", image["alt"]), f"no one can hear this: {image['alt']}"


@each_lesson
def test_prose_and_code_of_the_lesson_are_on_its_page(lesson, pages):
    text = pages[website.Path("lessons") / f"{lesson.stem}.html"].get_text()
    for cell in lesson.cells:
        if cell.cell_type == "code":
            assert cell.source.strip() in text, cell.id
        elif WHAT_YOU_SEE.match(cell.source):
            assert "What you see" not in text
    stored = [shown.text for cell in lesson.cells for shown in cell.get("outputs", []) if "text" in shown]
    assert all(output.strip() in text for output in stored)


@each_lesson
def test_the_speaker_has_something_to_say_at_every_heading(lesson):
    notes = slides.read_notes(lesson.stem)
    shown = {cell.id for cell in lesson.cells if slide_type(cell) != "skip"}
    assert set(notes) <= shown, f"notes on cells that no slide shows: {set(notes) - shown}"
    assert all(notes.values())
    minutes = 0
    for column in slides.slides(lesson.cells, notes):
        first = column[0][0].cell
        assert first in notes, f"{first}: no notes"
        minutes += int(re.match(r"\*(\d+) min\.\*", notes[first])[1])
    assert minutes == lesson.minutes


def test_notes_belong_to_lessons_and_reach_the_speaker_only(site, tmp_path):
    notes = {path.stem: slides.read_notes(path.stem) for path in ROOT.glob("solutions/notes/*.md")}
    assert set(notes) <= {lesson.stem for lesson in LESSONS}
    first = LESSONS[0]
    (deck,) = slides.write_decks(tmp_path, first.number)
    said = BeautifulSoup(deck.read_text(encoding="utf-8"), "html.parser").select("section aside.notes")
    assert len(said) >= len(notes[first.stem])
    for stem, by_cell in notes.items():
        published = (site / "slides" / f"{stem}.html").read_text(encoding="utf-8")
        published += (site / "lite" / "files" / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8")
        assert not any(str(slides.markdown(note)) in published for note in by_cell.values())


def test_jupyterlite_holds_the_students_copy_and_no_more(site):
    files = site / "lite" / "files"
    assert {path.name for path in files.iterdir()} <= {"notebooks", "exercises", "helpers"}
    assert [path.name for path in sorted(files.glob("notebooks/*"))] == [lesson.path.name for lesson in LESSONS]
    assert [path.name for path in sorted(files.glob("exercises/*"))] == [path.name for path in EXERCISES]
    helpers = [path.relative_to(ROOT) for path in ROOT.glob("helpers/**/*.py")]
    assert all((files / path).is_file() for path in helpers)
    config = json.loads((site / "lite" / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    names = [extension["name"] for extension in config["federated_extensions"]]
    assert "@jupyterlite/pyodide-kernel-extension" in names
    assert "@jupyter-widgets/jupyterlab-manager" in names


def test_install_cells_stand_before_the_setup_and_in_no_committed_notebook(site):
    for path in [*(site / "lite" / "files").glob("*/*.ipynb")]:
        published, ours = read(path), read(ROOT / path.relative_to(site / "lite" / "files"))
        ids = [cell.id for cell in published.cells]
        at = ids.index("install-jupyterlite")
        assert "setup" in published.cells[at + 1].metadata.tags
        del published.cells[at]
        assert published == ours
        assert not any(cell.id.startswith("install") for cell in ours.cells)


@pytest.mark.parametrize("install_cell", [website.jupyterlite_cell, website.colab_cell])
def test_install_cells_do_nothing_elsewhere(install_cell, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/course")
    script = tmp_path / "cell.py"
    script.write_text(TransformerManager().transform_cell(install_cell(ROOT, "notebooks").source), encoding="utf-8")
    before = list(sys.path)
    runpy.run_path(script)  # the magics in it need IPython: reached, they would raise
    assert sys.path == before


def test_install_cells_name_what_notebooks_need():
    assert website.imported() == [
        line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
        if not line.startswith(("jupyter", "nbval", "pytest", "-e", "."))
    ]  # fmt: skip


def test_the_students_branch_opens_in_binder_and_colab(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/course")
    website.write_student_branch(tmp_path)
    assert not {"solutions", "tests"} & {path.name for path in tmp_path.iterdir()}
    for line in (tmp_path / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines():
        assert (tmp_path / "binder" / line.split()[1]).resolve().is_file(), line
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    for path in [*tmp_path.glob("notebooks/*.ipynb"), *tmp_path.glob("exercises/*.ipynb")]:
        notebook = path.relative_to(tmp_path).as_posix()
        assert f"(https://mybinder.org/v2/gh/owner/course/student?urlpath=lab/tree/{notebook})" in readme
        assert f"(https://colab.research.google.com/github/owner/course/blob/student/{notebook})" in readme
        cell = next(cell for cell in read(path).cells if cell.id == "install-colab")
        assert "https://github.com/owner/course course" in cell.source
        assert f"%cd -q course/{path.parent.name}" in cell.source
        nbformat.validate(read(path))


def test_without_a_repository_nothing_leads_to_one(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with pytest.raises(SystemExit, match="GITHUB_REPOSITORY=owner/name"):
        website.write_student_branch(tmp_path)
    website.write_pages(tmp_path)
    for path in tmp_path.rglob("*.html"):
        assert not re.search(r"mybinder|colab\.research|github\.com//", path.read_text(encoding="utf-8")), path


def test_the_workflow_publishes_what_the_links_open():
    workflow = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    assert "python -m solutions site --to build/site" in workflow
    assert "path: build/site" in workflow
    assert "python -m solutions student build/student" in workflow
    assert f"HEAD:refs/heads/{website.BRANCH}" in workflow


def test_a_lesson_in_another_form_is_refused_with_the_form_that_is_wanted(tmp_path):
    path = tmp_path / "04-odd.ipynb"
    cells = [nbformat.v4.new_markdown_cell("Odd"), nbformat.v4.new_markdown_cell("no minutes")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(ValueError, match="04-odd.ipynb: want"):
        read_lesson(path)
    with pytest.raises(FileNotFoundError, match="no lesson 99"):
        read_lessons(number="99")
