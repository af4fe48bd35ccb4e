"""The mutants of a source text, and samples of them by seed.

Each is one change in the syntax tree:

arithmetic    + and -, * and / change places; // % ** become *; a unary minus goes
numbers       n becomes n + 1, 2 n and 0; True and False change places
comparisons   the edge moves in or out, and the opposite: < becomes <= and >=; in, is, == turn round
branches      `if`, `a if c else b` and `where(c, a, b)` take the other branch (a lone comparison does so already)
truth         and, or change places; not goes
calls         min and max, any and all, cos and sin, ... change places (_PAIRS); stop_gradient and logical_not go

Texts stay, and so do docstrings, messages with what they compute, and annotations.
"""

import ast
from typing import NamedTuple

from base.mix import generator

_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
               ast.Mod: ast.Mult, ast.Pow: ast.Mult}
_COMPARED = {ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
             ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,),
             ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,)}
_PAIRS = (("minimum", "maximum"), ("min", "max"), ("argmin", "argmax"), ("any", "all"), ("cos", "sin"),
          ("logical_and", "logical_or"), ("ones_like", "zeros_like"))
_CALLED = {name: other for pair in _PAIRS for name, other in (pair, pair[::-1])}
_DROPPED = ("stop_gradient", "logical_not")


class Mutant(NamedTuple):
    """One change of one file."""

    file: str
    line: int
    before: str
    """The changed line, as ast.unparse writes it."""
    after: str
    source: str
    """The whole file, changed."""

    def __str__(self):
        return f"{self.file}:{self.line}: {self.before}  ->  {self.after}"


def mutants(source, file):
    """Returns every mutant of a source text, in the order of its nodes."""
    tree, found = ast.parse(source), []
    lines = ast.unparse(tree).split("\n")
    for owner, field, index, node in list(_places(tree)):
        for other in _changes(node):
            _put(owner, field, index, other)
            text = ast.unparse(tree)
            _put(owner, field, index, node)
            changed = [pair for pair in zip(lines, text.split("\n"), strict=True) if pair[0] != pair[1]]
            if changed:
                [(before, after)] = changed
                found.append(Mutant(file, node.lineno, before.strip(), after.strip(), text + "\n"))
    return found


def sample(found, count, seed):
    """Draws `count` of the mutants by seed; each file gives in proportion to its own, largest remainders first."""
    by_file = {}
    for mutant in found:
        by_file.setdefault(mutant.file, []).append(mutant)
    count = min(count, len(found))
    quotas = {file: count * len(own) // len(found) for file, own in by_file.items()}
    left = sorted(by_file, key=lambda file: (-(count * len(by_file[file]) % len(found)), file))
    for file in left[:count - sum(quotas.values())]:
        quotas[file] += 1
    return [own[place] for file, own in by_file.items()
            for place in sorted(generator("mutants", seed, file).permutation(len(own))[:quotas[file]])]


def _places(node):
    """Yields (owner, field, index, node) of every expression and statement that may change, in order."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield node, field, index, child
                yield from _places(child)


def _put(owner, field, index, node):
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


def _with(node, **changes):
    return ast.copy_location(type(node)(**dict(ast.iter_fields(node)) | changes), node)


def _changes(node):
    """Yields what may stand in a node's place, as the module says."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            yield _with(node, op=_ARITHMETIC[type(op)]())
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.Constant(value=bool() | int() | float()):
            yield from (_with(node, value=value) for value in _numbers(node.value))
        case ast.Compare(ops=ops):
            yield from (_with(node, ops=[*ops[:place], other(), *ops[place + 1:]])
                        for place, op in enumerate(ops) for other in _COMPARED[type(op)])
        case ast.If(test=test) if not _turns_alone(test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.IfExp(test=test) if not _turns_alone(test):
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.Call():
            yield from _calls(node)


def _numbers(value):
    if isinstance(value, bool):
        return [not value]
    return list(dict.fromkeys(other for other in (value + 1, 2 * value, 0 * value) if other != value))


def _calls(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if name in _CALLED:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield _with(node, func=_with(node.func, **{field: _CALLED[name]}))
    if name in _DROPPED:
        yield node.args[0]
    if name == "where" and not _turns_alone(node.args[0]):
        yield _with(node, args=[node.args[0], *node.args[:0:-1]])


def _turns_alone(test):
    """True of a condition whose own mutant takes the other branch already."""
    return isinstance(test, ast.UnaryOp) or (isinstance(test, ast.Compare) and len(test.ops) == 1)
