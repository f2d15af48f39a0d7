"""A chain's template reads store and day out of whatever part of a reference somebody has."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.reference_template import FIELDS, Guess, NotATemplate, parse_template
from stores.search.dates import days_in

DAY = date(2026, 3, 14)
MONTH = (date(2026, 3, 1), date(2026, 3, 31))
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def guess(code: str = "", days: tuple[date, date] | None = None) -> Guess:
    return Guess(code=code, first=days[0] if days else None, last=days[1] if days else None)


@pytest.mark.parametrize(
    ("template", "key", "best"),
    [
        ("{store}-{yyyymmdd}-{number}", "BGO2026031400017", guess("BGO", (DAY, DAY))),
        ("{store}-{yyyymmdd}-{number}", "BGO20260314", guess("BGO", (DAY, DAY))),
        ("{store}-{yyyymmdd}-{number}", "BGO202603", guess("BGO", MONTH)),
        ("{store}-{yyyymmdd}-{number}", "BGO2026031", guess("BGO", MONTH)),
        ("{store}-{yyyymmdd}-{number}", "BGO2026", guess("BGO", YEAR)),
        ("{store}-{yyyymmdd}-{number}", "BGO", guess("BGO")),
        ("{store}-{yyyymmdd}-{number}", "2026031400017", guess("", (DAY, DAY))),
        ("{store}-{yyyymmdd}-{number}", "O2026031400017", guess("O", (DAY, DAY))),
        ("NORD-{store}{ddmmyy}/{till}{number}", "NORDBGO1403267A12", guess("BGO", (DAY, DAY))),
        ("NORD-{store}{ddmmyy}/{till}{number}", "RDBGO140326", guess("BGO", (DAY, DAY))),
        ("{yyyy}-{number}", "202600017", guess("", YEAR)),
        ("{store}{number}", "BGO00017", guess("BGO0001")),
    ],
)
def test_a_part_of_a_reference_tells_store_and_day(template: str, key: str, best: Guess) -> None:
    assert best in parse_template(template).guesses(key)


def test_what_says_most_comes_first() -> None:
    template = parse_template("{store}-{yyyymmdd}-{number}")
    assert template.guesses("BGO2026031400017")[0] == guess("BGO", (DAY, DAY))
    assert template.guesses("00017") == [guess("00017"), guess("0001"), guess("000"), guess("00")]


@pytest.mark.parametrize("key", ["BGO20261314", "BGO20260230", "BGO19990314"])
def test_a_day_that_never_was_is_no_day(key: str) -> None:
    assert all(each.first is None or each.first.year > 2014 for each in parse_template("{store}{yyyymmdd}").guesses(key))
    assert guess("BGO", (DAY, DAY)) not in parse_template("{store}{yyyymmdd}").guesses(key)


@pytest.mark.parametrize(
    ("template", "reason", "at"),
    [
        ("", "empty", ""),
        ("---", "empty", ""),
        ("{store}-{day}", "field", "{day}"),
        ("{store}-{store}", "twice", "{store}"),
        ("{yyyymmdd}-{yyyy}", "twice", "{yyyy}"),
        ("{number}", "useless", ""),
        ("{store}#{number}", "sign", "#"),
        ("{store", "sign", "{"),
        ("{store}-æ", "sign", "æ"),
    ],
)
def test_a_template_that_says_nothing_is_refused(template: str, reason: str, at: str) -> None:
    with pytest.raises(NotATemplate) as refused:
        parse_template(template)
    assert (refused.value.reason, refused.value.at) == (reason, at)


@given(
    st.lists(st.sampled_from([f"{{{name}}}" for name in FIELDS] + ["A", "-", "77"]), max_size=6),
    st.text("ABO0127", max_size=64),
)
def test_no_key_takes_long_or_breaks_it(pieces: list[str], key: str) -> None:
    try:
        template = parse_template("".join(pieces))
    except NotATemplate:
        return
    assert len(template.guesses(key)) <= 2_000


@pytest.mark.parametrize(
    ("key", "days"),
    [
        ("20260314", [(DAY, DAY)]),
        ("BGO2026031400017", [(DAY, DAY)]),
        ("9920260314", [(DAY, DAY)]),
        ("14032026", [(DAY, DAY)]),
        ("260314", [(DAY, DAY)]),
        ("BGO260314", [(DAY, DAY)]),
        ("202603", [MONTH]),
        ("2026031", [MONTH]),
        ("2025", [(date(2025, 1, 1), date(2025, 12, 31))]),
        ("2026", []),
        ("20270314", []),
        ("20260230", []),
        ("10042", []),
        ("", []),
    ],
)
def test_digits_that_look_like_a_past_day(key: str, days: list[tuple[date, date]]) -> None:
    assert days_in(key, today=date(2026, 11, 1)) == days
