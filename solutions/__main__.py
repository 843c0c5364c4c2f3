"""The instructor's one command: ``python -m solutions <what>``."""

import argparse
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(prog="python -m solutions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="run notebooks and store their outputs")
    refresh.add_argument("paths", nargs="*", type=Path, help="notebooks or folders (default: lessons and answers)")
    arguments = parser.parse_args()
    if arguments.command == "refresh":
        from solutions.refresh import refresh as run

        run(arguments.paths)


if __name__ == "__main__":
    main()
