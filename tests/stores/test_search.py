"""Search as a cashier types it: any case, any separators, the ends or the middle of a reference; bounded, recorded."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import override_settings

from stores import search
from stores.errors import Forbidden, HubError, Invalid
from stores.models import Company, LookUp, Order, Store
from stores.search import Position, find_orders, write_cursor
from tests.conftest import Chain
from tests.stores.indexed import NOON, index, references


def found(chain: Chain, typed: str, **filters: Any) -> list[str]:
    return references(find_orders(typed, asker=chain.kari, **filters))


@pytest.mark.parametrize(
    "typed",
    ["BER-2026-10042", "ber-2026-10042", "BER 2026 10042", "ber202610042", "  BER-2026-10042\n", "bEr.2026/10042"],
)
def test_the_whole_reference_is_found_however_it_is_typed(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    index(chain, "BGO", "BER-2026-100421")
    index(chain, "BGO", "X-BER-2026-10042")
    assert found(chain, typed) == ["BER-2026-10042"]


def test_the_same_reference_in_two_stores_is_a_choice_letter_for_letter_first(chain: Chain) -> None:
    index(chain, "OSL", "order10042", at=NOON + timedelta(hours=1))
    index(chain, "BGO", "ORDER-10042")
    index(chain, "TRD", "ORDER-10042", at=NOON - timedelta(hours=1))
    page = find_orders("ORDER-10042", asker=chain.kari)
    assert [(hit.order.store.code, hit.order.reference) for hit in page.hits] == [
        ("BGO", "ORDER-10042"),
        ("TRD", "ORDER-10042"),
        ("OSL", "order10042"),
    ]


@pytest.mark.parametrize("typed", ["0042", "10042", "-10042", "6-10042"])
def test_the_last_characters_find_it(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    index(chain, "BGO", "BER-2026-10043")
    assert found(chain, typed) == ["BER-2026-10042"]


def test_the_first_characters_find_it_newest_first(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    index(chain, "BGO", "BER-2026-10043", at=NOON + timedelta(hours=1))
    index(chain, "BGO", "BES-2026-10043")
    assert found(chain, "ber2026") == ["BER-2026-10043", "BER-2026-10042"]


def test_what_ends_so_stands_before_what_begins_so_however_new(chain: Chain) -> None:
    """The last characters are what people read out: a page of beginnings would hide them."""
    index(chain, "BGO", "B9F7240D54D1", at=NOON - timedelta(days=300))
    for number in range(3):
        index(chain, "OSL", f"54D1B40AFF3{number}", at=NOON - timedelta(hours=number))
    index(chain, "OSL", "54D1C00054D1", at=NOON - timedelta(days=400))
    assert [hit.order.reference for hit in find_orders("54d1", asker=chain.kari, limit=3).hits] == [
        *("B9F7240D54D1", "54D1C00054D1", "54D1B40AFF30"),
    ]


def test_a_fragment_finds_it(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    index(chain, "BGO", "BER-2025-10042")
    assert found(chain, "2026 1") == ["BER-2026-10042"]


def test_a_short_text_that_is_somebodys_whole_reference_still_finds_the_others(chain: Chain) -> None:
    index(chain, "BGO", "BER-10042")
    index(chain, "OSL", "10042", at=NOON - timedelta(days=1))
    index(chain, "TRD", "10042-TRD", at=NOON - timedelta(days=2))
    index(chain, "TRD", "A-10042-B", at=NOON - timedelta(days=2))
    assert found(chain, "10042") == ["10042", "BER-10042", "10042-TRD", "A-10042-B"]


def test_amount_day_and_store_find_it_without_a_reference(chain: Chain) -> None:
    # 23:30 UTC on the 1st is the 2nd in Bergen.
    index(chain, "BGO", "BER-2026-10042", 19_900, at=datetime(2026, 9, 1, 23, 30, tzinfo=UTC))
    index(chain, "BGO", "BER-2026-10043", 19_901, at=datetime(2026, 9, 2, 10, tzinfo=UTC))
    index(chain, "OSL", "OSL-2026-10044", 19_900, at=datetime(2026, 9, 2, 10, tzinfo=UTC))
    assert found(chain, "", store=chain.bergen, amount_minor=19_900, day=date(2026, 9, 2)) == ["BER-2026-10042"]
    assert found(chain, "", store=chain.bergen, amount_minor=19_900, day=date(2026, 9, 1)) == []
    assert found(chain, "", store=chain.bergen) == ["BER-2026-10043", "BER-2026-10042"]
    assert found(chain, "", amount_minor=19_900, day=date(2026, 9, 2)) == ["OSL-2026-10044", "BER-2026-10042"]
    assert found(chain, "10042", amount_minor=19_901) == []


def test_the_captured_amount_counts_where_vipps_has_told_it(chain: Chain) -> None:
    order = index(chain, "BGO", "BER-2026-10042", 20_000)
    Order.objects.filter(pk=order.pk).update(captured_minor=19_900)
    assert found(chain, "", store=chain.bergen, amount_minor=19_900) == ["BER-2026-10042"]


@pytest.mark.parametrize(
    ("typed", "filters", "hint"),
    [
        ("", {}, "Type or scan a reference, or choose a store and a day."),
        ("%%%", {}, "Type letters or digits of the reference."),
        ("\x00\u202e", {}, "Type or scan a reference, or choose a store and a day."),
        ("", {"amount_minor": 19_900}, "Choose a store or a day as well as the amount."),
        ("A" * 65, {}, "No reference is that long."),
        ("A" * 10_000, {}, "No reference is that long."),
        ("12", {}, "Type at least three characters."),
        ("", {"day": date(1, 1, 1)}, "No order was paid on that day."),
        ("", {"day": date.max}, "No order was paid on that day."),
    ],
)
def test_too_little_to_search_by_is_answered_with_what_would_help(
    chain: Chain, typed: str, filters: dict[str, Any], hint: str
) -> None:
    index(chain, "BGO", "BER-2026-10042")
    page = find_orders(typed, asker=chain.kari, **filters)
    assert (page.hits, page.next_cursor, page.hint) == ([], "", hint)


@pytest.mark.parametrize(
    "typed",
    ["%", "_", "B%2", "BER_2026", "\\", "'; DROP TABLE stores_order; --", "\u202e24001-REB", "ＢＥＲ", "ß", "\ud800", "🧾"],
)
def test_hostile_text_finds_nothing_and_breaks_nothing(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-10042")
    assert found(chain, typed) == []
    assert Order.objects.count() == 1


def test_invisible_marks_in_a_pasted_reference_do_not_hide_it(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    assert found(chain, "\u200e\ufeffBER\u20112026\u201110042\u200f\x00") == ["BER-2026-10042"]


def test_a_page_goes_on_where_the_last_one_ended(chain: Chain) -> None:
    same_time = [index(chain, "BGO", f"BER{number}-10042") for number in range(3)]
    expected = [order.reference for order in reversed(same_time)]
    expected += [index(chain, "BGO", f"10042-{number}", at=NOON - timedelta(hours=number)).reference for number in range(3)]
    expected += [index(chain, "BGO", f"A-10042-{number}", at=NOON - timedelta(days=number)).reference for number in range(3)]
    shown: list[str] = []
    cursor = ""
    for _page in range(5):
        page = find_orders("10042", asker=chain.kari, cursor=cursor, limit=2)
        shown += references(page)
        cursor = page.next_cursor
    assert shown == expected
    assert cursor == ""


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "MS4wLjAuMA==",
        "A" * 201,
        "\u00e6",
        write_cursor(Position(at=NOON, id=UUID(int=7))),
    ],
)
def test_a_cursor_of_somebody_elses_making_is_refused(chain: Chain, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        find_orders("10042", asker=chain.kari, cursor=cursor)
    assert refused.value.code == "invalid_cursor"


def test_another_company_is_out_of_sight(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    other = Company.objects.create(name="Sydpol")
    store = Store.objects.create(company=other, code="SYD", name="Sydpol", city="Oslo", country="NO")
    Order.objects.create(
        sales_unit=chain.units["BGO"],
        store=store,
        reference="SYD-2026-10042",
        ref_key="SYD202610042",
        currency="NOK",
        claimed_minor=1,
        paid_at=NOON,
    )
    for typed in ("SYD-2026-10042", "SYD2026", "D202610042", "2026"):
        assert "SYD-2026-10042" not in found(chain, typed)


def test_per_may_not_search_at_all(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    with pytest.raises(Forbidden):
        find_orders("BER-2026-10042", asker=chain.per)
    assert LookUp.objects.count() == 0


def test_every_search_leaves_a_line(chain: Chain) -> None:
    index(chain, "BGO", "BER-2026-10042")
    find_orders(" BER-2026-10042\x00", asker=chain.kari)
    find_orders("", asker=chain.systems["OSL"], store=chain.bergen, amount_minor=25_000)
    assert list(LookUp.objects.order_by("id").values_list("user", "system", "store", "typed", "hits")) == [
        (chain.kari.pk, None, None, "BER-2026-10042", 1),
        (None, chain.systems["OSL"].pk, chain.bergen.pk, "25000", 1),
    ]


@override_settings(LOOK_UPS_PER_MINUTE=3)
def test_searches_are_limited_per_asker_and_minute(chain: Chain) -> None:
    for _search in range(3):
        find_orders("10042", asker=chain.kari)
    with pytest.raises(HubError) as refused:
        find_orders("10042", asker=chain.kari)
    assert (refused.value.code, refused.value.status) == ("too_many_look_ups", 429)
    find_orders("10042", asker=chain.mona)
    LookUp.objects.update(at=datetime.now(UTC) - timedelta(seconds=61))
    find_orders("10042", asker=chain.kari)


def test_days_are_the_stores_own_also_when_the_clock_changes(chain: Chain) -> None:
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=True):
        index(chain, "BGO", "BER-2026-10042", at=datetime(2026, 10, 25, 22, 30, tzinfo=UTC))  # 23:30, a day of 25 hours
        assert references(search.find_orders("", asker=chain.kari, store=chain.bergen, day=date(2026, 10, 25))) == [
            "BER-2026-10042"
        ]
