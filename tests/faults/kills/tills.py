"""Twenty tills over real HTTP: each wish has one key for ever, and whoever gets no answer asks again with it."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stores.api.ids import ORDER, shown_id
from tests.faults.kills.goods import Wish
from tests.faults.kills.history import Event, History

_SECONDS = 10.0
_DEFINITE = range(400, 500)
_NOT_YET = (408, 425, 429)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status 0: nobody knows what came of it."""

    status: int
    body: dict[str, Any]
    took: float

    @property
    def is_unclear(self) -> bool:
        return self.status == 0 or self.status >= 500 or self.status in _NOT_YET


class Till(threading.Thread):
    """Does its wishes one after the other, each not before its time; `until` ends its patience for all of them."""

    def __init__(
        self, number: int, *, key: str, hub_url: str, wishes: Sequence[Wish], per_second: float, history: History, seed: int
    ) -> None:
        super().__init__(name=f"till-{number}", daemon=True)
        self.number = number
        self.latencies: list[tuple[float, float]] = []
        self.patience = threading.Event()
        self._key = key
        self._address = urlsplit(hub_url).netloc
        self._wishes = wishes
        self._per_second = per_second
        self._history = history
        self._chance = random.Random(f"{seed}/{number}")
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        for wish in self._wishes:
            wait = wish.number / self._per_second - self._history.now
            if wait > 0:
                time.sleep(wait)
            self._fulfil(wish)

    def look(self, wish: Wish) -> Answer:
        """What became of that wish, by its key."""
        return self._do("look", wish, "GET", f"/api/v1/refunds/by-key/{wish.key}")

    def _fulfil(self, wish: Wish) -> None:
        answer = self._ask(wish)
        while answer.is_unclear and not wish.gives_up and not self.patience.is_set():
            time.sleep(self._chance.uniform(0.3, 1.5))
            answer = self.look(wish) if self._chance.random() < 0.3 else Answer(status=404, body={}, took=0)
            if answer.status == http.client.NOT_FOUND:
                answer = self._ask(wish)
        if answer.status in (200, 202) and self._chance.random() < 0.1:
            self._ask(wish)  # a nervous finger
        if answer.status in (200, 202) and self._chance.random() < 0.2:
            self.look(wish)

    def _ask(self, wish: Wish) -> Answer:
        body = {
            "order_id": shown_id(ORDER, wish.order_id),
            "amount": {"amount_minor": wish.amount_minor, "currency": wish.currency},
            "reason": "returned",
            "cashier": f"cashier-{self.number}",
        }
        return self._do("ask", wish, "POST", "/api/v1/refunds", body)

    def _do(self, what: str, wish: Wish, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        history = self._history
        history.add(Event(at=history.now, till=self.number, what=what, key=wish.key, kind="invoke"))
        answer = self._call(method, path, body, wish.key)
        kind: Any = "unknown" if answer.is_unclear else "fail" if answer.status in _DEFINITE else "ok"
        history.add(
            Event(
                at=history.now,
                till=self.number,
                what=what,
                key=wish.key,
                kind=kind,
                status=answer.status,
                refund_id=str(answer.body.get("id", "")),
                state=str(answer.body.get("state", answer.body.get("code", ""))),
                took=round(answer.took, 4),
            )
        )
        return answer

    def _call(self, method: str, path: str, body: dict[str, Any] | None, key: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        began = time.monotonic()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._address, timeout=_SECONDS)
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = self._connection.getresponse()
            text = response.read()
            told = json.loads(text)
            return Answer(status=response.status, body=told, took=time.monotonic() - began)
        except (OSError, http.client.HTTPException, ValueError):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return Answer(status=0, body={}, took=time.monotonic() - began)
