"""What is logged, and what never is."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import RequestFactory

from hq import logs

API_KEY = "rhk_0123456789abcdef_" + "S3cretS3cretS3cretS3cretS3cretS3cretS3cret1"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The console's lines, as JSON."""
    stream = io.StringIO()
    config = logs.logging_settings(debug=False, as_json=True)
    config["handlers"]["console"]["stream"] = stream
    kept = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(config)
    yield stream
    logging.root.handlers[:], level = kept
    logging.root.setLevel(level)


def test_one_line_is_one_event_in_json(lines: io.StringIO) -> None:
    structlog.get_logger("refunds.test").info("refund_claimed", refund="R1", fence=2)
    logging.getLogger("stores.test").warning("%s of %s", "one", "two")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["event"], first["refund"], first["fence"], first["level"]) == ("refund_claimed", "R1", 2, "info")
    assert (second["event"], second["logger"], second["level"]) == ("one of two", "stores.test", "warning")


@pytest.mark.parametrize(
    "secret",
    [
        API_KEY,
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "Basic aGFubmU6aHVudGVyMmh1bnRlcg==",
        "GET /r/EjRWeBI0VngSNFZ4EjRWeAECAwQFBgcICQoLDA0ODxA",
    ],
)
def test_what_looks_like_a_key_is_hidden_wherever_it_stands(lines: io.StringIO, secret: str) -> None:
    structlog.get_logger("refunds.test").info("said", text=f"it was {secret}", other=f"{secret} again")
    logging.getLogger("stores.test").warning("it was %s", secret)
    logging.getLogger("elsewhere").error(f"it was {secret}")
    for logger in (logging.getLogger("stores.test"), structlog.get_logger("refunds.test")):
        try:
            raise ValueError(f"with {secret}")
        except ValueError:
            logger.exception("failed")
    written = lines.getvalue()
    assert len(written.splitlines()) == 5
    assert secret.split()[-1].removeprefix("/r/") not in written
    assert written.count("[hidden]") >= 6


def test_a_traceback_is_text_on_one_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("what broke")
    except ValueError:
        logging.getLogger("stores.test").exception("failed")
    [line] = lines.getvalue().splitlines()
    assert "ValueError: what broke" in json.loads(line)["exception"]


def test_headers_and_queries_are_left_out(lines: io.StringIO) -> None:
    structlog.get_logger("x").info("request_started", request="GET /desk/?q=BGO-1", user_agent="Firefox")
    written = json.loads(lines.getvalue())
    assert written["request"] == "GET /desk/"
    assert "user_agent" not in written


@pytest.mark.parametrize(
    "name",
    [
        *("KEK", "OLD_DEK", "VIPPS_CREDENTIAL", "CLIENT_ID", "MSN", "OCP_SUBSCRIPTION", "WEBHOOK_URL"),
        *("VAULT_PRIVATE_KEYS", "WEB_SEAL_KEY", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "some_password"),
    ],
)
def test_an_error_page_hides_the_setting(name: str) -> None:
    cleansed = logs.SecretsFilter().cleanse_setting(name, "canary-value")
    assert cleansed == logs.SecretsFilter.cleansed_substitute


def test_an_error_page_shows_nothing_that_was_sent(settings: Any) -> None:
    settings.DEBUG = True
    request = RequestFactory().post(
        "/hq/", {"client_secret": "canary", "harmless": "canary"}, headers={"authorization": "canary", "x-else": "canary"}
    )
    request.COOKIES["sessionid"] = "canary"
    shown = logs.SecretsFilter()
    assert set(shown.get_post_parameters(request)) == {"client_secret", "harmless"}
    for part in (
        shown.get_post_parameters(request),
        shown.get_safe_request_meta(request),
        shown.get_safe_cookies(request),
    ):
        assert "canary" not in str(part)


def test_the_filter_is_the_one_in_use(settings: Any) -> None:
    assert settings.DEFAULT_EXCEPTION_REPORTER_FILTER == "hq.logs.SecretsFilter"
