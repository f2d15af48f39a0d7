"""What looks alike on a receipt is found, after what is written exactly so, and said to be only alike."""

import pytest

from stores.search import find_orders
from stores.search.alike import MOST_VARIANTS, variants_of
from tests.conftest import Chain
from tests.stores.indexed import NOON, index, references

ALIKE = "Nothing is written exactly so. These look alike: O and 0, I and 1, B and 8, S and 5 are easily mixed up."


@pytest.mark.parametrize(
    "typed",
    ["B0S-2026-IO158", "bos-2o26-io158", "BOS-2O26-1OI5B", "80520261015B", "IO158", "1oi58", "l0l5B", "b0520", "8OS-2"],
)
def test_look_alikes_find_it_whole_or_by_an_end(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BOS-2026-10158")
    index(chain, "BGO", "BOX-2026-77777")
    page = find_orders(typed, asker=chain.kari)
    assert (references(page), page.hint, page.is_alike) == (["BOS-2026-10158"], ALIKE, True)


def test_what_is_written_so_hides_what_only_looks_so(chain: Chain) -> None:
    index(chain, "BGO", "BOS-2026-10158")
    index(chain, "OSL", "B0S-2026-10158")
    page = find_orders("B0S-2026-10158", asker=chain.kari)
    assert (references(page), page.hint, page.is_alike) == (["B0S-2026-10158"], "", False)
    assert references(find_orders("10158", asker=chain.kari, limit=1)) == ["B0S-2026-10158"]


def test_a_short_text_shows_what_looks_so_and_then_what_holds_it_inside(chain: Chain) -> None:
    index(chain, "BGO", "X-10158")
    index(chain, "BGO", "Y-IOI58-Z")
    page = find_orders("ioi58", asker=chain.kari)
    assert (references(page), page.is_alike) == (["X-10158", "Y-IOI58-Z"], True)


def test_pages_of_look_alikes_go_on_where_they_ended(chain: Chain) -> None:
    expected = [index(chain, "BGO", f"B{number}-10158", at=NOON.replace(hour=20 - number)).reference for number in range(5)]
    shown: list[str] = []
    cursor = ""
    for _page in range(3):
        page = find_orders("IOI58", asker=chain.kari, limit=2, cursor=cursor)
        shown += references(page)
        cursor = page.next_cursor
    assert (shown, cursor) == (expected, "")


def test_variants_are_bounded_and_the_likely_ones_come_first() -> None:
    assert list(variants_of("XYZ")) == []
    assert sorted(variants_of("S1")) == ["51", "5I", "5L", "SI", "SL"]
    many = list(variants_of("0O1IL8B5S" * 5))
    assert len(many) == len(set(many)) == MOST_VARIANTS
    for likely in ("OO1IL8B5S" * 5, "001IL8B5S" * 5, "0O1118B5S" * 5, "0O1IL8B5S" * 4 + "0O1IL8B55"):
        assert likely in many
