"""A till that sends too much hears why, from the real server: its line is not cut while it is still sending."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from stores.api import bodies
from stores.api.parsing import SYNC_BYTES, SyncParser
from stores.api.problems import TooLarge
from stores.models import Order
from tests.conftest import Chain
from tests.refunds.real_processes import own_web
from tests.till import Till, row

PIECE = 64 * 1024


def pieces(body: bytes) -> Iterator[bytes]:
    """Slowly enough that an answer that does not wait would come in the middle."""
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]
        time.sleep(0.005)


def told(line: http.client.HTTPConnection, till: Till, body: bytes, **headers: str) -> tuple[int, str, str]:
    """Status, media type and code, as a client hears them that looks for an answer when all is sent. Raises OSError."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Authorization": f"Bearer {till.key}", "Content-Type": "application/json"}
    line.request("POST", "/api/v1/orders", pieces(body), named, encode_chunked="Content-Length" not in named)
    answer = line.getresponse()
    content = json.loads(answer.read())
    return answer.status, answer.headers["Content-Type"], content.get("code", "")


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_till_that_is_still_sending_hears_the_refusal(chain: Chain, tmp_path: Path) -> None:
    till = Till(chain.systems["BGO"])
    large, bomb = b"[" * (2 * SYNC_BYTES), gzip.compress(bytes(16 * SYNC_BYTES)) * 4
    good = json.dumps({"orders": [row("BER-10042")]}).encode()
    refused = "application/problem+json"
    with own_web(tmp_path) as port:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(3):
            assert told(line, till, large, Content_Length=str(len(large))) == (413, refused, "too_large")
            assert told(line, till, large, Transfer_Encoding="chunked") == (411, refused, "length_required")
            length = {"Content_Length": str(len(bomb)), "Content_Encoding": "gzip"}
            assert told(line, till, bomb, **length) == (413, refused, "too_large")
        mine = line.sock.getsockname()
        assert told(line, till, good, Content_Length=str(len(good)))[0] == 200
        assert line.sock.getsockname() == mine
        line.close()
    assert Order.objects.get().reference == "BER-10042"


@pytest.mark.parametrize(("most", "seconds", "dropped"), [(300_000, 60.0, 5 * PIECE), (10**9, 0.0, 0), (10**9, 60.0, 10**6)])
def test_what_is_dropped_is_bounded(monkeypatch: pytest.MonkeyPatch, most: int, seconds: float, dropped: int) -> None:
    monkeypatch.setattr(bodies, "_MOST_DROPPED", most)
    monkeypatch.setattr(bodies, "_SECONDS_DROPPING", seconds)
    sent = BytesIO(bytes(10**6))
    told: dict[str, Any] = {"wsgi.input": sent, "wsgi.input_terminated": True, "CONTENT_LENGTH": SYNC_BYTES + 1}
    request = RequestFactory().post("/api/v1/orders", b"{}", content_type="application/json", **told)
    with pytest.raises(TooLarge):
        SyncParser().parse(BytesIO(), "application/json", {"request": Request(request)})
    assert sent.tell() == dropped
