"""The instructor's one command: ``python -m solutions <what>``."""

import argparse
import sys
from pathlib import Path

from solutions.grading import add_arguments


def main():
    parser = argparse.ArgumentParser(prog="python -m solutions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="run notebooks and store their outputs")
    refresh.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (default: lessons and answers)")
    release = commands.add_parser("release", help="write the exercises from the answer notebooks")
    release.add_argument("--check", action="store_true", help="write nothing; fail where exercises/ differs")
    release.add_argument("--bundle", type=Path, metavar="ZIP", help="write the student's copy of the course instead")
    slides = commands.add_parser("slides", help="write the lessons as slides, each one file that opens offline")
    slides.add_argument("number", nargs="?", metavar="NN", help="only this lesson")
    slides.add_argument("--to", type=Path, default=Path("build/slides"), metavar="FOLDER", help="default: %(default)s")
    site = commands.add_parser("site", help="write the web site: lessons, slides, JupyterLite")
    site.add_argument("--to", type=Path, default=Path("build/site"), metavar="FOLDER", help="default: %(default)s")
    student = commands.add_parser("student", help="write the student's copy as Binder and Colab open it")
    student.add_argument("to", type=Path, metavar="FOLDER")
    add_arguments(commands.add_parser("grade", help="mark a class against the answer notebooks"))
    arguments = parser.parse_args()
    if arguments.command == "refresh":
        from solutions.refresh import refresh as run

        run(arguments.paths)
    elif arguments.command == "release":
        from solutions.release import run

        sys.exit(run(arguments.check, arguments.bundle))
    elif arguments.command == "slides":
        from solutions.publish.slides import write_decks

        for path in write_decks(arguments.to, arguments.number):
            print(path)
    elif arguments.command == "site":
        from solutions.publish.website import write_site

        write_site(arguments.to.resolve())
        print(arguments.to / "index.html")
    elif arguments.command == "student":
        from solutions.publish.website import write_student_branch

        write_student_branch(arguments.to)
    elif arguments.command == "grade":
        from solutions.grading.command import run

        sys.exit(run(arguments))


if __name__ == "__main__":
    main()
