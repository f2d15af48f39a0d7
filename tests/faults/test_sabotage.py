"""The list of guards holds together; `python -m tests.faults.sabotage` takes them away, one at a time."""

import ast
from pathlib import Path

from tests.faults.sabotage.guards import GUARDS

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_there_are_at_least_the_sixteen_of_the_study_and_the_twelve_of_the_plan() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS) >= 28


def test_each_guard_names_a_test_that_exists() -> None:
    for guard in GUARDS:
        file, _, name = guard.test.partition("::")
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, guard.name


def test_what_is_taken_away_comes_back() -> None:
    """Those that patch; what is taken from the database comes back with the test's transaction."""
    for guard in GUARDS:
        if "trigger" not in guard.name and guard.name != "one in flight":
            with guard.gone():
                pass
            with guard.gone():
                pass
