"""What is changed, and what is left alone."""

from tests.mutants.making import mutants_of

SOURCE = '''"""Texts stay: 1 < 2."""
from dataclasses import dataclass

Kind = int | None


@dataclass(frozen=True)
class Sum:
    value: int | None = 7


def may(left: int, *, asked: int) -> bool | None:
    return asked > 0 and not left < asked
'''


def test_each_slip_of_a_hand_is_made_once_and_types_and_texts_stay() -> None:
    found = list(mutants_of(SOURCE))
    assert len({mutant.source for mutant in found}) == len(found)
    assert {mutant.line for mutant in found} == {7, 9, 13}
    after = {mutant.after.strip() for mutant in found if mutant.line == 13}
    assert {"return asked >= 0 and not left < asked", "return asked > 0 or not left < asked"} <= after
    assert {"return asked > 0 and  left < asked", "return asked > 0 and not left <= asked"} <= after
    assert found[0].name == "RemoveDecorator: @dataclass(frozen=True) -> "
