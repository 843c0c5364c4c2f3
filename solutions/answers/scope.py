"""What a cell's code binds and reads, seen from the notebook: read off the syntax, never run."""

import ast
import copy


def is_text(node):
    """Whether a node is a string written out."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def calls_of_exercise(tree):
    """The calls in ``check = exercise("03", release="…")``, as `ast.Call`."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and [ast.unparse(target) for target in node.targets] == ["check"]
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "exercise"
        and [is_text(argument) for argument in node.value.args] == [True]
        and [(keyword.arg, is_text(keyword.value)) for keyword in node.value.keywords] == [("release", True)]
    ]


def runs(node, parents):
    """Whether a node below these parents is evaluated when the module runs: it is in no function's body."""
    for parent, child in zip(parents, [*parents[1:], node], strict=True):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)) and child in parent.body:
            return False
        if isinstance(parent, ast.Lambda) and child is parent.body:
            return False
    return True


def guards(tree):
    """
    Separate what a module does in any case from what it does under ``if check("name"):``.

    Returns
    -------
    unguarded : ast.Module
        The module with the guarded bodies cut out.
    bodies : list of (ast.Module, frozenset of str)
        Each guarded body, and the names that must be correct for it to run.

    Examples
    --------
    >>> unguarded, [(body, names)] = guards(ast.parse('if check("fit"):\\n    print(fit)\\nelse:\\n    wait()'))
    >>> ast.unparse(body), sorted(names), sorted(reads(unguarded))
    ('print(fit)', ['fit'], ['check', 'wait'])
    """
    bodies = []

    class Cut(ast.NodeTransformer):
        def visit_If(self, node):
            guard = _guard(node.test)
            if not guard:
                return self.generic_visit(node)
            inner, deeper = guards(ast.Module(node.body, []))
            bodies.extend([(inner, guard), *((body, guard | more) for body, more in deeper)])
            return ast.copy_location(ast.If(node.test, [ast.copy_location(ast.Pass(), node)], node.orelse), node)

    return Cut().visit(copy.deepcopy(tree)), bodies


def _guard(test):
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        parts = [_guard(value) for value in test.values]
        return frozenset().union(*parts) if all(parts) else None
    if isinstance(test, ast.Call) and ast.unparse(test.func) == "check" and [is_text(a) for a in test.args] == [True]:
        return frozenset({test.args[0].value})
    return None


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bindings(tree):
    r"""
    Names that a module binds at its top, however, with the first line of each.

    Examples
    --------
    >>> code = "import a.b\nwith c as d: pass\nfor e in f: del g\ndef h(i):\n    global j\n    j = k = 1"
    >>> bindings(ast.parse(code))
    {'a': 1, 'd': 2, 'e': 3, 'g': 3, 'h': 4, 'j': 6}
    """
    return _Walk(tree).bound


def reads(tree, run_only=False):
    r"""
    Names of the module that a module reads, in its functions too unless only what runs at once is asked for.

    Examples
    --------
    >>> tree = ast.parse("def f(x, y=a):\n    return x + y + b\nc(f, [d for d in e])")
    >>> reads(tree)
    {'a': 1, 'b': 2, 'c': 3, 'f': 3, 'e': 3}
    >>> reads(tree, run_only=True)
    {'a': 1, 'c': 3, 'f': 3, 'e': 3}
    """
    return _Walk(tree, run_only).read


class _Walk:
    """
    Go through a module knowing which names are local where.

    Not with `symtable`: from Python 3.12 on it counts the targets of a comprehension among the names around it.
    """

    def __init__(self, tree, run_only=False):
        self.bound, self.read, self.run_only = {}, {}, run_only
        self.visit(tree, frozenset(), frozenset())

    def visit(self, node, local, inherited):
        """Names in `local` are not the module's here; those in `inherited` are not in functions in here either."""
        for name in _bound_by(node):
            if name not in local:
                self.bound.setdefault(name, node.lineno)
        used = node.target if isinstance(node, ast.AugAssign) else node
        if isinstance(used, ast.Name) and (used is not node or isinstance(node.ctx, ast.Load)) and used.id not in local:
            self.read.setdefault(used.id, used.lineno)
        if isinstance(node, FUNCTIONS):
            body = node.body if isinstance(node.body, list) else [node.body]
            self.parts(node, local, inherited, but=body)
            if not self.run_only:
                parameters = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
                own = (inherited | parameters | _assigned(body)) - _declared_global(body)
                for part in body:
                    self.visit(part, own, own)
        elif isinstance(node, ast.ClassDef):
            self.parts(node, local, inherited, but=node.body)
            for part in node.body:
                self.visit(part, inherited | _assigned(node.body), inherited)
        elif isinstance(node, COMPREHENSIONS):
            first = node.generators[0].iter
            targets = {name for generator in node.generators for name in _assigned([generator.target])}
            self.visit(first, local, inherited)
            self.parts(node, local | targets, inherited | targets, but=[first])
        else:
            self.parts(node, local, inherited)

    def parts(self, node, local, inherited, but=()):
        for part in ast.iter_child_nodes(node):
            if part in but:
                continue
            if isinstance(part, ast.comprehension):
                self.parts(part, local, inherited, but)
            else:
                self.visit(part, local, inherited)


def _bound_by(node):
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.alias):
        return [node.asname or node.name.split(".")[0]]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []


def _of_one_scope(nodes):
    """Nodes below these, down to the functions and classes in them; of comprehensions, what := binds."""
    for node in nodes:
        yield node
        if isinstance(node, COMPREHENSIONS):
            yield from (inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield from _of_one_scope(ast.iter_child_nodes(node))


def _assigned(nodes):
    return {name for node in _of_one_scope(nodes) for name in _bound_by(node)}


def _declared_global(nodes):
    return {name for node in _of_one_scope(nodes) if isinstance(node, ast.Global) for name in node.names}


def imports(tree):
    """What a module imports when it runs: a set of name bound, module, name imported."""
    return {
        (alias.asname or alias.name.split(".")[0], getattr(node, "module", None), alias.name)
        for node in _of_one_scope(tree.body)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
