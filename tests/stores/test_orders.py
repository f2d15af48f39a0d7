"""Sync of orders: an outcome a row, wrong rows never hurt good ones, and nothing that was known is overwritten."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from stores import audit, orders, registry
from stores.models import Channel, Entry, Order, OrderConflict, OrderLine, StoreUnit
from tests.conftest import Chain
from tests.till import YESTERDAY, Till, row


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def outcomes(results: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(result["outcome"], result.get("code", ""), result.get("field", "")) for result in results]


def test_a_new_order_is_indexed_with_its_lines(bergen: Till, chain: Chain) -> None:
    lines = [
        {"name": "Rain jacket", "sku": "RJ-1", "quantity": "2", "amount_minor": 20_000},
        {"name": "Rope, by the metre", "quantity": "1.250", "amount_minor": 5_000},
    ]
    [result] = bergen.sync(row("BER-10042", receipt_number="R-7", lines=lines))
    order = Order.objects.get(sales_unit=chain.units["BGO"], reference="BER-10042")
    assert result == {
        "index": 0,
        "reference": "BER-10042",
        "outcome": "created",
        "order_id": f"ord_{order.public_id.hex}",
    }
    assert (order.store, order.ref_key, order.claimed_minor, order.captured_minor) == (
        chain.bergen,
        "BER10042",
        25_000,
        None,
    )
    assert (order.currency, order.paid_at, order.receipt_number) == ("NOK", YESTERDAY, "R-7")
    assert [(line.number, line.name, str(line.quantity), line.amount_minor) for line in order.lines.all()] == [
        (1, "Rain jacket", "2.000", 20_000),
        (2, "Rope, by the metre", "1.250", 5_000),
    ]


def test_the_same_sync_twice_changes_nothing(bergen: Till) -> None:
    rows = [
        row("BER-10042", lines=[{"name": "Boots", "quantity": 1, "amount_minor": 25_000}]),
        row("BER-10043", 100),
    ]
    first = bergen.sync(*rows)
    before = list(Order.objects.order_by("id").values())
    second = bergen.sync(*rows)
    assert outcomes(second) == [("unchanged", "", ""), ("unchanged", "", "")]
    assert [result["order_id"] for result in second] == [result["order_id"] for result in first]
    assert list(Order.objects.order_by("id").values()) == before
    assert OrderLine.objects.count() == 1


def test_an_unchanged_sync_leaves_no_dead_rows(bergen: Till) -> None:
    bergen.sync(row("BER-10042"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text FROM stores_order WHERE reference = 'BER-10042'")
        before = cursor.fetchone()
        bergen.sync(row("BER-10042"))
        cursor.execute("SELECT ctid::text FROM stores_order WHERE reference = 'BER-10042'")
        assert cursor.fetchone() == before


@pytest.mark.parametrize(
    ("later", "column", "value"),
    [
        ({"receipt_number": "R-8"}, "receipt_number", "R-8"),
        ({"paid_at": (YESTERDAY + timedelta(seconds=1)).isoformat()}, "paid_at", YESTERDAY + timedelta(seconds=1)),
    ],
)
def test_a_later_sync_may_add_what_contradicts_nothing(bergen: Till, later: dict[str, Any], column: str, value: object) -> None:
    bergen.sync(row("BER-10042"))
    before = Order.objects.get()
    [result] = bergen.sync(row("BER-10042", **later))
    after = Order.objects.get()
    assert result["outcome"] == "updated"
    assert getattr(after, column) == value
    assert after.updated_at > before.updated_at
    assert OrderConflict.objects.count() == 0


def test_a_later_sync_without_a_receipt_number_keeps_the_one_there_is(bergen: Till) -> None:
    bergen.sync(row("BER-10042", receipt_number="R-7"))
    assert outcomes(bergen.sync(row("BER-10042"))) == [("unchanged", "", "")]
    assert Order.objects.get().receipt_number == "R-7"


def test_lines_are_added_once_where_there_were_none(bergen: Till) -> None:
    bergen.sync(row("BER-10042"))
    boots = [{"name": "Boots", "quantity": 1, "amount_minor": 25_000}]
    gloves = [{"name": "Gloves", "quantity": 1, "amount_minor": 25_000}]
    assert outcomes(bergen.sync(row("BER-10042", lines=boots))) == [("updated", "", "")]
    assert outcomes(bergen.sync(row("BER-10042", lines=gloves))) == [("unchanged", "", "")]
    assert [line.name for line in OrderLine.objects.all()] == ["Boots"]


@pytest.mark.parametrize(
    ("later", "field"),
    [
        ({"amount": {"amount_minor": 25_001, "currency": "NOK"}}, "amount.amount_minor"),
        ({"paid_at": (YESTERDAY - timedelta(days=2)).isoformat()}, "paid_at"),
    ],
)
def test_a_contradiction_changes_nothing_and_is_kept_once(bergen: Till, later: dict[str, Any], field: str) -> None:
    [created] = bergen.sync(row("BER-10042"))
    before = Order.objects.values().get()
    for _again in range(2):
        [result] = bergen.sync(row("BER-10042", **later))
        assert (result["outcome"], result["code"], result["field"]) == ("conflict", "contradiction", field)
        assert result["order_id"] == created["order_id"]
    assert Order.objects.values().get() == before
    conflict = OrderConflict.objects.get()
    assert conflict.differences == [field]
    assert conflict.claims["amount_minor"] == later.get("amount", {}).get("amount_minor", 25_000)
    assert Entry.objects.filter(event="order.contradicted").count() == 1


def test_what_vipps_confirmed_is_not_contradicted_by_the_same_claim(bergen: Till) -> None:
    bergen.sync(row("BER-10042"))
    Order.objects.update(captured_minor=20_000)
    assert outcomes(bergen.sync(row("BER-10042"))) == [("unchanged", "", "")]
    assert Order.objects.get().captured_minor == 20_000


def test_a_claim_is_added_to_an_order_that_vipps_told_of(bergen: Till) -> None:
    bergen.sync(row("BER-10042"), row("BER-10043"))
    Order.objects.update(claimed_minor=None, captured_minor=25_000)
    results = bergen.sync(row("BER-10042"), row("BER-10043", 30_000))
    assert outcomes(results) == [("updated", "", ""), ("conflict", "contradiction", "amount.amount_minor")]
    assert list(Order.objects.order_by("reference").values_list("claimed_minor", flat=True)) == [25_000, None]


WRONG = [
    ({"reference": "BER 1"}, "invalid_reference", "reference"),
    ({"reference": ""}, "invalid_reference", "reference"),
    ({"reference": "B" * 65}, "invalid_reference", "reference"),
    ({"reference": "ÆØÅ-10042"}, "invalid_reference", "reference"),
    ({"reference": "BER-1\x00"}, "invalid_reference", "reference"),
    ({"reference": 10042}, "invalid_row", "reference"),
    ({"amount": {"amount_minor": 0, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": -1, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 250.0, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": True, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": "250", "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 65_000_001, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 10**30, "currency": "NOK"}}, "invalid_amount", "amount.amount_minor"),
    ({"amount": {"amount_minor": 1, "currency": "DKK"}}, "wrong_currency", "amount.currency"),
    ({"amount": {"amount_minor": 1, "currency": "USD"}}, "wrong_currency", "amount.currency"),
    ({"amount": {"amount_minor": 1}}, "missing_field", "amount.currency"),
    ({"paid_at": "2026-01-01T10:00:00"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "2999-01-01T10:00:00Z"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "0001-01-01T00:00:00+14:00"}, "invalid_paid_at", "paid_at"),
    ({"paid_at": "yesterday"}, "invalid_row", "paid_at"),
    ({"paid_at": "2016-01-01T00:00:00Z"}, "no_unit", "channel"),
    ({"channel": "by_mail"}, "invalid_channel", "channel"),
    ({"channel": "online"}, "no_unit", "channel"),
    ({"receipt_number": "R" * 41}, "invalid_text", "receipt_number"),
    ({"receipt_number": "R\x00"}, "invalid_text", "receipt_number"),
    ({"receipt_number": "R\ud800"}, "invalid_text", "receipt_number"),
    ({"lines": [{"name": "A", "quantity": "1.2345", "amount_minor": 1}]}, "invalid_quantity", "lines[0].quantity"),
    ({"lines": [{"name": "A", "quantity": "NaN", "amount_minor": 1}]}, "invalid_quantity", "lines[0].quantity"),
    ({"lines": [{"name": "A", "quantity": True, "amount_minor": 1}]}, "invalid_row", "lines[0].quantity"),
    ({"lines": [{"name": "", "quantity": 1, "amount_minor": 1}]}, "invalid_text", "lines[0].name"),
    ({"lines": [{"name": "A\x00", "quantity": 1, "amount_minor": 1}]}, "invalid_text", "lines[0].name"),
    ({"msn": "100002"}, "unknown_field", "msn"),
    ({"amount": {"amount_minor": 1, "currency": "NOK", "vat": 1}}, "unknown_field", "amount.vat"),
]


@pytest.mark.parametrize(("change", "code", "field"), WRONG)
def test_a_wrong_row_is_refused_and_hurts_no_other(bergen: Till, change: dict[str, Any], code: str, field: str) -> None:
    results = bergen.sync(row("BER-10042"), row("BER-10043") | change, row("BER-10044"))
    assert outcomes(results) == [("created", "", ""), ("refused", code, field), ("created", "", "")]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert results[1]["order_id"] is None
    assert results[1]["detail"]
    assert sorted(Order.objects.values_list("reference", flat=True)) == ["BER-10042", "BER-10044"]


def test_rows_that_are_no_objects_are_refused_in_their_place(bergen: Till) -> None:
    response = bergen.post("orders", json.dumps({"orders": [None, [], "x", 7, row("BER-10042")]}))
    assert outcomes(response.json()["results"]) == [("refused", "invalid_row", "")] * 4 + [("created", "", "")]


def test_twins_in_a_batch_share_an_outcome(bergen: Till) -> None:
    first, second = bergen.sync(row("BER-10042"), row("BER-10042"))
    assert first["outcome"] == second["outcome"] == "created"
    assert first["order_id"] == second["order_id"]
    assert Order.objects.count() == 1


def test_rows_that_contradict_each_other_are_all_refused(bergen: Till) -> None:
    results = bergen.sync(row("BER-10042"), row("BER-10043"), row("BER-10042", 1))
    assert outcomes(results) == [
        ("refused", "duplicate_in_batch", "reference"),
        ("created", "", ""),
        ("refused", "duplicate_in_batch", "reference"),
    ]
    assert [order.reference for order in Order.objects.all()] == ["BER-10043"]


def test_a_foreign_prefix_is_refused_without_naming_anybody(chain: Chain) -> None:
    bodo, hamar = Till(chain.systems["BOO"]), Till(chain.systems["HAM"])
    results = bodo.sync(row("BOO-10042"), row("HAM-10042"), row("XYZ-10042"))
    assert outcomes(results) == [
        ("created", "", ""),
        ("refused", "foreign_prefix", "reference"),
        ("refused", "foreign_prefix", "reference"),
    ]
    told = json.dumps(results)
    assert chain.units["BOO"].msn not in told
    assert "Hamar" not in told
    assert outcomes(hamar.sync(row("HAM-10042"))) == [("created", "", "")]
    assert {order.store.code: order.reference for order in Order.objects.all()} == {
        "BOO": "BOO-10042",
        "HAM": "HAM-10042",
    }


def test_a_store_without_a_prefix_does_not_take_its_neighbours_references(chain: Chain) -> None:
    # The registry refuses such a link; it is written here as an older or damaged database might hold it.
    StoreUnit.objects.create(
        store=chain.oslo,
        sales_unit=chain.units["BOO"],
        prefix="",
        channel=Channel.ONLINE,
        valid_from=YESTERDAY - timedelta(days=9),
    )
    oslo = Till(chain.systems["OSL"])
    results = oslo.sync(
        row("WEB-10042", channel="online"), row("HAM-10042", channel="online"), row("ham-10042", channel="online")
    )
    assert outcomes(results) == [
        ("created", "", ""),
        ("refused", "foreign_prefix", "reference"),
        ("refused", "foreign_prefix", "reference"),
    ]


def test_a_store_with_two_units_must_say_which_channel(chain: Chain) -> None:
    registry.add_sales_unit(
        chain.oslo,
        msn="100009",
        name="Oslo web",
        market="NO",
        environment="simulator",
        channel=Channel.ONLINE,
        valid_from=YESTERDAY - timedelta(days=9),
        by=chain.by,
    )
    results = Till(chain.systems["OSL"]).sync(
        row("OSL-10042"), row("OSL-10042", channel="online"), row("OSL-10042", 1, channel="in_store")
    )
    assert outcomes(results) == [
        ("refused", "ambiguous_unit", "channel"),
        ("created", "", ""),
        ("created", "", ""),
    ]
    assert {order.sales_unit.msn: order.claimed_minor for order in Order.objects.select_related("sales_unit")} == {
        "100009": 25_000,
        "100001": 1,
    }


def test_the_same_reference_in_two_stores_is_two_orders(chain: Chain) -> None:
    Till(chain.systems["OSL"]).sync(row("10042"))
    Till(chain.systems["BGO"]).sync(row("10042", 1))
    assert {order.store.code: order.claimed_minor for order in Order.objects.select_related("store")} == {
        "OSL": 25_000,
        "BGO": 1,
    }


def test_a_request_is_one_entry_in_the_trail_with_counts_and_a_digest(bergen: Till, chain: Chain) -> None:
    bergen.sync(row("BER-10042"), row("BER-10043"))
    bergen.sync(row("BER-10042"), row("BER-10043", 1), row("BER-10044", 0), row("BER-10045"))
    first, second = Entry.objects.filter(event="orders.synced").order_by("id")
    facts = audit.facts_of(second)
    assert {name: facts[name] for name in ("rows", "created", "updated", "unchanged", "refused")} == {
        "rows": 4,
        "created": 1,
        "updated": 0,
        "unchanged": 1,
        "refused": 2,
    }
    assert len(facts["digest"]) == 64
    assert facts["digest"] != audit.facts_of(first)["digest"]
    assert second.chain.store == chain.bergen
    assert (second.actor_kind, second.actor_id) == ("store_system", str(bergen.system.pk))
    assert audit.verify().bad is None


def test_ten_thousand_rows_are_taken_and_one_more_is_refused(bergen: Till) -> None:
    rows = [row(f"BER-{number:06}") for number in range(10_001)]
    response = bergen.post("orders", {"orders": rows})
    assert (response.status_code, response.json()["code"]) == (400, "wrong_number_of_rows")
    assert Order.objects.count() == 0
    assert bergen.post("orders", {"orders": rows[1:]}).json()["counts"] == {"created": 10_000}
    assert Order.objects.count() == 10_000


@pytest.mark.django_db(transaction=True)
def test_two_syncs_of_the_same_orders_at_once_end_well(chain: Chain) -> None:
    """Sorted by key, so they never wait for each other in a circle; each order is made by exactly one of them."""
    numbers = list(range(400))
    found: list[orders.RowOutcome] = []
    failures: list[Exception] = []
    gate = threading.Barrier(2)

    def sync(order_of_rows: list[int]) -> None:
        try:
            rows = [
                orders.OrderRow(
                    reference=f"BER-{number:05}",
                    amount=orders.AmountRow(amount_minor=100, currency="NOK"),
                    paid_at=YESTERDAY,
                )
                for number in order_of_rows
            ]
            gate.wait(timeout=10)
            found.extend(orders.index_orders(rows, system=chain.systems["BGO"], by=chain.by))
        except Exception as error:  # shown by the assertion below, in the test's own thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sync, args=(order,)) for order in (numbers, numbers[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    assert Order.objects.count() == 400
    assert sorted(outcome.outcome for outcome in found) == ["created"] * 400 + ["unchanged"] * 400
