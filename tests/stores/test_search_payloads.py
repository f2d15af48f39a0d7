"""Whatever a scanner gives of any store's receipt is understood, and nothing that is pasted breaks a search."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.models import reference_key
from stores.search import find_orders
from stores.search.payloads import MOST_REFERENCES, references_in
from tests.conftest import Chain
from tests.stores.indexed import index, references

SCANNED = [
    "https://kvittering.nordlys.no/r/BER-2026-10042",
    "HTTPS://KVITTERING.NORDLYS.NO/R/BER-2026-10042",
    "https://kvittering.nordlys.no/r/BER-2026-10042.pdf?utm_source=till-17",
    "https://kvittering.nordlys.no/?butikk=0012&ref=BER-2026-10042&amount=250.00",
    "https://kvittering.nordlys.no/#/kvittering/BER-2026-10042",
    "https://kvittering.nordlys.no/#ref=BER-2026-10042",
    "kvittering.nordlys.no/BER-2026-10042",
    "www.nordlys.no/k?id=BER%2D2026%2D10042",
    "https://nordlys.no/k/BER%252D2026%252D10042/",
    "https://nordlys.no/til?url=https%3A%2F%2Fkvittering.nordlys.no%2Fr%2FBER-2026-10042&v=20261101",
    "Din kvittering: https://kvittering.nordlys.no/r/BER-2026-10042",
    "https://id.gs1.org/01/09506000134352/10/ABC/21/BER-2026-10042",
    "https://nordlys.no/414/7080000000008/8020/BER-2026-10042",
    "]C1400BER-2026-10042",
    "]C1400BER-2026-10042\x1d37100",
    "]Q3https://kvittering.nordlys.no/r/BER-2026-10042",
    "]E0BER-2026-10042",
    "(414)7080000000008(400)BER-2026-10042",
    "msn=100002&reference=BER-2026-10042&amount=25000",
    "store=BGO;receipt=BER-2026-10042;sum=250,00",
    "Ref: BER-2026-10042",
    "Ordre #BER-2026-10042",
    "ordrenr. BER-2026-10042",
    "Nordlys Bergen\r\nOrdre: BER-2026-10042\r\n01.09.2026 12:00",
    "Nordlys Bergen\nBER-2026-10042\nNOK 250,00",
    "takk for handelen BER-2026-10042",
    json.dumps({"type": "receipt", "payment": {"amount": 25000, "reference": "BER-2026-10042"}}),
    '["BER-2026-10042"]',
    "\u202eBER\u2011\u200f2026-\u206610042\u2069\x00",
    "  BER-2026-\t10042\r\n",
]
BY_A_SCANNER_SET_TO_AMERICAN = [
    "BER+2026+10042",
    "httpsØ--kvittering.nordlys.no-r-BER+2026+10042",
    "httpsØ--kvittering.nordlys.no-_ref\\BER+2026+10042/amount\\250",
    "ØÅreferenceØ",
    "refØ BER+2026+10042",
    "ÅÆreferenceÆØÆBER+2026+10042Æ^",
]


@pytest.mark.parametrize("typed", SCANNED)
def test_a_scanned_payload_finds_its_order(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    index(chain, "BGO", "BER-2026-10043")
    page = find_orders(typed, asker=chain.kari)
    assert (references(page), page.is_alike) == (["BER-2026-10042"], False)


@pytest.mark.parametrize("typed", [typed for typed in BY_A_SCANNER_SET_TO_AMERICAN if "BER" in typed])
def test_so_does_one_whose_scanner_has_the_wrong_layout(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    assert references(find_orders(typed, asker=chain.kari)) == ["BER-2026-10042"]


@pytest.mark.parametrize(
    "typed",
    [
        '{"store":"BGO","receipt":"4711","ref":"BER-2026-10042"}',
        "https://kvittering.nordlys.no/?ref=BER-2026-10042&receipt=4711",
        "ref=BER-2026-10042;bong=4711;sum=250",
        "BER-2026-10042\t250.00\t2026-10-04",
        "BER-2026-10042 12:30 2026-10-04",
    ],
)
def test_what_stands_beside_a_reference_finds_no_other_order(chain: Chain, typed: str) -> None:
    index(chain, "OSL", "OSL-2026-77777", receipt="4711")
    index(chain, "TRD", "25000")
    index(chain, "TRD", "2026-10-04")
    assert references(find_orders(typed, asker=chain.kari)) == []
    index(chain, "BGO", "BER-2026-10042")
    assert references(find_orders(typed, asker=chain.kari)) == ["BER-2026-10042"]


def test_what_fits_only_a_part_of_it_is_not_taken_for_it(chain: Chain) -> None:
    index(chain, "OSL", "OSL-2026-77777")
    page = find_orders("BER-2026-10042\tOSL-2026-77777", asker=chain.kari)
    assert (references(page), page.is_alike) == (["OSL-2026-77777"], True)
    assert "“BER-2026-10042” is in no order" in page.hint
    index(chain, "BGO", "BER-2026-10042")
    page = find_orders("BER-2026-10042\tOSL-2026-77777", asker=chain.kari)
    assert (references(page), page.is_alike, page.hint) == (["BER-2026-10042"], False, "")


@pytest.mark.parametrize("typed", ["Ref BER 2026 10042", "ref=BER%2D2026%2D10042&amount=250"])
def test_a_reference_in_several_words_or_encoded_is_one(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    assert references(find_orders(typed, asker=chain.kari)) == ["BER-2026-10042"]


def test_the_end_of_a_payloads_reference_is_enough(chain: Chain) -> None:
    index(chain, "BGO", "POS7-BER-2026-10042")
    assert references(find_orders("https://nordlys.no/r?ref=BER-2026-10042", asker=chain.kari)) == ["POS7-BER-2026-10042"]


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("BER 2026 10042", "BER 2026 10042"),
        ("order-100000123", "order-100000123"),
        ("order-1000", "order-1000"),
        ("bEr.2026/10042", "bEr.2026/10042"),
        ("2026", "2026"),
        ("10042", "10042"),
        ("400-12345", "400-12345"),
        ("A=B", "A=B"),
    ],
)
def test_what_a_person_types_is_taken_as_it_is(typed: str, best: str) -> None:
    assert references_in(typed)[0] == best


@pytest.mark.parametrize(
    "typed",
    [
        "https://[::1",
        "https://nordlys.no/" + "a/" * 4_000,
        "x=" + "&x=1" * 3_000,
        "[" * 10_000,
        '{"a":' * 2_000,
        "1" * 9_999,
        "{" + '"n":' + "9" * 5_000 + "}",
        "(" * 10_000,
        "%" * 10_000,
        "_" * 10_000,
        "\u202e" * 10_000,
        "\x00" * 10_000,
        "%00%ff%zz",
        "https://nordlys.no/%ff%00?ref=%00",
        "]C1",
        "]Q3]Q3]Q3",
        "ref=",
        "=" * 5_000,
        ("a" * 40 + ":") * 240,
        " ,;" * 3_000,
        "ref=" + " " * 9_000 + "x" * 201,
    ],
)
def test_anything_else_is_answered_clearly(chain: Chain, typed: str) -> None:
    index(chain, "BGO", "BER-2026-10042")
    page = find_orders(typed, asker=chain.kari)
    assert page.hits == []
    assert len(references_in(typed)) <= MOST_REFERENCES


@given(st.text(max_size=300))
def test_no_text_at_all_breaks_it(typed: str) -> None:
    found = references_in(typed)
    assert len(found) <= MOST_REFERENCES
    assert all(0 < len(reference_key(text)) <= 64 for text in found)


@given(st.sampled_from(SCANNED), st.integers(0, 80), st.integers(0, 80))
def test_nor_does_a_piece_of_a_payload(payload: str, start: int, length: int) -> None:
    references_in(payload[start : start + length])
