"""What no line of the refund path may say: other clocks, floats of money, bare look-ups by doors, other ways to publish."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import refunds
import stores

REFUNDS = Path(refunds.__file__).parent
STORES = Path(stores.__file__).parent
DOORS = [REFUNDS / "desk", REFUNDS / "api", REFUNDS / "inbound"]
WEB_DOORS = [REFUNDS / "desk", REFUNDS / "api"]


def sources(*places: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Every module below, but migrations (written by a machine) and the simulator (another party's house)."""
    for place in places:
        for path in sorted(place.rglob("*.py")):
            if "migrations" not in path.parts and "simulator" not in path.parts:
                yield path, ast.parse(path.read_text())


def lines_with(found: type[ast.AST], wrong: object, *places: Path) -> list[str]:
    """Where a node of that kind, as text, matches the pattern."""
    pattern = re.compile(str(wrong))
    return [
        f"{path.name}:{getattr(node, 'lineno', 0)} {ast.unparse(node)[:80]}"
        for path, tree in sources(*places)
        for node in ast.walk(tree)
        if isinstance(node, found) and pattern.search(ast.unparse(node))
    ]


def test_there_is_something_to_read() -> None:
    assert len(list(sources(REFUNDS))) > 30
    assert all(len(list(sources(place))) > 1 for place in DOORS)


def test_the_finder_finds(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("when = timezone.now()\nrow = Refund.objects.get(pk=1)\n")
    assert lines_with(ast.Call, r"^timezone\.now\(", tmp_path) == ["bad.py:1 timezone.now()"]
    assert lines_with(ast.Call, r"\.objects\.get\(", tmp_path) == ["bad.py:2 Refund.objects.get(pk=1)"]


OTHER_CLOCKS = (
    r"^(timezone\.now|datetime\.(now|utcnow|today)|datetime\.datetime\.(now|utcnow|today)|date\.today|Now|time\.\w+)\("
)


def test_the_hub_has_one_clock() -> None:
    assert lines_with(ast.Call, OTHER_CLOCKS, REFUNDS) == []
    imported = [
        f"{path.name}:{node.lineno}"
        for path, tree in sources(REFUNDS)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(name.name in ("time", "random", "secrets") for name in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module in ("time", "random", "secrets", "django.utils.timezone"))
    ]
    assert imported == []
    assert lines_with(ast.Constant, r"(?i)\b(now|current_timestamp|clock_timestamp)\(\)", REFUNDS) == []


@pytest.mark.parametrize("wrong", [r"\bauto_now(_add)?=", r"default=(timezone|datetime)\."])
def test_no_column_dates_itself_by_another_clock(wrong: str) -> None:
    assert lines_with(ast.Call, wrong, REFUNDS / "models") == []


def test_money_is_never_a_float() -> None:
    assert lines_with(ast.Call, r"^(float|round)\(", REFUNDS) == []
    annotated = [
        f"{path.name}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources(REFUNDS)
        for node in ast.walk(tree)
        if isinstance(node, ast.arg | ast.AnnAssign)
        and node.annotation is not None
        and "float" in ast.unparse(node.annotation)
        and re.search(r"minor|amount|money|sum|total", ast.unparse(node))
    ]
    assert annotated == []
    assert lines_with(ast.Call, r"models\.FloatField\(", REFUNDS) == []
    decimal = lines_with(ast.Call, r"models\.DecimalField\(", REFUNDS)
    assert [line for line in decimal if "_('quantity')" not in line] == [], "goods may be 1.5 kg; money is minor units"
    assert [line for line in lines_with(ast.BinOp, r"_minor", REFUNDS) if re.search(r"[^/]/[^/]", line.split(" ", 1)[1])] == []


@pytest.mark.parametrize("wrong", [r"\.objects\.get\(", r"^get_object_or_404\(", r"\.objects\.raw\(", r"^cursor\.execute\("])
def test_doors_get_things_through_access_and_queries(wrong: str) -> None:
    assert lines_with(ast.Call, wrong, *DOORS) == []


@pytest.mark.parametrize(
    "wrong", [r"\.objects\.(create|bulk_create|update_or_create|get_or_create)\(", r"\.(save|delete)\(\)$"]
)
def test_the_doors_of_cashiers_and_store_systems_write_nothing_themselves(wrong: str) -> None:
    assert lines_with(ast.Call, wrong, *WEB_DOORS) == []


def test_only_one_function_changes_a_refunds_state() -> None:
    writers = {
        line.split(":")[0]
        for line in lines_with(ast.Call, r"^Refund\.objects\b.*\.update\(.*\bstate=", REFUNDS)
        + lines_with(ast.Assign, r"^(refund|current|found|other)\.state = ", REFUNDS)
    }
    assert writers == set()
    assert lines_with(ast.Call, r"^Refund\.objects\.filter\(pk=refund\.pk\)\.update\(\*\*columns\)$", REFUNDS) != []


def imports_of(module: str, names: set[str], *places: Path) -> set[str]:
    """The files that import any of those names from that module."""
    return {
        path.name
        for path, tree in sources(*places)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module and names & {name.name for name in node.names}
    }


def test_keys_are_opened_only_by_sessions_and_sessions_only_by_who_speaks_with_vipps() -> None:
    assert imports_of("stores", {"vault", "credentials", "signing", "rotation"}, REFUNDS) <= {"delivering.py", "endpoints.py"}
    callers = {"claims.py", "comparison.py", "execution.py", "looking.py", "restoring.py"}
    assert imports_of("stores", {"sessions"}, REFUNDS) == callers
    assert lines_with(ast.Call, r"unsealed_keys\(", STORES) == [
        line for line in lines_with(ast.Call, r"unsealed_keys\(", STORES) if line.startswith("sessions.py:")
    ]
    assert lines_with(ast.Call, r"unsealed_keys\(", STORES) != []
    assert lines_with(ast.Call, r"unsealed_keys\(", REFUNDS) == []


def test_vipps_payments_are_reached_only_through_the_gateway() -> None:
    calls = lines_with(ast.Call, r"^payments\.(read_payment|read_events|refund)\(", REFUNDS)
    assert {line.split(":")[0] for line in calls} == {"gateway.py"}
    assert imports_of("stores.vipps.epayment", {"Epayment"}, REFUNDS) == set()
    assert imports_of("stores.vipps.ecom", {"Ecom"}, REFUNDS) == set()


def test_only_the_nudge_publishes_and_nothing_waits_in_a_broker() -> None:
    assert {line.split(":")[0] for line in lines_with(ast.Call, r"\bsend_task\(", REFUNDS, STORES)} == {"nudge.py"}
    assert lines_with(ast.Call, r"\.(apply_async|delay|s|si|retry)\(", REFUNDS) == []
    for word in ("countdown", "eta", "chord"):
        assert lines_with(ast.keyword, rf"^{word}=", REFUNDS, STORES) == []
    assert imports_of("celery", {"chain", "chord", "group", "signature"}, REFUNDS, STORES) == set()


def test_a_task_takes_one_id_and_nothing_else() -> None:
    [(_, tree)] = [found for found in sources(REFUNDS) if found[0] == REFUNDS / "tasks.py"]
    tasks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert len(tasks) >= 2
    for task in tasks:
        assert len(task.args.args) <= 1, task.name
        assert all(argument.arg.endswith("_id") for argument in task.args.args), task.name
