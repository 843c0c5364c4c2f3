"""What a cell's code binds and reads, seen from the notebook: read off the syntax, never run."""

import ast
import copy
import symtable


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


def _running(node):
    yield node
    for child in ast.iter_child_nodes(node):
        if runs(child, [node]):
            yield from _running(child)


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


def _scopes(tree):
    tables = [symtable.symtable(ast.unparse(tree), "cell", "exec")]
    for table in tables:
        tables += table.get_children()
    return tables


def bindings(tree):
    """
    Names that a module binds at its top, however.

    Examples
    --------
    >>> code = "import a.b\\nwith c as d: pass\\nfor e in f: del g\\ndef h(i):\\n    global j\\n    j = k = 1"
    >>> sorted(bindings(ast.parse(code)))
    ['a', 'd', 'e', 'g', 'h', 'j']
    """
    top, *inner = _scopes(tree)
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return bound | {s.get_name() for table in inner for s in table.get_symbols() if s.is_global() and s.is_assigned()}


def reads(tree, run_only=False):
    """
    Names of the module that a module reads: in its functions too, unless only what runs at once is asked for.

    Examples
    --------
    >>> tree = ast.parse("def f(x, y=a):\\n    return x + y + b\\nc(f)")
    >>> sorted(reads(tree)), sorted(reads(tree, run_only=True))
    (['a', 'b', 'c', 'f'], ['a', 'c', 'f'])
    """
    if run_only:
        return {node.id for node in _running(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    top, *inner = _scopes(tree)
    read = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    return read | {s.get_name() for table in inner for s in table.get_symbols() if s.is_global() and s.is_referenced()}


def line_of(tree, name, context=(ast.Store, ast.Del, ast.Load), run_only=False):
    """First line in which a name occurs, or None."""
    lines = []
    for node in _running(tree) if run_only else ast.walk(tree):
        as_name = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, context)
        if as_name or (
            context is not ast.Load and name in (getattr(node, "name", None), getattr(node, "asname", None))
        ):
            lines.append(node.lineno)
    return min(lines, default=None)


def imports(tree):
    """What a module imports when it runs: a set of name bound, module, name imported."""
    return {
        (alias.asname or alias.name.split(".")[0], getattr(node, "module", None), alias.name)
        for node in _running(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
