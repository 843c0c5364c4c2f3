"""Who binds which name, who reads it, and who must not: what keeps one answer from hanging on another."""

import ast
import builtins
import re

from solutions.answers.markers import options
from solutions.answers.model import INSTRUCTORS, MISTAKE, PROBE, WRITTEN, Answers, Probe, Question
from solutions.answers.scope import bindings, calls_of_exercise, guards, imports, is_text, reads


class Names:
    """
    The names of one answer notebook whose cells are in form.

    Parameters
    ----------
    file : str
    cells : list of Cell
    complaints : Complaints
    """

    def __init__(self, file, cells, complaints):
        self.file, self.cells, self.say = file, cells, complaints.add
        self.code = [cell for cell in cells if cell.kind == "code"]
        self.place = {cell.id: i for i, cell in enumerate(cells)}
        self.trees = {cell.id: ast.parse(cell.source) for cell in self.code}
        self.blanked = {cell.id: ast.parse(cell.blanked) for cell in self._with("answer")}
        self.of_blanks = {name: cell.id for cell in self._with("answer") for name in self._bound_by_blank(cell)}

    def answers(self):
        """Look at every rule, and return what was read; it counts only where nothing was complained of."""
        number = self._number()
        questions = self._questions(self._checks())
        self._each_answer_is_bound_once(questions)
        self._nobody_reads_a_blank()
        self._guarded_bindings_stay_under_their_guard()
        for cell in self._with("mistake"):
            self._mistake(cell, questions)
        for cell in self._with("probe"):
            self._probe(cell, questions)
        self._instructors_leave_no_trace(questions)
        written = [cell for cell in self.cells if cell.role == "written-answer"]
        for cell in written:
            if cell.id in questions:
                self.say(cell, None, f"{cell.id!r} is also the name of a question")
        points = {cell.id: float(WRITTEN.match(cell.source)["points"]) for cell in written}
        setup = "".join(cell.source for cell in self._with("probe-setup"))
        return Answers(self.file, number, self.cells, questions, points, setup)

    def _with(self, role):
        return [cell for cell in self.code if cell.role == role]

    def _bound_by_blank(self, cell):
        """Names bound by the statements of a cell that a region touches."""
        bound = set()
        for statement in self.trees[cell.id].body:
            first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", []))])
            if any(region.first <= statement.end_lineno and first <= region.last for region in cell.regions):
                bound |= set(bindings(ast.Module([statement], [])))
        return bound

    def _number(self):
        name = re.fullmatch(r"(\d\d)-[a-z0-9-]+\.ipynb", self.file)
        if not name:
            self.say(None, None, "must be named NN-short-name.ipynb")
            return ""
        calls = [(cell, call) for cell in self.code for call in calls_of_exercise(self.trees[cell.id])]
        if [(cell.role, call.args[0].value) for cell, call in calls] != [("setup", name[1])]:
            self.say(
                None, None, f'the set-up cell, and no other, must say check = exercise("{name[1]}", release="answers")'
            )
        for cell in self.code:
            tree = self.trees[cell.id]
            bound = bindings(tree)
            for owned in sorted(bound.keys() & {"check", "exercise"} if cell.role != "setup" else ()):
                self.say(cell, bound[owned], f"binds {owned!r}, which the set-up owns")
        return name[1]

    def _checks(self):
        """Where each name is checked: by name, a list of cell and line."""
        checks = {}
        for cell in self.code:
            for node in ast.walk(self.trees[cell.id]):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"):
                    continue
                if not (len(node.args) == 1 and not node.keywords and is_text(node.args[0])):
                    self.say(cell, node.lineno, "check must be called with the name of a question")
                elif cell.role:
                    self.say(cell, node.lineno, f"a check in a cell tagged {cell.role!r}: give it a cell of its own")
                else:
                    checks.setdefault(node.args[0].value, []).append((cell, node.lineno))
        return checks

    def _questions(self, checks):
        questions = {}
        for cell in self._with("answer"):
            bound = sorted(name for name, owner in self.of_blanks.items() if owner == cell.id)
            checked = [name for name in bound if name in checks]
            if len(checked) != 1:
                self.say(
                    cell,
                    None,
                    f"of the names that its blank binds ({', '.join(bound) or 'none'}), one must be checked in a later "
                    f"cell; checked are {', '.join(checked) or 'none'}",
                )
                continue
            (name,) = checked
            questions[name] = Question(name, cell.id)
            for checking, line in checks[name]:
                if self.place[checking.id] < self.place[cell.id]:
                    self.say(checking, line, f"checks {name!r} before its answer in cell {cell.id}")
            if name not in bindings(self.blanked[cell.id]):
                self.say(cell, cell.regions[0].first, f"the blank does not bind {name!r}")
        for name, uses in checks.items():
            if name not in self.of_blanks:
                self.say(*uses[0], f"checks {name!r}, which no blank binds")
        return questions

    def _each_answer_is_bound_once(self, questions):
        for cell in self.code:
            tree = self.trees[cell.id]
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                    self.say(cell, node.lineno, "import * may bind any name: import by name")
            allowed = self.of_blanks if cell.role == "answer" else ()
            bound = bindings(tree)
            for name in sorted(bound.keys() & set(questions)):
                owner = questions[name].cell
                if not (owner == cell.id and name in allowed) and name != self._own_question(cell):
                    self.say(cell, bound[name], f"binds {name!r}, the answer of cell {owner}")

    def _own_question(self, cell):
        """The question that an instructor's cell is about."""
        header = {"mistake": MISTAKE, "probe": PROBE}.get(cell.role)
        return header.match(cell.source)["name"] if header else None

    def _nobody_reads_a_blank(self):
        """No cell reads what another cell's blank binds, unless under ``if check("name"):`` of that name."""
        for cell in self.code:
            unguarded, bodies = guards(self.trees[cell.id])
            parts = [(unguarded, frozenset()), *bodies]
            if cell.role == "answer":
                parts.append((self.blanked[cell.id], frozenset()))
            seen = set()
            for tree, guard in parts:
                read = reads(tree)
                others = set(self.of_blanks) - guard - seen - {self._own_question(cell)}
                for name in sorted(read.keys() & others):
                    if self.of_blanks[name] != cell.id:
                        line = None if tree is self.blanked.get(cell.id) else read[name]
                        self.say(cell, line, f"reads {name!r}, which the blank of cell {self.of_blanks[name]} binds")
                        seen.add(name)
        for cell in self._with("answer"):
            for name, line in reads(self.blanked[cell.id], run_only=True).items():
                if self.of_blanks.get(name) == cell.id:
                    self.say(cell, cell.origin[line - 1], f"uses {name!r}, its own blank, and would raise unfilled")

    def _guarded_bindings_stay_under_their_guard(self):
        """What is bound only under a guard is read only under that guard, and never by an answer or a mistake."""
        anywhere, under = set(), {}
        for cell in self.code:
            unguarded, bodies = guards(self.trees[cell.id])
            anywhere |= set(bindings(unguarded))
            for tree, guard in [(unguarded, frozenset()), *bodies]:
                read = reads(tree)
                for name in sorted((read.keys() & set(under)) - set(bindings(tree))):
                    safe = name in anywhere or any(known <= guard for known in under[name])
                    if cell.role in ("answer", "mistake", "probe") or not safe:
                        self.say(
                            cell,
                            read[name],
                            f"reads {name!r}, which an earlier cell binds under a check",
                        )
            for tree, guard in bodies:
                for name in bindings(tree):
                    under.setdefault(name, []).append(guard)

    def _mistake(self, cell, questions):
        header = MISTAKE.match(cell.source)
        question = questions.get(header["name"])
        if not question:
            self.say(cell, 1, f"there is no question {header['name']!r}")
            return
        if self.place[cell.id] > self.place[question.cell]:
            self.say(cell, 1, f"must stand before the answer in cell {question.cell}, which is to bind last")
        if question.name not in bindings(self.trees[cell.id]):
            self.say(cell, 1, f"does not bind {question.name!r}")
        if header["id"] in question.mistakes:
            self.say(cell, 1, f"{question.name!r} already has a mistake {header['id']!r}")
        question.mistakes[header["id"]] = cell.source

    def _probe(self, cell, questions):
        header, tree = PROBE.match(cell.source), self.trees[cell.id]
        question, limits, bound = questions.get(header["name"]), options(header), bindings(tree)
        if not question:
            self.say(cell, 1, f"there is no question {header['name']!r}")
            return
        if self.place[cell.id] < self.place[question.cell]:
            self.say(cell, 1, f"must stand after the answer in cell {question.cell}")
        if "returned" not in bound:
            self.say(cell, 1, "does not assign 'returned'")
        if not (limits.keys() & {"rtol", "atol"} or "tolerance" in bound):
            self.say(cell, 1, "needs rtol=, atol= or a 'tolerance'")
        for statement in tree.body:
            if isinstance(statement, ast.Expr):
                self.say(cell, statement.lineno, "an expression of its own: a probe assigns, and shows nothing")
        known = {question.name, *bound, *dir(builtins), *self.of_blanks}  # blanks are reported as such
        known = known.union(*(bindings(self.trees[setup.id]) for setup in self._with("probe-setup")))
        read = reads(tree)
        for name in sorted(read.keys() - known):
            self.say(cell, read[name], f"reads {name!r}, neither its question's nor the probe-setup's")
        self._uses_a_function_of_data(cell, question)
        question.probes.append(Probe(cell.id, cell.source, limits["points"], limits.get("rtol"), limits.get("atol")))

    def _uses_a_function_of_data(self, cell, question):
        """A probe calls the answer with data, or hands it to something that does; the answer takes arguments."""
        calls = [node for node in ast.walk(self.trees[cell.id]) if isinstance(node, ast.Call)]
        called = {id(call.func): call for call in calls}
        handed_on = {id(node) for call in calls for node in [*call.args, *(keyword.value for keyword in call.keywords)]}
        used = False
        for node in ast.walk(self.trees[cell.id]):
            if not (isinstance(node, ast.Name) and node.id == question.name):
                continue
            used, call = True, called.get(id(node))
            if call and not call.args and not call.keywords:
                self.say(cell, node.lineno, f"calls {question.name!r} without data")
            elif not call and id(node) not in handed_on:
                self.say(cell, node.lineno, f"uses {question.name!r} as a value: only a function of its data is probed")
        if not used:
            self.say(cell, 1, f"does not call {question.name!r}")
        for node in self.trees[question.cell].body:
            if _binds_no_function_of_data(node, question.name):
                answer = self.cells[self.place[question.cell]]
                self.say(
                    answer, node.lineno, f"{question.name!r} is probed in cell {cell.id} and is no function of its data"
                )

    def _instructors_leave_no_trace(self, questions):
        """A student's notebook, which lacks the instructor's cells, computes what the answer notebook computes."""
        imported, bound = set(), {}
        for cell in self.code:
            tree = self.trees[cell.id]
            if cell.role in INSTRUCTORS:
                again = {entry[0] for entry in imports(tree) & imported}
                bound |= dict.fromkeys(bindings(tree).keys() - set(questions) - again, cell.id)
                continue
            imported |= imports(tree)
            read = reads(tree)
            for name in sorted((read.keys() - set(bindings(tree))) & set(bound)):
                self.say(
                    cell,
                    read[name],
                    f"reads {name!r}, which the instructor's cell {bound[name]} binds",
                )


def _binds_no_function_of_data(statement, name):
    """As far as the syntax tells: a value, or a function without parameters."""
    function = None
    if isinstance(statement, ast.FunctionDef) and statement.name == name:
        function = statement
    elif isinstance(statement, ast.Assign) and name in [ast.unparse(target) for target in statement.targets]:
        function = statement.value
    if isinstance(function, (ast.FunctionDef, ast.Lambda)):
        return not ast.unparse(function.args)
    while isinstance(function, ast.Attribute):
        function = function.value
        if isinstance(function, ast.Call):  # minimize(…).x is a number, jax.numpy.sin a function
            return True
    return function is not None and not isinstance(function, (ast.Call, ast.Name))
