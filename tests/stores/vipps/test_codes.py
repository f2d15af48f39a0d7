"""The table of answers: which status and code mean what the caller can do, row by row."""

import pytest

from stores.vipps.codes import CODES, error_class, meaning_of
from stores.vipps.errors import (
    KeyConflict,
    Locked,
    Misconfigured,
    OurDefect,
    Refused,
    Throttled,
    Unauthorized,
    Unsure,
    VippsError,
)
from tests.stores.vipps.world import BERGEN, ORDER, Recorder, World, nok, problem

DOCUMENTED = {
    str(code)
    for code in (
        *(3010, 4010, 4020, *range(4040, 4161, 10)),
        *range(5010, 5101, 10),
        *(*range(6010, 6231, 10), 6250, 6260, 6280, 7010),
        *range(10010, 10071, 10),
    )
}

ROWS: list[tuple[int, str | None, type[VippsError]]] = [
    (400, "6150", Refused),
    (400, "6180", Refused),
    (400, "6210", Refused),
    (400, "6220", Refused),
    (400, "6020", Refused),
    (400, "7010", Refused),
    (400, "6160", Locked),
    (423, "6160", Locked),
    (423, None, Locked),
    (409, "6160", Locked),
    (409, "4150", KeyConflict),
    (409, "4010", KeyConflict),
    (409, "4020", KeyConflict),
    (409, None, KeyConflict),
    (400, "4150", KeyConflict),
    (400, "4010", OurDefect),
    (400, "4020", OurDefect),
    (400, "4040", OurDefect),
    (400, "9999", OurDefect),
    (400, None, OurDefect),
    (400, "3010", Unsure),
    (400, "5040", Misconfigured),
    (400, "5090", Misconfigured),
    (400, "5100", Misconfigured),
    (404, "5090", Misconfigured),
    (404, None, Misconfigured),
    (403, "5100", Misconfigured),
    (403, None, Misconfigured),
    (401, None, Unauthorized),
    (429, None, Throttled),
    (422, None, Unsure),
    (402, None, Unsure),
    (408, None, Unsure),
    (418, "6150", Unsure),
    (308, None, Unsure),
    (100, None, Unsure),
    (500, None, Unsure),
    (500, "6150", Unsure),
    (502, "5090", Unsure),
    (503, "6160", Unsure),
    (504, "4040", Unsure),
]


@pytest.mark.parametrize(("status", "code", "error"), ROWS)
def test_each_answer_is_the_error_that_the_table_says(status: int, code: str | None, error: type[VippsError]) -> None:
    assert error_class(status, code) is error


def test_every_documented_code_has_a_row_and_a_meaning() -> None:
    assert set(CODES) == DOCUMENTED
    assert all(5 < len(meaning_of(code)) < 90 for code in DOCUMENTED)


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_a_code_in_a_400_arrives_at_the_caller_with_its_facts(world: World, code: str) -> None:
    transport = Recorder(answers=[problem(400, code)])
    with pytest.raises(CODES[code].error) as caught:
        world.epayment(BERGEN, transport=transport).refund(ORDER, nok(100), idempotency_key="k-1")
    assert type(caught.value) is CODES[code].error
    assert (caught.value.status, caught.value.code, caught.value.operation) == (400, code, "refund")
    assert caught.value.trace_id == "00-abc-def-00"
    assert caught.value.detail == meaning_of(code)


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_is_always_unsure_whatever_its_body_says(status: int, code: str) -> None:
    assert error_class(status, code) is Unsure
