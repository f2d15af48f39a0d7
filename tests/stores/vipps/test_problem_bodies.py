"""Bodies of answers that are no success: whatever the shape, the client gives an error and never breaks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.vipps.errors import VippsError
from stores.vipps.exchange import Response
from stores.vipps.problems import LONGEST_WAIT, error_from
from tests.stores.vipps.world import answer

NOW = 1_789_560_000.0


def error(response: Response) -> VippsError:
    return error_from("refund", response, now=lambda: NOW)


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (
            '{"title":"Bad","extraDetails":[{"name":"ErrorCode","reason":"6150"}]}',
            "6150",
            "refund exceeds what is left",
        ),
        ('{"title":"Bad","extraDetails":[{"name":"ErrorCode","reason":6150}]}', "6150", "refund exceeds what is left"),
        ('{"title":"Bad","extraDetails":[{"name":"amount","reason":"pattern"}]}', None, "Bad"),
        ('{"title":"Bad","extraDetails":null}', None, "Bad"),
        ('{"title":"Bad","extraDetails":[{"name":"ErrorCode","reason":{"a":1}}]}', None, "Bad"),
        ('{"title":"Bad","extraDetails":{"name":"ErrorCode"}}', None, "Bad"),
        ('{"statusCode":401,"message":"Access denied"}', None, "Access denied"),
        ('{"responseInfo":{"responseCode":401,"responseMessage":"Nope"},"result":{"message":"Why"}}', None, "Why"),
        ('{"ResponseInfo":{"responseMessage":"Nope"}}', None, "Nope"),
        ('{"errorInfo":{"errorMessage":"Nope"}}', None, "Nope"),
        ('{"error":"invalid_client"}', None, "invalid_client"),
        ('{"errors":["one","two"]}', None, "one"),
        ('["plain","texts"]', None, "plain"),
        ('[{"errorCode":"72","errorMessage":"Cannot refund"}]', None, "Cannot refund"),
        ("<html><body>Bad Gateway</body></html>", None, ""),
        ("", None, ""),
        ("null", None, ""),
        ("7", None, ""),
        ("[" * 100_000, None, ""),
    ],
)
def test_every_known_shape_is_read(body: str, code: str | None, detail: str) -> None:
    told = error(answer(400, body))
    assert told.code == code
    assert told.detail.startswith(detail)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    told = error(Response(status=500, headers={}, body=body))
    assert type(told).__name__ == "Unsure"


def test_a_long_text_with_control_characters_is_tamed() -> None:
    told = error(answer(400, json.dumps({"detail": "a\r\nb\x1b[31m" + "x" * 5000})))
    assert len(told.detail) <= 300
    assert told.detail.isprintable()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("12", 12.0),
        ("0", 0.0),
        ("999999999999999", LONGEST_WAIT),
        ("Wed, 16 Sep 2026 12:00:30 GMT", 30.0),
        ("Wed, 16 Sep 2026 11:00:00 GMT", 0.0),
        ("Wed, 16 Sep 2099 11:00:00 GMT", LONGEST_WAIT),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_has_a_limit(told: str, seconds: float | None) -> None:
    assert error(answer(429, "", retry_after=told)).retry_after == seconds


def test_the_trace_id_comes_from_the_body_else_from_a_header() -> None:
    assert error(answer(500, '{"traceId":"00-a-b-00"}', traceparent="00-c-d-00")).trace_id == "00-a-b-00"
    assert error(answer(500, "", traceparent="00-c-d-00")).trace_id == "00-c-d-00"
    assert error(answer(500, '{"traceId":"<script>"}')).trace_id is None
