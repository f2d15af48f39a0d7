"""A till asks Vipps for an order that the hub does not know, over REST."""

from typing import Any

import pytest
from pytest_django import Settings

from refunds import discovering
from stores import keys, nudge
from stores.actors import hub
from stores.models import Scope, VippsQuestion
from tests.conftest import Chain
from tests.refunds.asking_vipps import PAID_AT, paid
from tests.till import Till, problem

REFERENCE = "BER-2026-10042"
BODY = {"reference": REFERENCE}
PATH = "orders/look-ups"


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda _task, _row_id: True)


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


def answer() -> None:
    for question in VippsQuestion.objects.filter(ended_at=None):
        discovering.answer(question.pk, by=hub("worker"))


def where(response: Any) -> str:
    address: str = response["Location"]
    assert address.startswith("/api/v1/orders/look-ups/lku_")
    return address.removeprefix("/api/v1/")


def test_it_is_taken_at_once_and_found_a_moment_later(chain: Chain, oslo: Till) -> None:
    paid(chain, "BGO", REFERENCE)
    taken = oslo.post(PATH, BODY)
    assert (taken.status_code, taken["Retry-After"]) == (202, "1")
    assert {name: taken.json()[name] for name in ("status", "stores_asked", "stores", "orders")} == {
        "status": "asking",
        "stores_asked": 0,
        "stores": 3,
        "orders": [],
    }
    answer()
    seen = oslo.get(where(taken))
    assert (seen.status_code, seen.headers.get("Retry-After")) == (200, None)
    body = seen.json()
    assert (body["status"], body["stores_asked"], body["not_asked"]) == ("found", 3, [])
    [order] = body["orders"]
    assert (order["reference"], order["store"]["code"], order["is_confirmed"]) == (REFERENCE, "BGO", True)
    assert order["paid_at"] == PAID_AT.isoformat().replace("+00:00", "Z")
    assert oslo.get(f"orders/{order['id']}").status_code == 200
    assert oslo.get(f"orders/{order['id']}/refundable").json()["left_minor"] == 25_000


def test_a_store_that_is_named_is_the_only_one_asked(chain: Chain, oslo: Till) -> None:
    taken = oslo.post(PATH, {**BODY, "store": "TRD"})
    assert taken.json()["stores"] == 1
    answer()
    assert oslo.get(where(taken)).json()["status"] == "not_found"


def test_who_could_not_be_asked_is_named_with_why(chain: Chain, oslo: Till) -> None:
    unit = chain.units["TRD"]
    unit.key_set = None
    unit.save()
    taken = oslo.post(PATH, BODY)
    answer()
    body = oslo.get(where(taken)).json()
    assert body["status"] == "incomplete"
    assert body["not_asked"] == [{"code": "TRD", "name": "Nordlys Trondheim", "problem": "no_keys"}]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"reference": "B-79"}, 400, "not_a_whole_reference", "reference"),
        ({"reference": "BER 2026"}, 400, "invalid", "reference"),
        ({"reference": REFERENCE, "store": "NOP"}, 404, "not_found", "store"),
        ({"reference": REFERENCE, "msn": "100002"}, 400, "unknown_field", "msn"),
        ({}, 400, "required", "reference"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    chain: Chain, oslo: Till, body: dict[str, str], status: int, code: str, field: str
) -> None:
    told = problem(oslo.post(PATH, body), status, code)
    assert told["errors"][0]["field"] == field
    assert not VippsQuestion.objects.exists()


def test_a_handful_a_minute(chain: Chain, oslo: Till, settings: Settings) -> None:
    settings.VIPPS_QUESTIONS_PER_MINUTE = 1
    assert oslo.post(PATH, BODY).status_code == 202
    refused = oslo.post(PATH, BODY)
    problem(refused, 429, "too_many_look_ups")
    assert refused["Retry-After"] == "60"


def test_a_question_is_its_askers_own(chain: Chain, oslo: Till) -> None:
    address = where(oslo.post(PATH, BODY))
    problem(Till(chain.systems["BGO"]).get(address), 404, "not_found")
    problem(oslo.get(f"{PATH}/lku_{'0' * 32}"), 404, "not_found")
    problem(oslo.get(f"{PATH}/nonsense"), 404, "not_found")
    problem(oslo.get(PATH), 405, "method_not_allowed")


def test_a_key_that_may_not_read_orders_may_not_ask(chain: Chain) -> None:
    system = keys.add_system(chain.oslo, name="Only refunds", scopes=[Scope.REFUNDS_READ], by=chain.by)
    problem(Till(system).post(PATH, BODY), 403, "forbidden")
