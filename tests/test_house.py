"""The promises of README, requirements and packaging hold against the tree."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import nbformat
import pytest

from solutions.refresh import ROOT, SHOWN_IN_README, readme_figure

README = (ROOT / "README.md").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
STUDENTS_CODE = sorted(
    [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("exercises/*.ipynb")]
)
RUN_AS_COMMANDS = {"jupyter", "nbval", "pytest"}


def name(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


def source(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    cells = nbformat.reads(text, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def imports(paths):
    found = set()
    for path in paths:
        for node in ast.walk(ast.parse(source(path))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names)


def test_every_requirement_has_a_floor_and_the_course_comes_last():
    *required, last = REQUIREMENTS
    assert last == "-e ."
    assert all(re.fullmatch(r"[a-z0-9-]+>=\d+(\.\d+)+", line) for line in required), required


def test_requirements_are_what_students_code_imports():
    distributions = packages_distributions()
    imported = {name(distributions[module][0]) for module in imports(STUDENTS_CODE) - {"helpers"}}
    shipped_with_them = {"ipython", "mpmath", "traitlets"}  # by jupyter, by sympy, by ipywidgets
    required = {name(line) for line in REQUIREMENTS[:-1]}
    assert imported - shipped_with_them <= required
    assert required - imported <= RUN_AS_COMMANDS


def test_students_code_imports_nothing_of_the_instructors():
    assert not imports(STUDENTS_CODE) & {"solutions", "tests"}


def test_everything_required_was_tested_at_a_pinned_version():
    extras = [requirement for extra in PROJECT["project"]["optional-dependencies"].values() for requirement in extra]
    ourselves = PROJECT["project"]["name"]
    for requirement in [*REQUIREMENTS[:-1], *(extra for extra in extras if name(extra) != ourselves)]:
        assert re.search(rf"(?m)^{name(requirement)}==", CONSTRAINTS), requirement


def test_ci_runs_exactly_the_commands_of_the_readme():
    shell = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = [step.strip() for command in shell for step in command.split("&&")]
    steps = [step for step in steps if re.search(r"-m (venv|pip|pytest) ", step)]
    assert len(steps) == 4
    for step in steps:
        assert step in run, f"README says, .ci/run does not: {step}"


def test_both_shells_are_told_the_same():
    shell = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
    power = re.findall(r"```powershell\n(.*?)```", README, flags=re.S)
    translated = [
        text.replace(" && ", "; ").replace("python3 -m venv", "py -m venv").replace(".venv/bin/", ".venv\\Scripts\\")
        for text in shell
    ]
    assert power
    assert set(power) <= set(translated)


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_figure_of_the_readme_is_the_lessons():
    figure = SHOWN_IN_README[-1]
    assert figure.relative_to(ROOT).as_posix() in README
    assert figure.read_bytes() == readme_figure()


def test_every_lesson_and_exercise_is_in_the_table():
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("exercises/*.ipynb")]:
        assert path.relative_to(ROOT).as_posix() in README
    for path in ROOT.glob("exercises/*.ipynb"):
        assert (ROOT / "notebooks" / path.name).exists(), f"{path.name} has no lesson of the same name"


def test_minutes_in_the_table_are_those_of_the_lesson():
    for path in ROOT.glob("notebooks/*.ipynb"):
        objectives = nbformat.read(path, as_version=4).cells[1].source
        minutes = re.search(r"\*\*Minutes\*\* (\d+)", objectives)[1]
        row = next(line for line in README.splitlines() if path.name in line and line.startswith("|"))
        assert f"| {minutes} |" in row, f"{path.name} says {minutes}"


def test_nothing_but_the_clients_folders_at_the_top():
    expected = {"notebooks", "helpers", "exercises", "solutions", "tests"}
    ignored = {"build", "__pycache__"}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert {folder for folder in folders - ignored if not folder.endswith(".egg-info")} == expected


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_setup_cell_says_how_to_mend_a_missing_course(path, tmp_path):
    cell = next(cell for cell in nbformat.read(path, as_version=4).cells if "setup" in cell.metadata.get("tags", []))
    without = "import sys\nsys.modules['helpers'] = None\n" + cell.source
    run = subprocess.run(
        [sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    last = run.stderr.strip().splitlines()[-1]
    assert run.returncode == 1
    assert f'"{sys.executable}" -m pip install -r requirements.txt' in last


def test_the_package_carries_its_data_and_its_style():
    declared = PROJECT["tool"]["setuptools"]["package-data"]["helpers"]
    carried = {path for pattern in declared for path in (ROOT / "helpers").glob(pattern)}
    data = {path for path in ROOT.glob("helpers/**/*") if path.suffix not in {".py", ".pyc"} and path.is_file()}
    assert data == carried


def test_lessons_open_from_the_root_so_that_exercises_are_beside_them():
    assert re.search(r"default_url=/lab/tree/(\S+)", README)[1] == "notebooks/01-autodiff-basics.ipynb"
