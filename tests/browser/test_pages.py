"""The pages we generate, in Chromium with the network cut: nothing missing, nothing overflows, nobody is shut out."""

import functools
import http.server
import threading

import pytest

from solutions.publish import slides, website
from solutions.publish.lessons import read_lessons

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="no axe-core: pip install axe-playwright-python"
)

LESSONS = read_lessons()
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
LOCAL = ("file:", "data:", "blob:", "about:", "http://127.0.0.1")
PYODIDE = "https://cdn.jsdelivr.net/pyodide/"
SMALLEST_CODE, SMALLEST_TEXT, SMALLEST_PICTURE = 20, 18, 400

# For each slide: what sticks out of it, what is written too small, which picture is drawn too small; by cell id.
MEASURE = """([smallestCode, smallestText, smallestPicture]) => {
  const slide = Reveal.getCurrentSlide().firstElementChild, box = slide.getBoundingClientRect(), found = [];
  for (const block of slide.children) {
    const say = (what) => found.push(`${block.dataset.cell}: ${what}`);
    if (block.matches("aside")) continue;
    for (const element of [block, ...block.querySelectorAll("*")]) {
      const edge = element.getBoundingClientRect();
      if (element.closest("mjx-assistive-mml") || !edge.width) continue;
      if (edge.bottom > box.bottom + 1 || edge.right > box.right + 1 || edge.left < box.left - 1)
        say(`<${element.localName}> sticks out to ${Math.round(edge.right)}, ${Math.round(edge.bottom)}`);
      const size = parseFloat(getComputedStyle(element).fontSize);
      const smallest = element.localName === "pre" ? smallestCode : smallestText;
      if (size < smallest && element.textContent.trim() && !element.closest("svg, sub, sup"))
        say(`<${element.localName}> in ${size} px`);
      if (element.localName === "img" && edge.height < smallestPicture) say(`a picture ${edge.height} px high`);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site, and beside it the decks as the speaker has them."""
    folder = tmp_path_factory.mktemp("published")
    website.write_site(folder / "site")
    slides.write_decks(folder / "slides")
    return folder


@pytest.fixture
def page(browser):
    """A page whose requests leave this machine never, and which ends clean: `page.sent` and `page.said`."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.sent, page.said = [], []

    def route(asked):
        if asked.request.url.startswith(LOCAL):
            asked.continue_()
        else:
            page.sent.append(asked.request.url)
            asked.abort()

    page.context.route("**/*", route)
    page.on("console", lambda message: page.said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    page.close()


@pytest.fixture(scope="module")
def served(folder):
    """The site over HTTP, as JupyterLite wants it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder / "site"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def is_clean(page):
    assert not page.sent
    assert not page.said


def mathematics_is_set(page):
    page.wait_for_function("window.MathJax?.startup?.promise")
    page.evaluate("MathJax.startup.promise")
    assert page.locator("mjx-container svg").count() > 10
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    left = page.evaluate("""() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), left = [];
      for (let node; (node = walker.nextNode()); )
        if (/\\\\[a-z]{3}|\\$[^$]+\\$/.test(node.data) && !node.parentElement.closest("pre, code, script, style"))
          left.push(node.data);
      return left;
    }""")
    assert not left, "mathematics not set"


def pictures_are_drawn(page):
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 100)")


def accessible(page):
    """No violation that axe-core calls serious or critical, each told with where it is."""
    options = {"preload": False, "resultTypes": ["violations"]}
    found = axe.Axe().run(page, {"exclude": ["mjx-container"]}, options).response["violations"]
    grave = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in grave]


def open_deck(page, folder, lesson):
    page.goto((folder / "slides" / f"{lesson.stem}.html").as_uri())
    page.wait_for_function("window.Reveal?.isReady()")


def each_slide(page):
    for index in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(
            """(index) => {
              const slide = Reveal.getSlides()[index], at = Reveal.getIndices(slide);
              Reveal.slide(at.h, at.v ?? 0, 99);
            }""",
            index,
        )
        yield index


@each_lesson
def test_deck_opens_from_a_file_with_the_network_cut(page, folder, lesson):
    open_deck(page, folder, lesson)
    mathematics_is_set(page)
    pictures_are_drawn(page)
    assert lesson.title in page.text_content("h1")
    is_clean(page)


@each_lesson
def test_no_slide_overflows_and_all_of_it_can_be_read_from_the_last_row(page, folder, lesson):
    open_deck(page, folder, lesson)
    limits = [SMALLEST_CODE, SMALLEST_TEXT, SMALLEST_PICTURE]
    found = {f"slide {index + 1}": page.evaluate(MEASURE, limits) for index in each_slide(page)}
    assert len(found) > 20
    assert not {slide: offenders for slide, offenders in found.items() if offenders}


def test_the_measure_finds_what_overflows(page, folder):
    open_deck(page, folder, LESSONS[0])
    page.evaluate("document.querySelector('h1').style.marginTop = '700px'")
    assert any(offence.startswith("title: <h1> sticks out") for offence in page.evaluate(MEASURE, [0, 0, 0]))


@each_lesson
def test_slides_are_accessible(page, folder, lesson):
    open_deck(page, folder, lesson)
    seen = set()
    for index in each_slide(page):
        here = page.locator(".present .slide:visible")
        kinds = {kind for kind in ("h1", "h2", "pre", "table", "img", "ul") if here.locator(kind).count()}
        if kinds - seen:  # one slide of each kind will do
            seen |= kinds
            assert not accessible(page), f"slide {index + 1}"
    assert {"h1", "h2", "pre", "img"} <= seen


def test_the_speaker_reads_the_notes(page, folder):
    open_deck(page, folder, LESSONS[0])
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    expected = page.evaluate("document.querySelector('aside.notes').textContent.trim()")
    speaker.wait_for_function("(text) => document.body.innerText.includes(text.slice(0, 40))", arg=expected)
    is_clean(page)


@each_lesson
def test_lesson_opens_from_a_file_with_the_network_cut(page, folder, lesson):
    page.goto((folder / "site" / "lessons" / f"{lesson.stem}.html").as_uri())
    mathematics_is_set(page)
    pictures_are_drawn(page)
    assert not accessible(page)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    is_clean(page)


def test_landing_page_leads_to_a_lesson_and_back(page, folder):
    page.goto((folder / "site" / "index.html").as_uri())
    pictures_are_drawn(page)
    assert not accessible(page)
    page.set_viewport_size({"width": 360, "height": 720})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name=LESSONS[0].title).click()
    assert page.title() == LESSONS[0].title
    page.get_by_role("link", name="Maximum likelihood with autograd").click()
    assert page.locator("h1").text_content() == "Maximum likelihood with automatic differentiation"
    is_clean(page)


def test_jupyterlite_shows_a_lesson_and_asks_the_world_for_pyodide_only(page, folder, served):
    """Its kernel comes from a public network: here we see the files, and a lesson as it opens."""
    lesson = LESSONS[0]
    page.goto(f"{served}/lite/lab/index.html?path=notebooks/{lesson.path.name}")
    page.get_by_role("heading", name=lesson.title).wait_for(timeout=60_000)
    page.get_by_text('sys.platform == "emscripten"').wait_for()
    page.get_by_text(LESSONS[-1].path.name).first.wait_for()
    assert all(url.startswith(PYODIDE) for url in page.sent), page.sent
