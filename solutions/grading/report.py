"""A class in pages: feedback for each student, a summary, and one page with all that a person must mark."""

import hashlib
import io
import re
import zipfile
from collections import Counter
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup, escape

from solutions.grading.gradebook import NOT_SUBMITTED, number
from solutions.grading.marking import NOT_ATTEMPTED, PARTLY, PERSON, RIGHT, WRONG

OUTCOMES = [RIGHT, PARTLY, WRONG, NOT_ATTEMPTED, PERSON]


def _spans(text):
    """Text in which `code` stands in backticks, as in the sentences of `helpers.checks`, escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
)
_PAGES.filters |= {
    "mark": number,
    "spans": _spans,
    "style": lambda outcome: {RIGHT: "right", WRONG: "wrong", PARTLY: "wrong"}.get(outcome, "other"),
}


def feedback(record, exercise=None, show_answers=False):
    """
    The page a student gets: one HTML file that needs no other.

    Parameters
    ----------
    record : dict
        Finished, see `solutions.grading.gradebook.finish`.
    exercise : Exercise, optional
        Where the exercise is known.
    show_answers : bool
        Whether the model answers stand in it.

    Returns
    -------
    str
    """
    answers = {question.name: question.answer for question in exercise.questions} if exercise and show_answers else {}
    questions = [{"comment": "", "by_hand": False} | question for question in record["questions"]]
    record = record | {"questions": questions}
    return _PAGES.get_template("feedback.html").render(record=record, answers=answers, unsafe=not record["safe"])


def page_names(records):
    """
    A file name for each student's page: what the LMS takes back where it gave an id, then without a personal name.

    Canvas reads the user's and the attachment's number, wherever they stand; Moodle the participant's and the words
    after it. Any other name is reduced to letters and digits, and made unique by a hash.

    Parameters
    ----------
    records : list of dict

    Returns
    -------
    list of str

    Examples
    --------
    >>> ann = {"student": "Ann", "stem": "03-weibull", "lms": "moodle", "lms_id": "17", "attachment": ""}
    >>> page_names([ann, ann | {"lms": "", "lms_id": ""}])
    ['Participant_17_assignsubmission_file_03-weibull.html', 'Ann-03-weibull.html']
    """
    names = []
    for record in records:
        what = f"{record['stem'] or 'exercise'}.html"
        if record["lms"] == "moodle":
            name = f"Participant_{record['lms_id']}_assignsubmission_file_{what}"
        elif record["lms"] == "canvas":
            name = f"{record['lms_id']}_{record['attachment']}_{what}"
        else:
            name = re.sub(r"[^\w-]+", "-", record["student"])[:60] + f"-{what}"
        names.append(name)
    twice = {name for name, count in Counter(name.casefold() for name in names).items() if count > 1}
    return [
        f"{hashlib.sha256(record['path'].encode()).hexdigest()[:8]}-{name}" if name.casefold() in twice else name
        for name, record in zip(names, records, strict=True)
    ]


def packed(pages):
    """
    A zip of pages to upload; the same pages give the same bytes.

    Parameters
    ----------
    pages : dict of str to str
        By file name.

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(pages):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, pages[name])
    return buffer.getvalue()


def summary(records, exercises, absent=(), notes=()):
    """
    The class on one page: statuses, a histogram, the hardest questions, the commonest mistakes, whom to look at.

    Parameters
    ----------
    records : list of dict
        Finished.
    exercises : dict of str to Exercise
    absent : iterable of (str, str, str)
        Student, id and exercise of those who handed in nothing.
    notes : iterable of str
        What the class's grader should know, as of a seed that was passed over.

    Returns
    -------
    str
    """
    numbers = sorted({record["exercise"] for record in records} | {exercise for _, _, exercise in absent})
    return _PAGES.get_template("summary.html").render(
        exercises=[_summary(number, records, exercises, absent) for number in numbers],
        notes=list(notes),
        unsafe=not all(record["safe"] for record in records),
    )


def _summary(exercise, records, exercises, absent):
    records = [record for record in records if record["exercise"] == exercise]
    missing = [f"{student} {key}".strip() for student, key, which in absent if which == exercise]
    statuses = Counter(record["status"] for record in records) + Counter({NOT_SUBMITTED: len(missing)})
    known = exercises.get(exercise)
    marks = [record["mark"] for record in records if record["mark"] is not None]
    return {
        "title": known.stem if known else "Exercise not known",
        "statuses": statuses.most_common(),
        "bars": _bars([mark / known.points for mark in marks]) if known and marks else [],
        "median": number(float(np.median(marks))) if marks else "",
        "points": number(known.points) if known else "",
        "questions": _hardest(records),
        "mistakes": _commonest(records),
        "flagged": [record for record in records if record["flags"] or record["problem"]],
        "absent": missing,
    }


def _bars(shares):
    """Ten bars, the last of which holds full marks too."""
    counts = np.histogram(np.clip(shares, 0, 1), bins=10, range=(0, 1))[0].tolist()
    bars = []
    for i, count in enumerate(counts):
        height = round(170 * count / max(counts))
        label = f"{10 * i}–{10 * (i + 1)}"
        text = f"{label} per cent: {count}"
        bars.append(
            {"x": 15 + 62 * i, "y": 205 - height, "height": height, "count": count, "label": label, "text": text}
        )
    return bars


def _hardest(records):
    questions = {}
    for record in records:
        for question in record["questions"]:
            questions.setdefault(question["name"], []).append(question)
    rows = []
    for name, found in questions.items():
        shares = [each["mark"] / each["points"] for each in found if each["mark"] is not None]
        mean = sum(shares) / len(shares) if 2 * len(shares) > len(found) else None  # most are still with a person
        outcomes = Counter(each["outcome"] for each in found)
        share = "–" if mean is None else f"{mean:.0%}"
        rows.append(
            (1 if mean is None else mean, {"name": name, "share": share, "counts": [outcomes[o] for o in OUTCOMES]})
        )
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def _commonest(records):
    told, counts = {}, Counter()
    for record in records:
        for question in record["questions"]:
            if question["mistake"]:
                counts[question["name"], question["mistake"]] += 1
                told[question["name"], question["mistake"]] = question["reason"]
    of = sum(bool(record["questions"]) and not record["problem"] for record in records)
    return [
        {"question": name, "id": mistake, "count": count, "of": of, "sentence": told[name, mistake]}
        for (name, mistake), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def marking(records, exercises, overrides=()):
    """
    The page on which a person marks: answers in words and what the grader could not decide, question by question.

    Parameters
    ----------
    records : list of dict
        Finished.
    exercises : dict of str to Exercise
    overrides : iterable of list of str
        Rows of ``overrides.csv``; those that the page does not show are kept in the file that it saves.

    Returns
    -------
    str
    """
    groups, unknown = {}, []
    for record in records:
        if not record["questions"]:
            unknown.append(_entry(record))
        for question in record["questions"]:
            if question["outcome"] == PERSON or (question.get("by_hand") and not question["probes"]):
                groups.setdefault((record["exercise"], question["name"]), []).append(_entry(record, question))
    shown = [entry for entries in groups.values() for entry in entries]
    kept = [row for row in overrides if not any(_about(entry, *row[:2]) for entry in shown)]
    pages = [_group(exercises[exercise], name, entries) for (exercise, name), entries in groups.items()]
    if unknown:
        pages.append(
            {"title": "Exercise not known: mark by hand, outside of the gradebook", "answer": "", "entries": unknown}
        )
    unsafe = not all(record["safe"] for record in records)
    return _PAGES.get_template("marking.html").render(groups=pages, kept=kept, unsafe=unsafe)


def _about(entry, student, question):
    return student in (entry["student"], entry["lms_id"]) and question in (entry["question"], entry["name"])


def _group(exercise, name, entries):
    answer = next(question.answer for question in exercise.questions if question.name == name)
    return {"title": f"{exercise.stem}: {name}", "answer": answer, "entries": entries}


def _entry(record, question=None):
    question = question or {}
    return {
        "student": record["student"],
        "lms_id": record["lms_id"],
        "key": record["lms_id"] or record["student"],
        "path": record["path"],
        "reason": record["problem"] or question.get("reason", ""),
        "name": question.get("name", ""),
        "question": f"{record['exercise']}/{question['name']}" if question else "",
        "points": question.get("points", 0),
        "mark": number(question["mark"]) if question.get("by_hand") else "",
        "comment": question.get("comment", ""),
        "text": question.get("code", ""),
    }
