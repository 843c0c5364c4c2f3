"""Read lessons and turn their cells into HTML."""

import base64
import html
import importlib.metadata
import re
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
import nbformat
import pygments
from ipython_pygments_lexers import IPythonLexer
from markupsafe import Markup
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from solutions.refresh import ROOT

TEMPLATES = Path(__file__).resolve().parent / "templates"
WHAT_YOU_SEE = re.compile(r"\*What you see: (?P<sentence>.+?)\*(?=\s|$)", re.S)


@dataclass
class Lesson:
    """A notebook and what its first cells say about it."""

    path: Path
    cells: list
    title: str
    promise: str
    minutes: int

    @property
    def stem(self):
        return self.path.stem

    @property
    def number(self):
        return self.stem[:2]


def read_lesson(path):
    """
    Read a lesson and the little its first two cells say in the house's form.

    Raises
    ------
    ValueError
        Where title, promise or minutes are not where the style guide wants them.
    """
    notebook = nbformat.read(path, as_version=4)
    first = re.match(r"# (?P<title>.+)\n+(?P<promise>.+)", notebook.cells[0].source)
    minutes = re.search(r"\*\*Minutes\*\* *(\d+)", notebook.cells[1].source)
    if not first or not minutes:
        raise ValueError(f'{path.name}: want "# Title", a promise below it, and "**Minutes** 45" in the second cell')
    return Lesson(path, notebook.cells, first["title"], first["promise"], int(minutes[1]))


def read_lessons(root=ROOT, number=None):
    """
    All lessons in order, or the one with this number.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    """
    paths = sorted((root / "notebooks").glob(f"{number or '[0-9][0-9]'}-*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"no lesson {number or ''} in {root / 'notebooks'}: give its two digits, as in 01")
    return [read_lesson(path) for path in paths]


def slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def is_picture(shown):
    return "image/png" in shown.get("data", {})


def alternative_text(cells, index):
    """
    The sentence that stands for the picture of cell `index`: ``*What you see: …*`` in the cell after it, or None.

    Examples
    --------
    >>> seen = nbformat.v4.new_markdown_cell("*What you see: a line.* It rises.")
    >>> alternative_text([nbformat.v4.new_code_cell("plot()"), seen], 0)
    'a line.'
    """
    after = cells[index + 1].source if index + 1 < len(cells) else ""
    found = WHAT_YOU_SEE.match(after)
    return found and " ".join(found["sentence"].replace("`", "").split())


def without_sentence(source):
    """
    The source of a cell, less a ``*What you see: …*`` at its beginning.

    Examples
    --------
    >>> without_sentence("*What you see: a line.* It rises.")
    'It rises.'
    """
    return WHAT_YOU_SEE.sub("", source, count=1).strip() if WHAT_YOU_SEE.match(source) else source


def markdown(source):
    """
    Markdown to HTML; mathematics is left as it is, for MathJax.

    Examples
    --------
    >>> print(markdown("*Two* $a < b$"))
    <p><em>Two</em> $a &lt; b$</p>
    """
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return Markup(MarkdownWithMath(renderer=renderer).render(source).strip())


def code(source, cell):
    """Highlighted Python; each line is an element of its own, so that style can indent what wraps."""
    formatter = HtmlFormatter(linespans=f"line-{cell}", wrapcode=True)
    return Markup(pygments.highlight(source, IPythonLexer(), formatter).strip())


def picture(png, alt):
    """``<img>`` of a base64 PNG, with its size (read from the header, bytes 16 to 24) and alternative text."""
    width, height = struct.unpack(">II", base64.b64decode(png)[16:24])
    source = f"data:image/png;base64,{png.strip()}"
    return Markup(f'<img src="{source}" width="{width}" height="{height}" alt="{html.escape(alt or "", quote=True)}">')


def output(shown, alt=None):
    """HTML of one output: its picture, table, formula or text, in this order of preference; of an error the message."""
    if shown.output_type == "stream":
        return Markup(f'<pre class="output">{ansi2html(shown.text.rstrip())}</pre>')
    if shown.output_type == "error":
        return Markup(f'<pre class="output error">{html.escape(f"{shown.ename}: {shown.evalue}")}</pre>')
    data = shown.data
    if "image/png" in data:
        return picture(data["image/png"], alt)
    if "text/html" in data:
        scrollable = 'role="group" aria-label="Table" tabindex="0"'
        return Markup(f'<div class="output table" {scrollable}>{data["text/html"]}</div>')
    if "text/latex" in data:
        return Markup(f'<div class="output">{html.escape(data["text/latex"])}</div>')
    return Markup(f'<pre class="output">{ansi2html(data["text/plain"])}</pre>')


def vendored(distribution, ending):
    """
    Path of a file that an installed package carries.

    Examples
    --------
    >>> vendored("matplotlib", "matplotlib/__init__.py").name
    '__init__.py'
    """
    try:
        files = importlib.metadata.files(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f'{distribution} is not installed: python -m pip install -e ".[publish]"') from None
    return Path(next(file for file in files if str(file).endswith(ending)).locate())


def reveal(name):
    return vendored("sphinx-revealjs", f"/{name}")


def mathjax():
    return vendored("sphinx-mathjax-offline", "mathjax/tex-svg-full.js")


def data_uri(path):
    return f"data:font/woff;base64,{base64.b64encode(path.read_bytes()).decode()}"


def inline(path):
    """A script as it may stand inside ``<script>``: nothing in it looks like the end of it or like a comment."""
    return Markup(path.read_text(encoding="utf-8").replace("</script", r"<\/script").replace("<!--", r"<\!--"))


@cache
def environment():
    """The templates, with what several of them use."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    found.globals.update(
        own=lambda name: Markup((TEMPLATES / name).read_text(encoding="utf-8")),
        pygments=Markup(HtmlFormatter(style="default").get_style_defs(".highlight")),
        inline=inline,
        reveal=reveal,
        mathjax=mathjax,
        data_uri=data_uri,
    )
    return found
