"""Spoiled answers by seed: none is taken for a refund without our exact key, amount and currency.

`FUZZED_ANSWERS` says how many (100,000 as in `python -m tests.faults.answers`); fewer by default, to be quick.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from refunds import deciding, gateway
from refunds.gateway import Meaning
from stores.vipps import ecom_reading, reading
from tests.faults.answers import run

COUNT = int(os.environ.get("FUZZED_ANSWERS", "20000"))
FEW = 5_000


def test_no_spoiled_answer_is_taken_for_a_refund_that_it_does_not_show() -> None:
    tally = run(count=COUNT, seed=1)
    assert tally.wrong == []
    assert sum(tally.meanings.values()) == COUNT
    # Enough of every kind came through whole, so that the answer above says something.
    for meaning in ("success", "log: refunded", "log: no evidence", "log: not read", "unsure", "lagging", "refused"):
        assert tally.meanings[meaning] > COUNT / 200, meaning


def _generous(answer: Any, order: Any, expected_minor: int) -> Meaning:
    return Meaning.SUCCESS if answer.aggregate.refunded >= expected_minor else Meaning.LAGGING


def _numbers_in_any_form(members: dict[str, Any], name: str) -> int:
    try:
        return int(float(members[name]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise reading.Unreadable(name) from None


SABOTAGE: list[tuple[str, object, str, Callable[..., object]]] = [
    ("a higher sum counts", gateway, "_meaning_of_answer", _generous),
    ("any amount counts", deciding, "is_exactly", lambda event, **ours: True),
    ("the last of two members counts", reading, "_members", dict),
    ("decimals and texts count", ecom_reading, "read_minor", _numbers_in_any_form),
]


@pytest.mark.parametrize(("where", "name", "worse"), [row[1:] for row in SABOTAGE], ids=[row[0] for row in SABOTAGE])
def test_the_fuzz_finds_a_client_that_is_less_strict(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, worse: Callable[..., object]
) -> None:
    monkeypatch.setattr(where, name, worse)
    found = run(count=FEW, seed=1).wrong
    assert any(" success: " in one or " log: refunded: " in one for one in found)
