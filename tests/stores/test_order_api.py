"""The REST door for orders: who is let in, what is refused and how, lists by cursor, one order opened."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from stores import audit, keys, orders, registry
from stores.api import views
from stores.models import Entry, LookUp, Order, Scope, StoreSystem
from tests.conftest import Chain
from tests.stores.telling import told
from tests.till import YESTERDAY, Till, problem, row


@pytest.fixture
def oslo(chain: Chain) -> Till:
    return Till(chain.systems["OSL"])


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def system_with(chain: Chain, *scopes: Scope) -> StoreSystem:
    return keys.add_system(chain.oslo, name="Narrow", scopes=list(scopes), by=chain.by)


@pytest.mark.parametrize("path", ["orders", "orders/ord_" + "0" * 32, "orders/ord_" + "0" * 32 + "/refundable", "refunds"])
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer rhk_x", "Bearer " + "x" * 300, "Basic a2FyaTp4", "bearer \u00e6"]
)
def test_without_a_valid_key_nothing_is_shown(chain: Chain, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = Client().get(f"/api/v1/{path}", headers=headers)
    problem(response, 401, "unauthorized")
    assert response["WWW-Authenticate"] == 'Bearer realm="refund-hub"'


def test_a_persons_session_opens_no_rest_door(chain: Chain) -> None:
    client = Client()
    client.force_login(chain.kari)
    problem(client.get("/api/v1/orders"), 401, "unauthorized")


def test_a_revoked_key_and_a_closed_store_are_out(chain: Chain, oslo: Till, bergen: Till) -> None:
    keys.revoke_key(oslo.system.keys.get(), reason="lost", by=chain.by)
    problem(oslo.get("orders"), 401, "unauthorized")
    registry.close_store(chain.bergen, reason="moved", by=chain.by)
    problem(bergen.post("orders", {"orders": [row("BER-10042")]}), 401, "unauthorized")
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.ORDERS_READ, {("GET", "orders")}),
        (Scope.ORDERS_WRITE, {("POST", "orders")}),
        (Scope.REFUNDS_READ, {("GET", "refunds")}),
        (Scope.REFUNDS_WRITE, {("POST", "refunds")}),
    ],
)
def test_a_scope_opens_its_own_door_only(chain: Chain, scope: Scope, allowed: set[tuple[str, str]]) -> None:
    till = Till(system_with(chain, scope))
    answers = {
        ("GET", "orders"): till.get("orders"),
        ("POST", "orders"): till.post("orders", {"orders": [row("OSL-10042")]}),
        ("GET", "refunds"): till.get("refunds"),
        ("POST", "refunds"): till.post("refunds", {}),
    }
    assert {call for call, response in answers.items() if response.status_code != 403} == allowed
    for call in answers.keys() - allowed:
        problem(answers[call], 403, "forbidden")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_not_there(oslo: Till, method: str) -> None:
    response = getattr(oslo.client, method)("/api/v1/orders", headers={"Authorization": f"Bearer {oslo.key}"})
    problem(response, 405, "method_not_allowed")
    assert "GET" in response["Allow"]


def test_an_address_that_is_not_there_is_a_problem_too(oslo: Till) -> None:
    problem(oslo.get("nothing/here"), 404, "not_found")
    problem(oslo.get("refunds/by-key/line%0Abreak"), 404, "not_found")
    problem(oslo.post("orders/", {}), 404, "not_found")


def test_only_json_is_served(oslo: Till) -> None:
    problem(oslo.get("orders", Accept="text/html"), 406, "not_acceptable")


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/json; charset=utf-16", {}),
        ("application/x-ndjson; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "br"}),
        ("application/json", {"Content-Encoding": "gzip, gzip"}),
    ],
)
def test_other_types_charsets_and_encodings_are_refused(bergen: Till, content_type: str, headers: dict[str, str]) -> None:
    body = json.dumps({"orders": [row("BER-10042")]})
    problem(bergen.post("orders", body, content_type=content_type, **headers), 415, "unsupported_media_type")
    assert Order.objects.count() == 0


def test_counts_say_how_many_of_each(bergen: Till) -> None:
    bergen.sync(row("BER-10042"), row("BER-10043"))
    response = bergen.post("orders", {"orders": [row("BER-10042"), row("BER-10043", 1), row("BER-10044"), row("!")]})
    assert response.json()["counts"] == {"unchanged": 1, "conflict": 1, "created": 1, "refused": 1}


def test_any_store_finds_any_stores_order(oslo: Till, bergen: Till, chain: Chain) -> None:
    [synced] = bergen.sync(row("BER-2026-10042", receipt_number="R-7"))
    response = oslo.get("orders", {"q": "10042"})
    [order] = response.json()["orders"]
    updated_at = Order.objects.get().updated_at.astimezone(UTC)
    assert order.pop("updated_at") == updated_at.isoformat().replace("+00:00", "Z")
    assert order.pop("paid_at") == YESTERDAY.isoformat().replace("+00:00", "Z")
    assert order == {
        "id": synced["order_id"],
        "store": {"code": "BGO", "name": chain.bergen.name, "city": "Bergen"},
        "reference": "BER-2026-10042",
        "channel": "in_store",
        "amount": {"amount_minor": 25_000, "currency": "NOK"},
        "is_confirmed": False,
        "receipt_number": "R-7",
    }
    assert chain.units["BGO"].msn not in response.content.decode()
    look_up = LookUp.objects.get()
    assert (look_up.system, look_up.typed, look_up.hits) == (oslo.system, "10042", 1)


def test_a_search_by_store_amount_and_day(oslo: Till, bergen: Till) -> None:
    bergen.sync(row("BER-10042"), row("BER-10043", 100))
    day = YESTERDAY.astimezone(datetime.now().astimezone().tzinfo)
    found = oslo.get("orders", {"store": "BGO", "amount_minor": 100}).json()
    assert [order["reference"] for order in found["orders"]] == ["BER-10043"]
    assert oslo.get("orders", {"store": "BGO", "day": (day + timedelta(days=9)).date().isoformat()}).json()["orders"] == []
    problem(oslo.get("orders", {"store": "XXX"}), 404, "not_found")


def test_a_search_goes_on_by_cursor(oslo: Till, bergen: Till) -> None:
    bergen.sync(*(row(f"BER-2026-{number}") for number in range(5)))
    shown: list[str] = []
    cursor = ""
    for _page in range(3):
        page = oslo.get("orders", {"q": "ber2026", "limit": 2, "cursor": cursor}).json()
        shown += [order["reference"] for order in page["orders"]]
        cursor = page["next_cursor"]
    assert sorted(shown) == [f"BER-2026-{number}" for number in range(5)]
    assert cursor == ""


@override_settings(LOOK_UPS_PER_MINUTE=1)
def test_too_many_searches_are_told_when_to_come_back(oslo: Till) -> None:
    oslo.get("orders", {"q": "10042"})
    response = oslo.get("orders", {"q": "10042"})
    problem(response, 429, "too_many_look_ups")
    assert response["Retry-After"] == "60"


def test_without_a_search_a_store_lists_its_own_orders_only(oslo: Till, bergen: Till) -> None:
    bergen.sync(row("BER-10042"))
    oslo.sync(row("OSL-10043"))
    assert [order["reference"] for order in oslo.get("orders").json()["orders"]] == ["OSL-10043"]
    assert LookUp.objects.count() == 0


def test_changes_are_listed_oldest_first_by_cursor(bergen: Till) -> None:
    bergen.sync(*(row(f"BER-{number}") for number in range(3)))
    bergen.sync(row("BER-0", receipt_number="R-7"))
    shown: list[str] = []
    cursor = ""
    for _page in range(2):
        page = bergen.get("orders", {"limit": 2, "cursor": cursor}).json()
        shown += [order["reference"] for order in page["orders"]]
        cursor = page["next_cursor"]
    assert (shown, cursor) == (["BER-1", "BER-2", "BER-0"], "")
    since = Order.objects.get(reference="BER-0").updated_at.isoformat()
    later = bergen.get("orders", {"updated_since": since}).json()["orders"]
    assert [order["reference"] for order in later] == ["BER-0"]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"limit": "0"}, "limit", "min_value"),
        ({"limit": "ten"}, "limit", "invalid"),
        ({"updated_since": "yesterday"}, "updated_since", "invalid"),
        ({"updated_since": "2026-01-01T00:00:00Z", "q": "10042"}, "updated_since", "invalid"),
        ({"cursor": "x"}, "cursor", "invalid_cursor"),
        ({"q": "10042", "cursor": "x"}, "cursor", "invalid_cursor"),
        ({"q": "10\x0042"}, "q", "null_characters_not_allowed"),
        ({"day": "1"}, "day", "invalid"),
        ({"amount_minor": "1.5"}, "amount_minor", "invalid"),
        ({"msn": "100002"}, "msn", "unknown_field"),
    ],
)
def test_a_wrong_query_is_refused_by_its_field(oslo: Till, query: dict[str, str], field: str, code: str) -> None:
    found = problem(oslo.get("orders", query), 400, code)
    assert [(error["field"], error["code"]) for error in found["errors"]] == [(field, code)]


def test_a_large_limit_counts_as_a_hundred(bergen: Till) -> None:
    bergen.sync(*(row(f"BER-{number:05}") for number in range(101)))
    page = bergen.get("orders", {"limit": 10**9}).json()
    assert len(page["orders"]) == 100
    assert page["next_cursor"]


def test_opening_another_stores_order_is_in_that_stores_trail(oslo: Till, bergen: Till, chain: Chain) -> None:
    lines = [{"name": "Boots", "sku": "B-1", "quantity": "1", "amount_minor": 25_000}]
    [synced] = bergen.sync(row("BER-10042", lines=lines))
    assert bergen.get(f"orders/{synced['order_id']}").json()["lines"] == [
        {"number": 1, "name": "Boots", "sku": "B-1", "quantity": "1.000", "amount_minor": 25_000}
    ]
    assert Entry.objects.filter(event="order.opened").count() == 0
    assert oslo.get(f"orders/{synced['order_id']}").json()["reference"] == "BER-10042"
    entry = Entry.objects.get(event="order.opened")
    assert (entry.chain.store, entry.refunding_store) == (chain.bergen, chain.oslo)
    assert audit.facts_of(entry) == {"reference": "BER-10042", "code": "BGO", "from_code": "OSL"}


def test_absent_and_forbidden_orders_look_the_same(chain: Chain, oslo: Till) -> None:
    answers = [oslo.get(f"orders/{order_id}") for order_id in ("ord_" + "0" * 32, "ref_" + "0" * 32, "ord_x", "1", "%00")]
    bodies = [problem(response, 404, "not_found") for response in answers]
    assert {tuple(body["errors"]) for body in bodies} == {()}


def test_a_failure_shows_nothing_but_its_trace_id(
    oslo: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_names: object) -> list[orders.RowOutcome]:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(views, "index_orders", fail)
    response = oslo.post("orders", {"orders": [row("OSL-10042")]})
    body = problem(response, 500, "internal_error")
    assert "42" not in json.dumps({name: value for name, value in body.items() if name != "trace_id"})
    assert body["trace_id"] in caplog.text


def test_a_database_that_is_away_is_told_as_such(oslo: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_names: object) -> list[orders.RowOutcome]:
        raise OperationalError("connection refused at 10.0.0.1")

    monkeypatch.setattr(views, "index_orders", fail)
    response = oslo.post("orders", {"orders": [row("OSL-10042")]})
    problem(response, 503, "unavailable")
    assert response["Retry-After"] == "5"
    assert b"10.0.0.1" not in response.content


def test_an_order_says_whose_facts_it_has(bergen: Till, chain: Chain) -> None:
    [synced] = bergen.sync(row("BER-10042"))
    names = ("claimed_minor", "captured_minor", "paid_at_from", "claimed_paid_at", "is_confirmed")

    def facts() -> tuple[Any, ...]:
        order = bergen.get(f"orders/{synced['order_id']}").json()
        return tuple(order[name] for name in names)

    assert facts() == (25_000, None, "store", None, False)
    paid_at = YESTERDAY - timedelta(minutes=1)
    orders.confirm_orders([told(chain.units["BGO"], "BER-10042", 20_000, paid_at=paid_at)], by=chain.by)
    assert facts() == (25_000, 20_000, "vipps", YESTERDAY.isoformat().replace("+00:00", "Z"), True)
