"""A fragment that names its day or its store is looked for there, however old; a till's receipt number finds its orders."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stores import registry
from stores.errors import Invalid
from stores.models import Entry
from stores.search import ends, find_orders, fragments, placed
from tests.conftest import Chain
from tests.stores.indexed import NOON, index, references

MARCH = datetime(2026, 3, 14, 12, tzinfo=UTC)
PLACED = "These are of the store or the day that stands in what you typed: type more characters for others."


@pytest.fixture(autouse=True)
def _short_walks(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty newer orders, of which a walk sees ten: what is older is not found by walking from the newest."""
    monkeypatch.setattr("stores.clock.db_now", lambda: NOON + timedelta(days=30))
    for number in range(20):
        index(chain, "OSL", f"NEW-{number:02}", at=NOON - timedelta(minutes=number))
    for module in (ends, fragments):
        monkeypatch.setattr(module, "SHORT_WALK", 5)
    for module in (ends, fragments, placed):
        monkeypatch.setattr(module, "LONGEST_WALK", 10)


@pytest.mark.parametrize("typed", ["20260314", "2026-03", "2026 03 1", "A-20260314-0", "260314"])
def test_a_past_day_inside_a_reference_is_looked_for_on_that_day(chain: Chain, typed: str) -> None:
    reference = "A-260314-00017" if typed == "260314" else "A-20260314-00017"
    index(chain, "BGO", f"X{reference}Z", at=MARCH)
    page = find_orders(typed, asker=chain.kari)
    assert (references(page), page.hint) == ([f"X{reference}Z"], PLACED)


def test_a_day_that_is_none_of_its_orders_does_not_hide_the_others(chain: Chain) -> None:
    index(chain, "BGO", "X-20260314-Z", at=NOON + timedelta(minutes=1))
    assert references(find_orders("20260314", asker=chain.kari)) == ["X-20260314-Z"]


def test_pages_of_a_day_go_on_where_they_ended(chain: Chain) -> None:
    expected = [index(chain, "BGO", f"X-20260314-{n}", at=MARCH - timedelta(minutes=n)).reference for n in range(5)]
    shown: list[str] = []
    cursor = ""
    for _page in range(3):
        page = find_orders("2026031", asker=chain.kari, limit=2, cursor=cursor)
        shown += references(page)
        cursor = page.next_cursor
    assert (shown, cursor) == (expected, "")


def test_the_chains_template_names_the_store_and_the_day(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of Oslo's orders of that day that no walk of the day alone would reach Bergen's."""
    for number in range(20):
        index(chain, "OSL", f"NORD-OSL-20260314-{number:05}", at=MARCH + timedelta(minutes=number))
    index(chain, "BGO", "NORD-BGO-20260314-00017", at=MARCH)
    asked: dict[str, Any] = {"asker": chain.kari}
    assert references(find_orders("BGO-20260314", **asked)) == []
    registry.set_reference_template(chain.company, "NORD-{store}-{yyyymmdd}-{number}", by=chain.by)
    assert references(find_orders("BGO-20260314", **asked)) == ["NORD-BGO-20260314-00017"]
    assert references(find_orders("D-BGO-202603", **asked)) == ["NORD-BGO-20260314-00017"]
    assert references(find_orders("BGO-20260314", **asked, store=chain.oslo)) == []
    assert references(find_orders("BGO-20260314", **asked, day=date(2026, 3, 15))) == []


def test_a_common_start_shows_the_newest_of_the_store_and_time_it_names(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.set_reference_template(chain.company, "{store}-{yyyymmdd}-{number}", by=chain.by)
    monkeypatch.setattr(ends, "MOST_BY_PREFIX", 3)
    for number in range(8):
        index(chain, "BGO", f"BGO-20260314-{9 - number:05}", at=MARCH + timedelta(minutes=number))
    page = find_orders("BGO-202603", asker=chain.kari, limit=2)
    assert references(page) == ["BGO-20260314-00002", "BGO-20260314-00003"]


def test_a_template_is_checked_and_its_change_recorded(chain: Chain) -> None:
    with pytest.raises(Invalid) as refused:
        registry.set_reference_template(chain.company, "{number}", by=chain.by)
    assert refused.value.field == "template"
    assert chain.company.reference_template == ""
    assert not Entry.objects.filter(event="company.reference_template_set").exists()
    registry.set_reference_template(chain.company, " {store}-{number} ", by=chain.by)
    assert chain.company.reference_template == "{store}-{number}"
    assert Entry.objects.filter(event="company.reference_template_set").count() == 1


def test_a_tills_receipt_number_finds_its_orders(chain: Chain) -> None:
    for code, days in (("BGO", 0), ("OSL", 1)):
        order = index(chain, code, f"REF-{code}-1", at=NOON - timedelta(days=days))
        type(order).objects.filter(pk=order.pk).update(receipt_number="K7-4711")
    index(chain, "TRD", "X-4711-Y")
    assert references(find_orders("k7-4711", asker=chain.kari)) == ["REF-BGO-1", "REF-OSL-1"]
    assert references(find_orders("K7-4711", asker=chain.kari, store=chain.oslo)) == ["REF-OSL-1"]
    assert references(find_orders("K7-4711", asker=chain.kari, day=NOON.date())) == ["REF-BGO-1"]


def test_the_end_of_a_reference_comes_before_a_receipt_number_unless_a_store_or_day_is_chosen(chain: Chain) -> None:
    order = index(chain, "BGO", "REF-BGO-1")
    type(order).objects.filter(pk=order.pk).update(receipt_number="4711")
    index(chain, "BGO", "REF-4711")
    assert references(find_orders("4711", asker=chain.kari)) == ["REF-4711"]
    assert references(find_orders("4711", asker=chain.kari, store=chain.bergen)) == ["REF-4711", "REF-BGO-1"]
