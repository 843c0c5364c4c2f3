"""A class in tables and pages: nothing is lost, nothing is silently zero, and no student's text is more than text."""

import csv
import io
import re
import zipfile
from html.parser import HTMLParser

import pandas as pd
import pytest

from solutions.grading import batch, gradebook, intake, marking, questions, reference, report, submission
from solutions.grading.command import write_reports
from tests import grading_course as course


@pytest.fixture(scope="module")
def exercises():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "_sentences", lambda number: course.SENTENCES)
        return {"90": course.parse()}


@pytest.fixture(scope="module")
def known(exercises):
    return reference.refer(exercises["90"], 7, course.InProcess().run_all)


@pytest.fixture(scope="module")
def grade(exercises, known):
    """A finished record of a submission, graded without a sandbox; each run of a source is made once."""
    runs = {}

    def graded(path, book=None):
        data = course.dump(book or course.right())
        upload = intake._owner(tuple(path.split("/")), [course.STEM])
        handed = submission.examine(intake.replace(upload, data=data), exercises)
        if handed.status:
            found = batch._for_a_person(handed, exercises.get(handed.exercise))
        else:
            if data not in runs:
                job = reference.job(exercises["90"], known.seed, batch._code(handed))
                runs[data] = course.InProcess().run(job)
            found = marking.mark(exercises["90"], known, handed, runs[data]) | {"safe": True}
        made = {"digest": handed.digest, "answers": "a", "seed": 7, "grader": "g"}
        return batch._record(handed, exercises["90"], made, found)

    return graded


def finished(*records, overrides=""):
    header = "student,question,mark,comment\n"
    return [gradebook.finish(record) for record in gradebook.override(records, header + overrides)]


WRONG = course.right(gradient=course.MISTAKES["gradient"]["wrong-sign"])


# Gradebook


def test_every_submission_has_a_row_with_its_status(grade):
    records = finished(
        grade("ann.ipynb"),
        grade("bea.ipynb", course.exercise(**course.ANSWERS)),
        grade("cem.ipynb", course.exercise()),
        grade("dan/dan.ipynb", {"cells": 1}),
        grade("eve.ipynb", WRONG),
    )
    table = gradebook.gradebook(records, [("Flo", "17", "90")])
    assert table.to_csv(index=False).splitlines() == [
        "student,id,exercise,marks,total,status,flags",
        "Flo,17,90,,,not submitted,",
        "ann,,90,6,8,partly graded,",
        "bea,,90,6,8,graded,",
        "cem,,90,0,8,not attempted,",
        "dan,,90,,8,unreadable,not a notebook: it has no list of cells",
        "eve,,90,4,8,partly graded,",
    ]


def test_cells_that_begin_a_formula_are_text(grade):
    (record,) = finished(grade('=HYPERLINK("http:  x").ipynb'))
    cells = gradebook.gradebook([record]).loc[0]
    assert cells["student"].startswith("'=HYPERLINK")
    assert cells["marks"] == "6"


# Marks by a person


def test_an_override_counts_and_shows_and_the_grader_s_own_mark_stays_in_its_file(grade, exercises):
    machine = grade("ann.ipynb", WRONG)
    (record,) = finished(machine, overrides='ann,why,1.5,"Well argued, too long"\nann,gradient,2,sign was our typo\n')
    assert (record["mark"], record["status"]) == (7.5, "graded")
    assert machine["questions"][0]["mark"] == 0
    page = report.feedback(record, exercises["90"])
    assert "Well argued, too long" in page
    assert "given by a person" in page
    assert gradebook.gradebook([record]).loc[0, "flags"] == "by a person: gradient, why"


def test_a_file_that_could_not_be_read_is_graded_when_a_person_has_marked_all_of_it(grade):
    unreadable = grade("dan/dan.ipynb", {"cells": 1})
    names = [question["name"] for question in unreadable["questions"]]
    rows = [f"dan,90/{name},1,from the PDF\n" for name in names]
    (partly,) = finished(unreadable, overrides="".join(rows[:-1]))
    assert (partly["mark"], partly["status"]) == (3, "unreadable")
    (whole,) = finished(unreadable, overrides="".join(rows))
    assert (whole["mark"], whole["status"]) == (4, "graded")


def test_a_comment_alone_changes_no_mark(grade):
    (record,) = finished(grade("ann.ipynb"), overrides="ann,fit,,See me\n")
    assert record["questions"][1]["comment"] == "See me"
    assert (record["questions"][1]["mark"], record["status"]) == (3, "partly graded")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("bob,why,1,", "line 2: no submission of a student 'bob'"),
        ("ann,how,1,", "line 2: no question 'how' for ann; there are: gradient, fit, median, why"),
        ("ann,91/why,1,", "line 2: no question '91/why'"),
        ("ann,why,3,", "line 2: 3 is no mark between 0 and 2, the points of why"),
        ("ann,why,-1,", "line 2: -1 is no mark"),
        ("ann,why,nan,", "line 2: nan is no mark"),
        ("ann,why,good,", "line 2: 'good' is no mark"),
        ('ann,fit,1,"two\nlines"\nann,why,9,', "line 4: 9 is no mark"),
    ],
)
def test_an_override_that_cannot_be_meant_is_refused_with_its_line(grade, row, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        finished(grade("ann.ipynb"), overrides=row + "\n")


def test_all_that_is_wrong_with_the_overrides_is_said_at_once(grade):
    with pytest.raises(ValueError, match=r"(?s)line 2.*line 4"):
        finished(grade("ann.ipynb"), overrides="bob,why,1,\n\nann,how,1,\n")
    with pytest.raises(ValueError, match="line 1: the columns must be student, question, mark, comment"):
        gradebook.override([], "name;mark\n")


def test_two_students_of_one_name_are_told_apart_by_id(grade):
    twins = grade(f"doejane_5_1001_{course.STEM}.ipynb"), grade(f"doejane_6_1002_{course.STEM}.ipynb")
    with pytest.raises(ValueError, match="several students are called 'doejane': write the id instead"):
        finished(*twins, overrides="doejane,why,1,\n")
    assert [record["mark"] for record in finished(*twins, overrides="6,why,1,\n")] == [6, 7]


# The roster

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (11),Small course 90 (12)
,,,,,Manual Posting,
    Points Possible,,,,,10,8
"Doe, Jane",5,u5,jdoe,A,3,
"Roe, Ann",6,u6,aroe,A,4,
"=Evil, Max",7,u7,mevil,A,,
"Test, Student",8,,x8,A,,
"""
MOODLE = """Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Last modified (grade)
Participant 5,Jane Doe,u5,jdoe@uni.example,Submitted for grading,,8.00,-
Participant 6,Ann Roe,u6,aroe@uni.example,No submission,,8.00,-
"""


def bea(grade, path):
    return grade(path, course.exercise(**course.ANSWERS))


def test_a_canvas_gradebook_comes_back_with_its_column_filled(grade):
    records = finished(
        bea(grade, f"doejane_5_1001_{course.STEM}.ipynb"),
        bea(grade, f"aroe/{course.STEM}.ipynb"),
        bea(grade, f"stranger/{course.STEM}.ipynb"),
    )
    files, absent, said = gradebook.fill_roster(b"\xef\xbb\xbf" + CANVAS.encode(), records, {"90": course.STEM})
    lines = files["roster-90.csv"].decode().splitlines()
    assert lines[0] == "\ufeff" + CANVAS.splitlines()[0]
    assert lines[3:] == [
        '"Doe, Jane",5,u5,jdoe,A,3,6',
        '"Roe, Ann",6,u6,aroe,A,4,6',
        '"\'=Evil, Max",7,u7,mevil,A,,',
        '"Test, Student",8,,x8,A,,',
    ]
    assert absent == [("=Evil, Max", "7", "90"), ("Test, Student", "8", "90")]
    assert said == ["exercise 90: stranger is not in the roster"]


def test_a_moodle_worksheet_comes_back_with_its_grades(grade):
    records = finished(bea(grade, f"Jane Doe_5_assignsubmission_file/{course.STEM}.ipynb"))
    files, absent, said = gradebook.fill_roster(MOODLE.encode(), records, {"90": course.STEM})
    rows = list(csv.DictReader(io.StringIO(files["roster-90.csv"].decode())))
    assert [row["Grade"] for row in rows] == ["6", ""]
    assert [row["Last modified (grade)"] for row in rows] == ["-", "-"]
    assert absent == [("Ann Roe", "6", "90")]
    assert said == []


def test_what_a_person_must_still_mark_is_not_filled_in(grade):
    records = finished(grade(f"doejane_5_1001_{course.STEM}.ipynb"), grade("Roe Ann/x.ipynb", {"cells": 1}))
    files, absent, _ = gradebook.fill_roster(CANVAS.encode(), records, {"90": course.STEM})
    table = pd.read_csv(io.BytesIO(files["roster-90.csv"]))
    assert table["Small course 90 (12)"].dropna().tolist() == [8]  # the points possible
    assert [student for student, *_ in absent] == ["=Evil, Max", "Test, Student"]


def test_a_roster_s_other_total_or_missing_column_is_said(grade):
    records = finished(bea(grade, f"doejane_5_1001_{course.STEM}.ipynb"))
    _, _, said = gradebook.fill_roster(CANVAS.replace(",10,8", ",10,20").encode(), records, {"90": course.STEM})
    assert said == ["exercise 90: 8 points here, 20 in the roster"]
    files, _, said = gradebook.fill_roster(
        CANVAS.replace("Small course 90", "Homework").encode(), records, {"90": course.STEM}
    )
    assert said == [f"exercise 90: no column of the roster names it, a new one is called '{course.STEM}'"]
    assert files["roster-90.csv"].decode().splitlines()[0].endswith(f",{course.STEM}")


def test_a_roster_with_semicolons_keeps_them(grade):
    text = "Identifier;Full name;Grade\nTeilnehmer/in 5;Jane Doe;\n"
    records = finished(bea(grade, f"Jane Doe_5_assignsubmission_file/{course.STEM}.ipynb"))
    files, _, _ = gradebook.fill_roster(text.encode(), records, {"90": course.STEM})
    assert files["roster-90.csv"].decode() == text.replace("Doe;", "Doe;6")


def test_another_table_is_no_roster():
    with pytest.raises(ValueError, match="neither a Canvas gradebook .* nor a Moodle .* columns are name, mark"):
        gradebook.fill_roster(b"name,mark\nann,1\n", [], {})


# Pages


class Outline(HTMLParser):
    """What a screen reader steps through, and what a page must not hold."""

    def __init__(self, page):
        super().__init__()
        self.headings, self.scopes, self.tags, self.links, self.labels = [], [], set(), [], 0
        self.language = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th":
            self.scopes.append(attributes.get("scope"))
        if tag == "html":
            self.language = attributes.get("lang")
        self.links += [value for name, value in attributes.items() if name in ("href", "src")]


HOSTILE = "def fit(t):\n    return '</pre><script>alert(1)</script><img src=x onerror=alert(1)>'"


@pytest.fixture
def pages(grade, exercises):
    records = finished(
        grade("ann.ipynb", course.right(fit=HOSTILE, why="<script>alert(2)</script>")),
        grade("<b>eve.ipynb", WRONG),
        grade("dan/x.ipynb", {"cells": 1}),
        overrides='ann,fit,1,"<script>alert(3)</script>"\n',
    )
    return {
        "feedback": report.feedback(records[0], exercises["90"]),
        "summary": report.summary(records, exercises, [("Flo", "17", "90")], ["seed 3 passed over"]),
        "marking": report.marking(records, exercises, [["ann", "fit", "1", "</script><script>alert(4)"]]),
    }


@pytest.mark.parametrize("name", ["feedback", "summary", "marking"])
def test_a_page_is_self_contained_accessible_and_runs_nothing_of_a_student(pages, name):
    page = pages[name]
    outline = Outline(page)
    assert outline.language == "en"
    assert outline.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.scopes.count(None) == 0
    assert outline.links == []
    assert "img" not in outline.tags
    assert "<script>alert" not in page
    assert ("script" in outline.tags) == (name == "marking")
    assert ("caption" in outline.tags) == ("table" in outline.tags)


def test_feedback_teaches(grade, exercises):
    (record,) = finished(grade("eve.ipynb", WRONG))
    page = report.feedback(record, exercises["90"])
    assert course.SENTENCES["wrong-sign"] in page
    assert "4 of 8 points" in page
    assert course.MISTAKES["gradient"]["wrong-sign"].splitlines()[1].strip() in page
    assert course.ANSWERS["gradient"].splitlines()[1].strip() not in page
    shown = report.feedback(record, exercises["90"], show_answers=True)
    assert course.ANSWERS["gradient"].splitlines()[1].strip() in shown
    assert "BEGIN SOLUTION" not in shown


def test_no_sandbox_is_written_into_every_page(grade, exercises):
    records = finished(grade("eve.ipynb") | {"safe": False})
    pages = report.feedback(records[0]), report.summary(records, exercises), report.marking(records, exercises)
    assert all("Run without a sandbox" in page for page in pages)


def test_the_summary_has_histogram_hardest_questions_and_commonest_mistakes(grade, exercises):
    records = finished(
        *(grade(f"wrong{i}.ipynb", WRONG) for i in range(3)), *(grade(f"right{i}.ipynb") for i in range(2))
    )
    page = report.summary(records, exercises)
    assert "3 of 5" in page
    assert course.SENTENCES["wrong-sign"] in page
    assert 'aria-label="0–10 per cent: 0;' in page
    assert "70–80 per cent: 2" in page
    assert page.index('<th scope="row">gradient') < page.index('<th scope="row">fit')
    assert "40%" in page


def test_the_marking_page_collects_what_a_person_must_mark_and_keeps_other_overrides(grade, exercises):
    records = finished(
        grade("ann.ipynb"), grade("dan/x.ipynb", {"cells": 1}), grade("eve.ipynb", course.exercise()),
        overrides="ann,why,1,so so\nann,fit,2,late\n",
    )  # fmt: skip
    page = report.marking(records, exercises, [["ann", "why", "1", "so so"], ["ann", "fit", "2", "late"]])
    asked = re.findall(r'value="(.*?)" data-student="(.*?)" data-question="(.*?)"', page)
    assert asked == [
        ("1", "ann", "90/why"),
        *[("", "dan", f"90/{name}") for name in ("why", "gradient", "fit", "median")],
    ]
    assert '[["ann", "fit", "2", "late"]]' in page
    assert "Because the score is zero there." in page


def test_page_names_hold_no_personal_name_where_the_lms_gives_an_id_and_are_unique(grade):
    records = [
        grade(f"doejane_5_1001_{course.STEM}.ipynb"),
        grade(f"Jane Doe_7_assignsubmission_file/{course.STEM}.ipynb"),
        grade("../../Ann.ipynb"), grade("ann.ipynb"), grade("CON.ipynb"),
    ]  # fmt: skip
    names = report.page_names(records)
    assert names[:2] == [f"5_1001_{course.STEM}.html", f"Participant_7_assignsubmission_file_{course.STEM}.html"]
    assert len({name.casefold() for name in names}) == len(names)
    assert not [name for name in names if "/" in name or name.startswith(".")]


def test_the_zip_of_pages_is_the_same_for_the_same_pages():
    packed = report.packed({"b.html": "2", "a.html": "1"})
    assert packed == report.packed({"a.html": "1", "b.html": "2"})
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["a.html", "b.html"]


def test_reports_are_written_and_pages_of_former_runs_go(grade, exercises, tmp_path, capsys):
    class Arguments:
        out, show_answers = tmp_path, False

    (tmp_path / "feedback").mkdir()
    (tmp_path / "feedback" / "former.html").write_text("")
    (tmp_path / "overrides.csv").write_text("student,question,mark,comment\nann,why,2,\n")
    write_reports(Arguments, exercises, [grade("ann.ipynb")], CANVAS.encode())
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
        "overrides.csv", "gradebook.csv", "summary.html", "marking.html", "feedback.zip", "roster-90.csv",
        f"feedback/ann-{course.STEM}.html",
    }  # fmt: skip
    assert "ann,,90,8,8,graded,by a person: why" in (tmp_path / "gradebook.csv").read_text()
    assert capsys.readouterr().out.startswith("4 not submitted, 1 graded\n")


# What changed


def test_whose_mark_changed_is_listed_with_the_reason(grade):
    old = finished(grade("ann.ipynb", WRONG), grade("bob.ipynb"), grade("cem.ipynb"), grade("dan.ipynb"))
    again = grade("ann.ipynb") | {"made": {"digest": "new", "answers": "a", "seed": 7, "grader": "g"}}
    new = finished(again, grade("bob.ipynb"), grade("cem.ipynb"), grade("eve.ipynb"), overrides="cem,why,2,good\n")
    lines = gradebook.compare(old, new)
    assert lines == [
        "ann, exercise 90: 4 → 6: handed in again; gradient 0 → 2 (right)",
        "cem, exercise 90: 6 → 8: why – → 2 (good)",
        "dan, exercise 90: gone, 6",
        "eve, exercise 90: new, 6",
    ]
