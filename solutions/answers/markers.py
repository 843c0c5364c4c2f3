"""Markers, headers and blanks: how an answer notebook says what the student gets."""

import ast
import difflib
import re
import warnings

from solutions.answers.model import BEGIN, BLANK, END, INSTRUCTORS, MISTAKE, PROBE, WRITTEN, Region
from solutions.answers.scope import runs

TELLING = 12  # shorter pieces of an answer, such as "return value", tell nothing where they stand elsewhere
SHOUTED = ("BEGIN", "END", "SOLUTION", "BLANK", "PROBE", "MISTAKE", "WRITTEN")


def _like(word, *patterns, at_least=0.75):
    return any(difflib.SequenceMatcher(None, word, pattern).ratio() >= at_least for pattern in patterns)


def _looks_like_a_marker(line, kind):
    """Whether a reader would take a line for a marker: exact ones were dealt with before."""
    for start in [match.end() for match in re.finditer("#", line)] + ([0] if kind != "code" else []):
        first, *rest = re.findall(r"[^\W\d_]+", line[start:])[:2] or [""]
        low = first.lower()
        if low[:1] in "be" and any(
            _like(words, "beginsolution", "endsolution", at_least=0.8) for words in (low, low + "".join(rest).lower())
        ):
            return True
        if first.isupper() and len(first) > 2 and _like(first, *SHOUTED):
            return True
        if _like(low, "blank") and "..." in line or low in ("probe", "mistake", "written") and "points=" in line:
            return True
    return False


def markers(cell, complaints):
    """Find the regions of a cell, and complain of every marker that is not where and as it must be."""
    begun, blank, answer = None, [], []
    blanked, origin = [], []
    for number, line in enumerate(cell.source.split("\n"), 1):
        indent, text = line[: len(line) - len(line.lstrip(" "))], line.lstrip(" ")
        marker = text if text in (BEGIN, END) else BLANK if text == BLANK or text.startswith(BLANK + " ") else None
        if cell.kind != "code":
            marker = None
        if marker and cell.role != "answer":
            complaints.add(cell, number, f"{marker!r} stands outside a cell tagged 'answer'")
        elif marker and begun and indent != begun[1]:
            complaints.add(cell, number, f"{marker!r} is not indented like its {BEGIN!r}")
        if marker == BEGIN:
            if begun:
                complaints.add(cell, number, f"{BEGIN!r} within the region that began in line {begun[0]}")
            begun, blank, answer = (number, indent), [], []
        elif marker == END:
            if not begun:
                complaints.add(cell, number, f"{END!r} without {BEGIN!r}")
                continue
            if not blank:
                complaints.add(cell, begun[0], f"the region has no {BLANK + ' …'!r} line after {BEGIN!r}")
            if not any(piece.strip() for piece in answer):
                complaints.add(cell, begun[0], "the region holds no answer")
            cell.regions.append(Region(begun[0], number, blank, answer))
            begun = None
        elif marker == BLANK:
            if not begun or any(piece.strip() for piece in answer):
                complaints.add(cell, number, f"{BLANK!r} belongs directly after {BEGIN!r}")
            piece = text[len(BLANK) + 1 :]
            blank.append(piece)
            blanked.append((indent + piece).rstrip())
            origin.append(number)
        elif _header(cell, number, line):
            pass
        elif _looks_like_a_marker(line, cell.kind):
            complaints.add(cell, number, f"looks like a marker and is none: {text!r}")
        elif begun:
            answer.append(text)
        if not begun and not marker:
            blanked.append(line)
            origin.append(number)
    if begun:
        complaints.add(cell, begun[0], f"{BEGIN!r} is never closed")
    if cell.role == "answer" and not cell.regions and not begun:
        complaints.add(cell, None, f"is tagged 'answer' and has no {BEGIN!r} … {END!r}")
    if cell.role == "answer":
        cell.blanked, cell.origin = "\n".join(blanked), origin


def _header(cell, number, line):
    pattern = {"probe": PROBE, "mistake": MISTAKE, "written-answer": WRITTEN}.get(cell.role)
    return pattern.fullmatch(line) if number == 1 and pattern else None


def options(header):
    """The numbers of a probe's first line, by name."""
    return {key: float(value) for key, value in re.findall(r"(\w+)=(\S+)", header["options"])}


def headers(cell, complaints):
    """A probe, a mistake and an answer in words begin with the line that says so."""
    forms = {
        "probe": "# PROBE name points=2 rtol=1e-6",
        "mistake": "# MISTAKE name mistake-id",
        "written-answer": "<!-- WRITTEN points=2 -->",
    }
    if cell.role not in forms:
        return
    first, _, rest = cell.source.partition("\n")
    header = _header(cell, 1, first)
    if not header:
        complaints.add(cell, 1, f"must begin with {forms[cell.role]!r}")
        return
    if not rest.strip():
        complaints.add(cell, 1, "holds no more than its first line")
    try:
        points = options(header).get("points") if cell.role == "probe" else float(header.groupdict().get("points", 1))
    except ValueError:
        points = None
    if not points or points < 0:
        complaints.add(cell, 1, "needs points=, a positive number")


def compiles(cell, complaints):
    """A code cell is Python, as it stands and with its blanks."""
    for what, source in ("", cell.source), ("with its blanks, ", cell.blanked):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SyntaxWarning)
                compile(source, cell.id, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            if line and what:
                line = cell.origin[min(line, len(cell.origin)) - 1]
            complaints.add(cell, line, f"{what}does not compile: {getattr(error, 'msg', error)}")
            return
    if cell.role == "answer":
        _blanks(cell, complaints)


def _blanks(cell, complaints):
    """Every region has a `...` that the check can see, and none that raises before it is filled."""
    tree = ast.parse(cell.blanked)
    seen = set()

    def visit(node, parents):
        if isinstance(node, ast.Constant) and node.value is ...:
            line = cell.origin[node.lineno - 1]
            if not any(region.first <= line <= region.last for region in cell.regions):
                return
            if any(isinstance(parent, ast.Subscript) for parent in parents):
                return
            inner = [parent for parent in parents if not isinstance(parent, (ast.Tuple, ast.List))]
            if isinstance(inner[-1], ast.Expr):
                complaints.add(
                    cell, line, "a lone `...` cannot be seen by the check: write `return ...` or `name = ...`"
                )
            elif runs(node, parents) and not _binds_only(inner[-1], node):
                complaints.add(cell, line, "`...` stands inside something that runs, and would raise unfilled")
            seen.add(line)
        for child in ast.iter_child_nodes(node):
            visit(child, [*parents, node])

    visit(tree, [])
    for region in cell.regions:
        if not any(region.first <= line <= region.last for line in seen):
            complaints.add(cell, region.first, "the blank holds no `...`, so the check cannot tell that it is unfilled")


def _binds_only(statement, node):
    """Whether a statement does no more with a `...` than bind it: ``a = ...`` or ``a, b = ..., ...``."""
    if not isinstance(statement, ast.Assign):
        return False
    parts = [ast.Tuple([target]) if isinstance(target, ast.Name) else target for target in statement.targets]
    values = [node] if statement.value is node else statement.value.elts
    return all(
        isinstance(part, (ast.Tuple, ast.List))
        and len(part.elts) == len(values)
        and all(isinstance(name, ast.Name) for name in part.elts)
        and isinstance(target, ast.Name) == (statement.value is node)
        for part, target in zip(parts, statement.targets, strict=True)
    )


def telling(region):
    """The lines of an answer that would give it away where they stand elsewhere, without their spaces."""
    given = {squeezed(piece) for piece in region.blank}
    lines = [squeezed(line) for line in region.answer if squeezed(line) not in given]
    return [line for line in lines if len(line) >= TELLING and not line.endswith(":")]


def leaks(cells, complaints):
    """An answer that stands where the student can read it."""
    for cell in cells:
        for region in cell.regions:
            lines = telling(region)
            pieces = [*lines, *(re.sub(r"^(\w+=(?!=)|return)", "", line) for line in lines)]
            for other in cells:
                if other.role in INSTRUCTORS or other.role == "written-answer":
                    continue
                shown = squeezed(other.blanked)
                if other.kind == "code" and lines and all(line in shown for line in lines):
                    complaints.add(cell, region.first, f"the whole answer stands in cell {other.id} too")
                for piece in pieces if other.kind != "code" else ():
                    if len(piece) >= TELLING and piece in shown:
                        complaints.add(other, None, f"shows {piece!r}, of the answer in cell {cell.id}")
                        break


def squeezed(text):
    """Text without its spaces; a line of code without its comment too."""
    return re.sub(r"\s+", "", text.partition("  #")[0] if "\n" not in text else text)
