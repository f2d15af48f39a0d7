"""What people write for an amount is read exactly, or refused; never guessed, never rounded."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from refunds.desk.amounts import parse_amount
from refunds.desk.wording import money, typed_money
from stores.money import MAX_MINOR


@pytest.mark.parametrize(("typed", "minor"), [
    ("250", 25_000),
    ("250,00", 25_000),
    ("250.00", 25_000),
    ("250,5", 25_050),
    (" 250,50 ", 25_050),
    ("1 250,50", 125_050),
    ("1\u00a0250,50", 125_050),
    ("1\u202f250,50", 125_050),
    ("1250,50", 125_050),
    ("1.250,50", 125_050),
    ("1,250.50", 125_050),
    ("1'250.50", 125_050),
    ("1.250.000", 125_000_000),
    ("1,250,000.5", 125_000_050),
    ("1 250 000", 125_000_000),
    ("250,-", 25_000),
    ("250,–", 25_000),
    ("kr 250", 25_000),
    ("kr 250,-", 25_000),
    ("250 kr", 25_000),
    ("250,00 kr.", 25_000),
    ("NOK 250.00", 25_000),
    ("€89.90", 8_990),
    ("89,90 €", 8_990),
    ("0,01", 1),
    ("0", 0),
    ("00250", 25_000),
    ("0,29", 29),  # 0.29 * 100 is 28.999999999999996 in floating point
    ("1.15", 115),
])  # fmt: skip
def test_reads_what_people_write(typed: str, minor: int) -> None:
    assert parse_amount(typed) == minor


@pytest.mark.parametrize("typed", [
    "", " ", "kr", "abc", "-250", "−250", "+250", "250,005", "1.250", "1,250", "250,", ",50", "12 50", "1 25", "1.25.0",
    "1,250,50", "1.250.50", "0.250", "1 250.500,00", "1 2500", "25o", "2e5", "٢٥٠", "250 250 25", "250 USD", "250;00", "1" * 25,
    "250\x00", "2\n50",
])  # fmt: skip
def test_refuses_what_could_be_read_in_two_ways(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(typed)


@given(minor=st.integers(0, MAX_MINOR), currency=st.sampled_from(["NOK", "DKK", "SEK", "EUR"]))
@pytest.mark.parametrize("language", ["en", "nb"])
def test_reads_every_amount_that_the_desk_itself_writes(language: str, minor: int, currency: str) -> None:
    with translation.override(language):
        assert parse_amount(money(minor, currency)) == minor
        assert parse_amount(typed_money(minor)) == minor


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_a_value_error(typed: str) -> None:
    try:
        assert parse_amount(typed) >= 0
    except ValueError:
        return
