"""What a student sees in JupyterLab and in Notebook 7: pictures, sliders that move them, checks that answer."""

import nbformat
import pytest

from helpers.checks.exercise_03 import MISTAKES
from helpers.checks.judging import CORRECT, NOT_ATTEMPTED, NOT_YET
from solutions.refresh import ROOT

expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=20_000)
LESSONS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
EXERCISE = "03-weibull-survival.ipynb"
RUN_ALL = """() => {
    const panel = jupyterapp.shell.currentWidget;
    const run = async () => {
        await panel.context.ready;
        await panel.sessionContext.ready;
        await panel.sessionContext.session.kernel.info;
        await jupyterapp.commands.execute("notebook:run-all-cells");
        document.body.dataset.ran = "all";
    };
    run();
}"""
CELLS = "() => jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"
DIGEST = """async (img) => {
    const bytes = await (await fetch(img.src)).arrayBuffer();
    return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).join();
}"""
LONGEST = 120_000  # milliseconds that a notebook may take to run
# What Jupyter itself complains of, whatever is open: Notebook 7 of settings and commands that only JupyterLab has and
# of its own fonts, both of JupyterLite's kernel where that is installed beside them.
NOT_OURS = ("not registered.", "(reading 'schema')", ".woff]", "@jupyterlite")


def open_and_run(page, address):
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.model")
    page.evaluate(RUN_ALL)
    page.wait_for_selector("body[data-ran=all]", state="attached", timeout=LONGEST)
    return [nbformat.from_dict(cell) for cell in page.evaluate(CELLS)]


def ours(page):
    return [text for text in page.complaints if not any(noise in text for noise in NOT_OURS)]


def stored_pictures(path):
    cells = nbformat.read(path, as_version=4).cells
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_shows_its_figures_and_follows_the_mouse(name, page, course, jupyter):
    address, token = jupyter
    path = course / "notebooks" / name
    cells = open_and_run(page, f"{address}lab/workspaces/{path.stem}/tree/notebooks/{name}?token={token}")
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", []), cell.id
    pictures = page.locator(".jp-Notebook .jp-RenderedImage img")
    assert pictures.count() == stored_pictures(path)
    assert min(pictures.evaluate_all("images => images.map(image => image.naturalWidth)")) > 300
    demos = page.locator(".jp-Notebook .widget-vbox:has(> img.widget-image)")
    expect(demos).to_have_count(sum("widgets." in cell.source for cell in code))
    for demo in demos.all():
        drag_each_slider(page, demo)
    assert ours(page) == []


def drag_each_slider(page, demo):
    """Drag each slider of a widget with the mouse: its picture changes, and so do the words below it."""
    picture, words = demo.locator("img.widget-image"), demo.locator(".widget-html-content")
    for slider in demo.locator(".widget-hslider").all():
        assert picture.get_attribute("title").startswith("Picture of ")
        before, said = picture.evaluate(DIGEST), words.text_content()
        handle = slider.locator(".noUi-handle")
        handle.hover()  # waits until the page stands still: cells take their size when they come into view
        page.mouse.down()
        grip, track = handle.bounding_box(), slider.locator(".noUi-target").bounding_box()
        beyond = grip["x"] > track["x"] + track["width"] / 2
        page.mouse.move(track["x"] + track["width"] * (0.2 if beyond else 0.8), grip["y"] + 5, steps=3)
        page.mouse.up()
        expect(words).not_to_have_text(said)
        assert picture.evaluate(DIGEST) != before


def test_a_check_answers_what_the_student_types(page, course, jupyter):
    address, token = jupyter
    work_on_the_exercise(page, course, f"{address}lab/workspaces/exercise/tree/exercises/{EXERCISE}?token={token}")


def test_a_check_answers_in_notebook_7_as_well(page, course, jupyter):
    address, token = jupyter
    work_on_the_exercise(page, course, f"{address}notebooks/exercises/{EXERCISE}?token={token}")


def work_on_the_exercise(page, course, address):
    """Run the exercise as handed out, then answer one question wrongly, then rightly."""
    cells = open_and_run(page, address)
    assert not [cell.id for cell in cells if cell.cell_type == "code" and "error" in str(cell.outputs)]
    place = [cell.id for cell in cells].index("answer-gradient")
    answer, verdict = (page.locator(".jp-Notebook .jp-Cell").nth(index) for index in (place, place + 1))
    shown = verdict.locator(".jp-OutputArea-output").first
    expect(shown).to_contain_text(NOT_ATTEMPTED)
    likely = MISTAKES["wrong-sign"].partition(":")[0]
    for objective, said in (("-negative_log_likelihood", (NOT_YET, likely)), ("negative_log_likelihood", (CORRECT,))):
        answer.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(
            "def grad_negative_log_likelihood(params, t, e):\n"
            f"    return grad(lambda params: {objective}(params, t, e))(params)"
        )
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")
        for words in said:
            expect(shown).to_contain_text(words)
    assert ours(page) == []
