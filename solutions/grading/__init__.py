"""Submissions to marks, feedback and a gradebook; student code only ever runs in a sandbox."""

from pathlib import Path


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
