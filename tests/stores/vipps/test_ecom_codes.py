"""eCom's table of errors, row by row, and the shapes in which they arrive."""

import json

import pytest

from stores.vipps.ecom import Ecom
from stores.vipps.ecom_codes import ECOM_CODES, ecom_error_class, ecom_meaning_of
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
from tests.stores.vipps.canned import SHORT, ecom_error, told
from tests.stores.vipps.world import BERGEN, Recorder, World, answer

DOCUMENTED = {
    "Payment": [*range(41, 46), 51, 52, 53, 61, 62, 63, *range(71, 75), 93, 95, 96, 98, 1082, 1501],
    "VippsError": [91, 92, 93, 94, 98, 99],
    "User": [81, 82],
    "Merchant": [*range(31, 40), 97],
}
CODES = sorted(f"{group} {number}" for group, numbers in DOCUMENTED.items() for number in numbers)

# The rows that matter most are named one by one; the others are refusals or the unit's set-up.
ROWS: list[tuple[int, str, type[VippsError]]] = [
    (400, "Payment 71", Refused),
    (400, "Payment 72", Refused),
    (400, "Payment 73", Refused),
    (400, "Payment 74", Refused),
    (400, "Payment 95", Refused),
    (402, "Payment 71", Refused),
    (409, "Payment 71", Refused),
    (400, "Payment 98", Refused),
    (400, "VippsError 98", Throttled),
    (400, "VippsError 94", Locked),
    (409, "VippsError 94", Locked),
    (400, "VippsError 93", KeyConflict),
    (409, "VippsError 93", KeyConflict),
    (400, "Payment 93", KeyConflict),
    (400, "VippsError 92", Unsure),
    (400, "VippsError 99", Unsure),
    (400, "Payment 63", Unsure),
    (400, "Payment 52", Unsure),
    (400, "Merchant 34", KeyConflict),
    (400, "Merchant 35", Misconfigured),
    (404, "Merchant 35", Misconfigured),
    (400, "Merchant 37", Misconfigured),
    (400, "InvalidRequest", OurDefect),
    (402, "InvalidRequest", OurDefect),
    (400, "Authentication", Unauthorized),
    (400, "Payment 9999", OurDefect),
    (402, "Payment 9999", Unsure),
    (409, "Payment 9999", KeyConflict),
    (401, "Payment 71", Unauthorized),
    (403, "Payment 71", Misconfigured),
    (429, "Payment 71", Throttled),
    (423, "Payment 71", Locked),
    (418, "Payment 71", Unsure),
    (301, "Payment 71", Unsure),
]


@pytest.mark.parametrize(("status", "code", "error"), ROWS)
def test_each_answer_is_the_error_that_the_table_says(status: int, code: str, error: type[VippsError]) -> None:
    assert ecom_error_class(status, [code]) is error


def test_every_documented_code_has_a_row_and_a_meaning() -> None:
    assert sorted(ECOM_CODES) == CODES
    assert all(5 < len(ecom_meaning_of(code)) < 90 for code in CODES)
    assert ecom_meaning_of("Payment 9999") == ""


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_is_always_unsure_whatever_its_body_says(status: int, code: str) -> None:
    assert ecom_error_class(status, [code]) is Unsure


@pytest.mark.parametrize("code", CODES)
def test_a_code_in_a_400_arrives_at_the_caller_with_its_facts(world: World, code: str) -> None:
    group, number = code.split()
    recorder = Recorder(answers=[told(ecom_error(group, number), 400)])
    with pytest.raises(VippsError) as caught:
        Ecom(world.session(BERGEN, transport=recorder)).refund(SHORT, 2_500, text="Refusjon", request_id="k")
    assert type(caught.value) is ECOM_CODES[code].error
    assert (caught.value.status, caught.value.code, caught.value.operation) == (400, code, "ecom_refund")
    assert caught.value.detail == ecom_meaning_of(code)
    assert caught.value.trace_id == "ctx-1"


def error_of(world: World, status: int, body: str) -> VippsError:
    recorder = Recorder(answers=[answer(status, body)] * 2)
    with pytest.raises(VippsError) as caught:
        Ecom(world.session(BERGEN, transport=recorder)).refund(SHORT, 2_500, text="Refusjon", request_id="k")
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, ecom_error("Payment", "71") + ecom_error("Payment", "72"), Refused, "Payment 71"),
        (400, ecom_error("Payment", "71") + ecom_error("VippsError", "94"), Unsure, "Payment 71"),
        (400, ecom_error("InvalidRequest", "amount") + ecom_error("InvalidRequest", "x"), OurDefect, "InvalidRequest"),
        (400, ecom_error("NewGroup", "71"), OurDefect, "NewGroup 71"),
        (400, [{"errorGroup": "Payment", "errorCode": 71}], Refused, "Payment 71"),
        (400, [{"errorGroup": {}, "errorCode": "71"}], OurDefect, None),
        (400, [{"errorGroup": "Payment" * 9, "errorCode": "71"}], OurDefect, None),
        (400, ["plain", "texts"], OurDefect, None),
        (401, {"statusCode": 401, "message": "Access denied"}, Unauthorized, None),
        (401, {"responseInfo": {"responseCode": 401, "responseMessage": "No"}, "result": {"message": ""}}, Unauthorized, None),
        (403, {"ResponseInfo": {"ResponseMessage": "No"}}, Misconfigured, None),
        (429, {"statusCode": 429, "message": "Rate limit is exceeded"}, Throttled, None),
        (422, {"statusCode": 422, "message": "?"}, Unsure, None),
        (500, {"errorInfo": {"errorMessage": "No"}}, Unsure, None),
        (200, ecom_error("Payment", "71"), Unsure, None),
    ],
)
def test_every_shape_is_read(world: World, status: int, body: object, error: type[VippsError], code: str | None) -> None:
    found = error_of(world, status, json.dumps(body))
    assert (type(found), found.code) == (error, code)


@pytest.mark.parametrize("body", ["", "<html>Bad Gateway</html>", "null", "[[]]", "[null]", "7"])
@pytest.mark.parametrize(("status", "error"), [(502, Unsure), (302, Unsure), (400, OurDefect)])
def test_what_is_no_error_of_theirs_still_is_one(world: World, body: str, status: int, error: type[VippsError]) -> None:
    assert type(error_of(world, status, body)) is error


def test_a_fault_in_the_request_names_its_field(world: World) -> None:
    found = error_of(world, 400, json.dumps(ecom_error("InvalidRequest", "transaction.amount", "too small")))
    assert found.detail == "too small; transaction.amount"
