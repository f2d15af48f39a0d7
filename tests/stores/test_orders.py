"""Sync of orders: an outcome a row, wrong rows never hurt good ones, and nothing that was known is overwritten."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from stores import audit, orders
from stores.models import Entry, Order, OrderConflict, OrderLine
from stores.orders import standing
from tests.conftest import Chain
from tests.stores.telling import told
from tests.till import YESTERDAY, Till, outcomes, row


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


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


def test_every_text_is_kept_as_it_was_sent(bergen: Till) -> None:
    """Also what COPY would take for the end of a column or a row, or for nothing."""
    texts = ["\\N", "a\tb", "a\\tb", "a\nb\r\nc", "\\.", "{}", '"', "Bodø ✓ 🛒", "\u202e", "'; --"]
    rows = [
        row(f"BER-{number}", receipt_number=text, lines=[{"name": text, "sku": text, "quantity": 1, "amount_minor": 25_000}])
        for number, text in enumerate(texts)
    ]
    for outcome in ("created", "unchanged"):
        assert outcomes(bergen.sync(*rows)) == [(outcome, "", "")] * len(texts)
    kept = OrderLine.objects.order_by("order__reference").values_list("order__receipt_number", "name", "sku")
    assert list(kept) == [(text, text, text) for text in texts]
    assert {order.public_id.version for order in Order.objects.all()} == {4}


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


def test_a_claim_is_added_to_an_order_that_vipps_told_of(bergen: Till, chain: Chain) -> None:
    unit = chain.units["BGO"]
    orders.confirm_orders(
        [told(unit, reference, paid_at=YESTERDAY) for reference in ("BER-10042", "BER-10043")], by=chain.by
    )
    results = bergen.sync(row("BER-10042"), row("BER-10043", 30_000))
    assert outcomes(results) == [("updated", "", ""), ("conflict", "contradiction", "amount.amount_minor")]
    kept = Order.objects.order_by("reference").values_list("claimed_minor", "captured_minor")
    assert list(kept) == [(25_000, 25_000), (30_000, 25_000)], "what is claimed stands beside what counts"


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


def test_a_batch_of_any_size_is_looked_up_in_the_index(chain: Chain, bergen: Till) -> None:
    references = [f"BER-{number:06}" for number in range(10_000)]
    bergen.post("orders", {"orders": [row(reference) for reference in references]})
    asked: dict[str, Any] = {"unit": chain.units["BGO"].pk, "references": f"{{{','.join(references)}}}", "has_lines": True}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stores_order")
        cursor.execute(f"EXPLAIN {standing.STATEMENT}", asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using order_once_per_sales_unit" in plan
    assert "Seq Scan on stores_order " not in plan


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
