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
    add_arguments(commands.add_parser("grade", help="mark a class against the answer notebooks"))
    arguments = parser.parse_args()
    if arguments.command == "refresh":
        from solutions.refresh import refresh as run

        run(arguments.paths)
    elif arguments.command == "release":
        from solutions.release import run

        sys.exit(run(arguments.check, arguments.bundle))
    elif arguments.command == "grade":
        from solutions.grading.command import run

        sys.exit(run(arguments))


if __name__ == "__main__":
    main()
