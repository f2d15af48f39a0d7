"""From a till's click to the end of its refund, at a steady rate that does not wait for anybody."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from refunds.models import ENDS, Refund
from stores.api.ids import ORDER, shown_id
from tests.faults.kills.goods import Wish
from tests.faults.kills.rescues import percentile

_SENDERS = 40
_LONGEST = 180.0


def click_to_end(hub_url: str, keys: Sequence[str], wishes: Sequence[Wish], *, per_second: float) -> dict[str, float]:
    """Percentiles in seconds, of the answer to the click and of the refund's end, both since the click was due."""
    clicked: dict[str, datetime] = {}
    answered: list[float] = []
    began = time.monotonic()

    def send(mine: Sequence[tuple[int, Wish]]) -> None:
        connection = http.client.HTTPConnection(urlsplit(hub_url).netloc, timeout=30)
        for number, wish in mine:
            time.sleep(max(began + number / per_second - time.monotonic(), 0))
            late = time.monotonic() - (began + number / per_second)
            clicked[wish.key] = datetime.now(UTC)
            connection.request("POST", "/api/v1/refunds", _body(wish), _headers(keys, wish))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == http.client.ACCEPTED, answer.status
            answered.append(late + (datetime.now(UTC) - clicked[wish.key]).total_seconds())
        connection.close()

    numbered = list(enumerate(wishes))
    senders = [threading.Thread(target=send, args=(numbered[number::_SENDERS],)) for number in range(_SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    ended = _ends([wish.key for wish in wishes])
    waited = [(ended[key] - at).total_seconds() for key, at in clicked.items() if key in ended]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    told = {f"end_{name}": round(percentile(waited, share), 2) for name, share in shares.items()}
    told |= {f"answer_{name}": round(percentile(answered, share), 3) for name, share in shares.items()}
    return {**told, "clicks": len(wishes), "not_ended": len(wishes) - len(waited)}


def _ends(keys: Sequence[str]) -> dict[str, datetime]:
    until = time.monotonic() + _LONGEST
    ended = Refund.objects.filter(client_key__in=keys, state__in=ENDS)
    while ended.count() < len(keys) and time.monotonic() < until:
        time.sleep(0.5)
    return {key: at for key, at in ended.values_list("client_key", "ended_at") if at is not None}


def _body(wish: Wish) -> str:
    amount = {"amount_minor": wish.amount_minor, "currency": wish.currency}
    order = shown_id(ORDER, wish.order_id)
    return json.dumps({"order_id": order, "amount": amount, "reason": "returned", "cashier": "bench"})


def _headers(keys: Sequence[str], wish: Wish) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys[wish.till]}", "Content-Type": "application/json", "Idempotency-Key": wish.key}
