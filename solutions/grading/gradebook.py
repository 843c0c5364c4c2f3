"""A class in tables: the gradebook, marks that a person gave, the LMS's own roster filled in, and what changed."""

import csv
import io
import re
import unicodedata

import pandas as pd

from solutions.grading.marking import NOT_ATTEMPTED, PARTLY, PERSON, RIGHT, WRONG

GRADED, PARTLY_GRADED, UNREADABLE, NOT_SUBMITTED = "graded", "partly graded", "unreadable", "not submitted"
OVERRIDES = ["student", "question", "mark", "comment"]


# Status and total


def finish(record):
    """
    Add ``mark``, ``total`` and ``status`` to a record, from its questions and the marks a person gave.

    A question that a person must still mark leaves the status at "partly graded", or "needs a person" where nothing is
    marked yet; a file that could not be graded keeps its status until a person has marked every question.

    Parameters
    ----------
    record : dict
        See `solutions.grading.batch.record`.

    Returns
    -------
    dict
    """
    marks = [question["mark"] for question in record["questions"]]
    known = [mark for mark in marks if mark is not None]
    by_hand = any(question.get("by_hand") for question in record["questions"])
    if not known or len(known) < len(marks):
        status = record["status"] or (PARTLY_GRADED if known else PERSON)
    elif record["status"] and not by_hand:
        status = record["status"]
    elif all(question["outcome"] == NOT_ATTEMPTED for question in record["questions"]):
        status = NOT_ATTEMPTED
    else:
        status = GRADED
    total = sum(question["points"] for question in record["questions"])
    return record | {"mark": sum(known) if known else None, "total": total, "status": status}


def gradebook(records, absent=()):
    """
    The gradebook, one row for each student and exercise.

    Parameters
    ----------
    records : list of dict
        Finished, see `finish`.
    absent : iterable of (str, str, str)
        Student, id and exercise of whom the roster knows and nothing was handed in.

    Returns
    -------
    pandas.DataFrame
        Columns student, id, exercise, marks, total, status, flags; no times, so the same marks give the same bytes.
    """
    rows = [
        {
            "student": record["student"],
            "id": record["lms_id"],
            "exercise": record["exercise"],
            "marks": number(record["mark"]),
            "total": number(record["total"]) if record["questions"] else "",
            "status": record["status"],
            "flags": "; ".join(filter(None, [record["problem"], *record["flags"], *_by_hand(record)])),
        }
        for record in records
    ]
    rows += [
        {"student": student, "id": key, "exercise": exercise, "status": NOT_SUBMITTED}
        for student, key, exercise in absent
    ]
    columns = ["student", "id", "exercise", "marks", "total", "status", "flags"]
    table = pd.DataFrame(rows, columns=columns).fillna("").sort_values(["exercise", "student", "id"], kind="stable")
    return table.map(harmless)


def _by_hand(record):
    changed = [question["name"] for question in record["questions"] if question.get("by_hand")]
    return [f"by a person: {', '.join(changed)}"] if changed else []


def number(mark):
    """
    A mark as text, without a needless point.

    Examples
    --------
    >>> number(2.0), number(0.25), number(None)
    ('2', '0.25', '')
    """
    return "" if mark is None else f"{mark:.6g}"


def harmless(text):
    """
    A cell that a spreadsheet takes for text, though it begins like a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-3.5"), harmless("-"), harmless("Ann")
    ("'=1+1", '-3.5', '-', 'Ann')
    """
    if not isinstance(text, str) or not re.match(r"\s*[=+\-@\t\r]", text) or re.fullmatch(r"[+-]?[\d.,]+%?|-", text):
        return text
    return "'" + text


# Marks that a person gave


def override(records, text):
    """
    Put the marks and comments of ``overrides.csv`` in the place of the grader's.

    Parameters
    ----------
    records : list of dict
        As graded; not changed.
    text : str
        Content of the file: columns student (name or id), question (its name, or ``03/name`` where two exercises have
        one), mark and comment; either of the last two may be empty.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        With every line that names no student, no question, or no possible mark.
    """
    records = [record | {"questions": [dict(question) for question in record["questions"]]} for record in records]
    problems = []
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if [*(reader.fieldnames or [])][:4] != OVERRIDES:
        raise ValueError(f"overrides.csv, line 1: the columns must be {', '.join(OVERRIDES)}")
    for row in reader:
        row = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
        if not any(row.values()):
            continue
        try:
            _override(records, **{key: row[key] for key in OVERRIDES})
        except ValueError as problem:
            problems.append(f"overrides.csv, line {reader.line_num}: {problem}")
    if problems:
        raise ValueError("\n".join(problems))
    return records


def _override(records, student, question, mark, comment):
    student = student[1:] if re.match(r"'[=+\-@]", student) else student
    theirs = [record for record in records if student in (record["student"], record["lms_id"])]
    if not theirs:
        raise ValueError(f"no submission of a student {student!r}")
    if len({record["lms_id"] or record["student"] for record in theirs}) > 1:
        raise ValueError(f"several students are called {student!r}: write the id instead")
    exercise, _, name = question.rpartition("/")
    found = [
        each
        for record in theirs
        for each in record["questions"]
        if each["name"] == name and exercise in ("", record["exercise"])
    ]
    if not found:
        known = ", ".join(each["name"] for record in theirs for each in record["questions"])
        raise ValueError(
            f"no question {question!r} for {student}; there are: {known or 'none, the exercise is unknown'}"
        )
    if len(found) > 1:
        raise ValueError(f"{question!r} stands in several exercises: write '03/{name}', with the exercise's number")
    points = found[0]["points"]
    if mark:
        try:
            value = float(mark.replace(",", "."))
        except ValueError:
            raise ValueError(f"{mark!r} is no mark") from None
        if not 0 <= value <= points:
            raise ValueError(f"{mark} is no mark between 0 and {number(points)}, the points of {name}")
        outcome = RIGHT if value == points else PARTLY if value else WRONG
        found[0] |= {"mark": value, "outcome": outcome, "by_hand": True}
    found[0]["comment"] = comment


# The LMS's own table


def fill_roster(data, records, stems):
    """
    Fill the marks into the table that a learning management system exported.

    Parameters
    ----------
    data : bytes
        A Canvas gradebook or a Moodle grading worksheet, CSV.
    records : list of dict
        Finished, see `finish`. Only complete marks are filled in.
    stems : dict of str to str
        Exercise → stem of its file name. Its column of a Canvas gradebook is the one whose title holds stem or number;
        where there is none, one is added.

    Returns
    -------
    files : dict of str to bytes
        One for each exercise.
    absent : list of (str, str, str)
        Student, id and exercise of those who handed in nothing.
    said : list of str
        Who handed in and is not in the roster; totals that are not the LMS's.

    Raises
    ------
    ValueError
        Where it is the table of neither.
    """
    try:
        text = data.decode("utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False)
    except ValueError as problem:
        raise ValueError(f"the roster is no CSV file in UTF-8: {str(problem).strip()}") from None
    lms = "moodle" if {"Identifier", "Grade"} <= set(table) else "canvas" if {"Student", "ID"} <= set(table) else ""
    if not lms:
        raise ValueError(
            "the roster is neither a Canvas gradebook (columns Student, ID, …) nor a Moodle grading worksheet "
            f"(Identifier, …, Grade, …): its columns are {', '.join(map(str, table.columns[:8]))}"
        )
    files, absent, said = {}, [], []
    for exercise, stem in stems.items():
        filled, who, notes = _fill(table, lms, exercise, stem, [r for r in records if r["exercise"] == exercise])
        out = filled.map(harmless).to_csv(index=False, sep=separator, lineterminator="\n")
        files[f"roster-{exercise}.csv"] = (b"\xef\xbb\xbf" if data[:3] == b"\xef\xbb\xbf" else b"") + out.encode()
        absent, said = absent + who, said + notes
    return files, absent, said


def _fill(table, lms, exercise, stem, records):
    table, said, absent = table.copy(), [], []
    column = "Grade" if lms == "moodle" else _column(table, exercise, stem)
    if column not in table:
        table[column] = ""
        said.append(f"exercise {exercise}: no column of the roster names it, a new one is called {column!r}")
    pupils = table.index[[_is_student(row, lms) for _, row in table.iterrows()]]
    left, matched = list(records), {}
    for of_record, of_row in _identities(lms):
        for row in pupils.difference(list(matched)):
            names = of_row(table.loc[row]) - {""}
            found = [record for record in left if of_record(record) in names]
            if len(found) == 1:
                matched[row] = found[0]
                left.remove(found[0])
    for row in pupils:
        if row not in matched:
            absent.append((table.at[row, _name(lms)], _lms_id(table.loc[row], lms), exercise))
        elif matched[row]["status"] in (GRADED, NOT_ATTEMPTED):
            table.at[row, column] = number(matched[row]["mark"])
    said += [f"exercise {exercise}: {r['student']} {r['lms_id']}".rstrip() + " is not in the roster" for r in left]
    return table, absent, said + _other_total(table, lms, column, exercise, records)


def _column(table, exercise, stem):
    """The title of a Canvas assignment is its name and, in brackets, its number in Canvas."""
    titles = {title: plain(re.sub(r"\(\d+\)\s*$", "", title)) for title in map(str, table.columns[4:])}
    full = [title for title, words in titles.items() if plain(stem) in words]
    short = [title for title, words in titles.items() if exercise in re.findall(r"\d+", words)]
    return next((found[0] for found in (full, short) if len(found) == 1), stem)


def _is_student(row, lms):
    if lms == "moodle":
        return bool(re.search(r"\d$", row["Identifier"]))
    return bool(row["ID"].strip()) and "points possible" not in row["Student"].lower()


def _name(lms):
    return "Full name" if lms == "moodle" else "Student"


def _lms_id(row, lms):
    """Moodle's identifier is "Participant 12345" in the teacher's language; its folders are named by the number."""
    return re.search(r"\d*$", row["Identifier"])[0] if lms == "moodle" else row["ID"].strip()


def _identities(lms):
    """Ways to find a submission's row, the surest first: what is compared of the submission, and of the row."""
    others = ["ID number", "Email address", "Username"] if lms == "moodle" else ["SIS User ID", "SIS Login ID"]
    name = _name(lms)
    return [
        (lambda record: record["lms_id"], lambda row: {_lms_id(row, lms)}),
        (_plain_name, lambda row: {plain(row[other].partition("@")[0]) for other in others if other in row}),
        (_plain_name, lambda row: {plain(row[name]), plain(" ".join(reversed(row[name].split(","))))}),
    ]


def _plain_name(record):
    return plain(record["student"])


def plain(name):
    """
    A name reduced to its letters and digits, as Canvas reduces it in file names.

    Examples
    --------
    >>> plain("Doe, Jané") == plain("doejane")
    True
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _other_total(table, lms, column, exercise, records):
    if lms == "moodle":
        totals = set(table.get("Maximum Grade", pd.Series(dtype=str)))
    else:
        totals = set(table.loc[table["Student"].str.contains("points possible", case=False), column])
    ours = {number(record["total"]) for record in records if record["questions"]}
    theirs = {total for total in totals if re.fullmatch(r"[\d.]+", total)}
    different = ours and theirs and {float(total) for total in theirs} != {float(total) for total in ours}
    return [f"exercise {exercise}: {'/'.join(ours)} points here, {'/'.join(theirs)} in the roster"] if different else []


# What changed


def compare(old, new):
    """
    List whose mark differs between two runs, and why.

    Parameters
    ----------
    old, new : list of dict
        Finished records.

    Returns
    -------
    list of str
        One line for each student and exercise that differs.
    """
    before, after = ({(r["exercise"], r["lms_id"] or r["student"]): r for r in records} for records in (old, new))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        one = now or was
        who = f"{one['student']} {one['lms_id']}".rstrip() + f", exercise {one['exercise'] or '?'}"
        if not was or not now:
            lines.append(f"{who}: {'new' if now else 'gone'}, {number(one['mark']) or one['status']}")
        elif (was["mark"], was["status"]) != (now["mark"], now["status"]):
            marks = f"{number(was['mark']) or was['status']} → {number(now['mark']) or now['status']}"
            lines.append(f"{who}: {marks}: {'; '.join(_changes(was, now))}")
    return lines


def _changes(was, now):
    changed = {
        "digest": "handed in again", "answers": "the answer notebook changed", "seed": "another seed",
        "grader": "the grader changed",
    }  # fmt: skip
    said = [text for part, text in changed.items() if was["made"].get(part) != now["made"].get(part)]
    questions = {question["name"]: question for question in was["questions"]}
    for question in now["questions"]:
        other = questions.get(question["name"], {"mark": None, "points": 0})
        if other["mark"] != question["mark"]:
            why = question.get("comment") or question["reason"] or question["outcome"]
            said.append(
                f"{question['name']} {number(other['mark']) or '–'} → {number(question['mark']) or '–'} ({why})"
            )
    return said or [now["problem"] or "see the flags"]
