"""The mutants of a module: every place where one of Cosmic Ray's operators has something to change, but types and texts."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_ORDERS = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
_COMPARISONS = {f"{one}_{other}" for one in _ORDERS for other in _ORDERS} | {"Is_IsNot", "IsNot_Is", "In_NotIn", "NotIn_In"}
_SUMS = {"Add_Sub", "Sub_Add", "Mul_Add", "Div_Mul", "FloorDiv_Mul", "Mod_Add", "BitOr_BitAnd", "BitAnd_BitOr"}
_OTHERS = {
    *("AddNot", "NumberReplacer", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop", "RemoveDecorator"),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd"),
}
OPERATORS = sorted(
    {f"core/ReplaceComparisonOperator_{pair}" for pair in _COMPARISONS}
    | {f"core/ReplaceBinaryOperator_{pair}" for pair in _SUMS}
    | {f"core/{name}" for name in _OTHERS}
)
"""Those that a slip of a hand could make; not those that no type checker would let pass, which any test notices."""

Span = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change: the operator that made it, where, the line before and after, and the whole module with it."""

    operator: str
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """Stays the same when other lines come or go."""
        return f"{self.operator.removeprefix('core/')}: {self.before.strip()} -> {self.after.strip()}"


def mutants_of(source: str) -> Iterator[Mutant]:
    """Each mutant once, from the top of the module to its end."""
    not_run = list(_never_run(source))
    found: dict[str, Mutant] = {}
    for name in set(OPERATORS) & set(operator_names()):
        operator = get_operator(name)()
        places = [place for node in ast_nodes(get_ast(source)) for place in operator.mutation_positions(node)]
        for occurrence, place in enumerate(places):
            changed = mutate_code(source, operator, occurrence)
            if changed is None or any(_is_within(place, span) for span in not_run) or not _is_python(changed):
                continue
            line = place[0][0]
            before, after = _changed_lines(source, changed, line)
            found.setdefault(changed, Mutant(operator=name, line=line, before=before, after=after, source=changed))
    yield from sorted(found.values(), key=lambda mutant: (mutant.line, mutant.name))


def _never_run(source: str) -> Iterator[Span]:
    """Annotations and aliases of types: nothing at run time depends on them."""
    for node in ast.walk(ast.parse(source)):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None), _alias(node)):
            if isinstance(part, ast.expr):
                yield (part.lineno, part.col_offset), (part.end_lineno or part.lineno, part.end_col_offset or 0)


def _alias(node: ast.AST) -> ast.expr | None:
    is_alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr)
    return node.value if is_alias and isinstance(node, ast.Assign) else None


def _is_python(changed: str) -> bool:
    """The star before keyword-only arguments is taken for a product."""
    try:
        ast.parse(changed)
    except SyntaxError:
        return False
    return True


def _is_within(place: Span, span: Span) -> bool:
    return span[0] <= place[0] and place[1] <= span[1]


def _changed_lines(source: str, changed: str, line: int) -> tuple[str, str]:
    pairs = zip(source.split("\n")[line - 1 :], changed.split("\n")[line - 1 :], strict=False)
    return next(((before, after) for before, after in pairs if before != after), ("", ""))
