"""Whatever is sent to the door for orders: never a failure of ours, an outcome for each row, and no good row is hurt."""

import gzip
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.models import Order
from tests.conftest import Chain
from tests.till import Till, row

NUMBERS = itertools.count(1)
FUZZ = settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
LINES = "application/x-ndjson"

NASTY = ["", "\x00", "\ud800", "\u202e", "'; DROP TABLE stores_order; --", "NaN", "1e400", "9" * 5_000, "{}", "\\N"]
nasty_texts = st.text(max_size=80) | st.sampled_from(NASTY)
numbers = st.integers() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | nasty_texts,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(nasty_texts, inner, max_size=4)),
    max_leaves=6,
)
names = st.sampled_from(["reference", "amount", "paid_at", "channel", "receipt_number", "lines", "msn", "", "\ud800"])


@st.composite
def hostile_rows(draw: st.DrawFn) -> Any:
    """Anything at all, or an order with something wrong in one or two places."""
    if draw(st.booleans()):
        return draw(anything)
    wrong: dict[str, Any] = row(f"HOSTILE-{next(NUMBERS)}")
    for name in draw(st.lists(names, min_size=1, max_size=2)):
        wrong[name] = draw(anything)
    if draw(st.booleans()):
        wrong["amount"] = {"amount_minor": draw(anything), "currency": draw(st.sampled_from(["NOK", "", "XXX"]))}
    if draw(st.booleans()):
        wrong["lines"] = [{"name": draw(nasty_texts), "quantity": draw(anything), "amount_minor": draw(anything)}]
    return wrong


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def send(till: Till, rows: list[Any], *, as_lines: bool, is_compressed: bool) -> Any:
    body = "\n".join(map(json.dumps, rows)) if as_lines else json.dumps({"orders": rows})
    content = gzip.compress(body.encode()) if is_compressed else body.encode()
    headers = {"Content-Encoding": "gzip"} if is_compressed else {}
    return till.post("orders", content, content_type=LINES if as_lines else "application/json", **headers)


@pytest.mark.django_db(transaction=True)  # in one transaction, PostgreSQL would not wait for a slow machine to think up rows
def test_no_row_hurts_another(bergen: Till) -> None:
    @given(st.lists(hostile_rows(), min_size=1, max_size=6), st.booleans(), st.booleans(), st.data())
    @FUZZ
    def holds(hostile: list[Any], as_lines: bool, is_compressed: bool, data: st.DataObject) -> None:
        good = [row(f"GOOD-{next(NUMBERS)}") for _ in range(3)]
        rows = data.draw(st.permutations(hostile + good))
        response = send(bergen, rows, as_lines=as_lines, is_compressed=is_compressed)
        assert response.status_code == 200, response.content
        results = response.json()["results"]
        assert [result["index"] for result in results] == list(range(len(rows)))
        for sent, result in zip(rows, results, strict=True):
            if sent in good:
                assert (result["outcome"], result["reference"]) == ("created", sent["reference"])
            elif result["outcome"] == "refused":
                assert result["code"]
                assert result["detail"]
        again = send(bergen, rows, as_lines=not as_lines, is_compressed=not is_compressed).json()["results"]
        assert [result["outcome"] for sent, result in zip(rows, again, strict=True) if sent in good] == ["unchanged"] * 3

    holds()


@pytest.mark.django_db(transaction=True)
def test_no_body_makes_the_door_fail(bergen: Till) -> None:
    @given(
        at=st.integers(0, 400),
        cut=st.integers(0, 40),
        put=st.binary(max_size=40),
        content_type=st.sampled_from(["application/json", LINES]),
        encoding=st.sampled_from(["", "gzip", "identity"]),
        is_compressed=st.booleans(),
    )
    @FUZZ
    def holds(at: int, cut: int, put: bytes, content_type: str, encoding: str, is_compressed: bool) -> None:
        rows = [row(f"BODY-{next(NUMBERS)}") for _ in range(3)]
        whole = "\n".join(map(json.dumps, rows)) if content_type == LINES else json.dumps({"orders": rows})
        body = gzip.compress(whole.encode()) if is_compressed else whole.encode()
        before = Order.objects.count()
        headers = {"Content-Encoding": encoding} if encoding else {}
        response = bergen.post("orders", body[:at] + put + body[at + cut :], content_type=content_type, **headers)
        told = response.json()
        if response.status_code == 200:
            assert len(told["results"]) >= 1
        else:
            assert response.status_code in (400, 413, 415), response.content
            assert told["code"]
            assert Order.objects.count() == before

    holds()
