"""
Submissions to marks, feedback and a gradebook; student code only ever runs in a sandbox.

``python -m solutions grade SUBMISSIONS --out RESULTS`` takes the folder or the zip that Canvas or Moodle gives, one
folder a student, or files named by student, and marks every exercise among them against its answer notebook:

- ``gradebook.csv``: student, id, exercise, marks, total, status (graded, partly graded, not attempted, unreadable,
  needs a person; not submitted, where there is a roster), flags.
- ``feedback/`` and ``feedback.zip``: a page for each student; the zip has the names that Canvas ("Upload submissions")
  and Moodle ("Upload multiple feedback files in a zip") take back.
- ``summary.html``: the class; histogram, hardest questions, commonest mistakes, whom to look at.
- ``marking.html``: what a person must mark: answers in words, and files that could not be graded. It saves
- ``overrides.csv`` (student, question, mark, comment), which is yours: put it there, run the command again, and it
  counts in all of the above. The command never writes it.
- ``roster-NN.csv``, with ``--roster``: the LMS's own exported table with the exercise's column filled in.
- ``run.json``: the private seed. The same command goes on with it, and grades only what has changed.
- ``marks/``: a file for each submission, for ``--compare OLD NEW``.
"""

import sys
from pathlib import Path

# jsonschema, which nbformat imports, would compile a grammar of addresses that no notebook has: two seconds
sys.modules.setdefault("rfc3987_syntax", None)


def add_arguments(parser):
    """
    Describe the arguments of ``python -m solutions grade``, which `solutions.grading.command.run` takes.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    """
    here = Path(__file__).resolve().parents[1]
    parser.add_argument("submissions", nargs="?", type=Path, help="a folder or a zip, as the LMS gives it")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where results go (default: results)")
    parser.add_argument(
        "--answers", type=Path, default=here, help="answer notebooks, or one of them (default: solutions)"
    )
    parser.add_argument("--roster", type=Path, metavar="CSV", help="gradebook exported by Canvas or Moodle, to fill in")
    parser.add_argument("--seed", type=int, help="of the probes' data (default: that of the run before, else drawn)")
    parser.add_argument("--show-answers", action="store_true", help="put the model answers into the feedback")
    parser.add_argument("--dry-run", action="store_true", help="only list what would be graded")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"), help="whose mark differs, and why")
    parser.add_argument("--jobs", type=int, help="submissions at a time (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster: tcp://host:8786")
    parser.add_argument("--cell-seconds", type=float, help="for one cell")
    parser.add_argument("--wall-seconds", type=float, help="for one submission")
    parser.add_argument(
        "--unsafe-no-sandbox", action="store_true", help="run what was handed in with no more than resource limits"
    )
