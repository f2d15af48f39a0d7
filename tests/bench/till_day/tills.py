"""Tills that tell the hub what they sold, at a steady rate that does not wait for anybody."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.ingest.batches import Sales, body_of

SECONDS = 60.0
"""So long a till or a cashier waits for an answer."""
_NEWEST = 20


@dataclass(frozen=True, kw_only=True)
class Till:
    """A store system: what its store sells, and its key."""

    sales: Sales
    key: str


@dataclass(frozen=True, kw_only=True)
class Sync:
    """A request to be, `due` seconds after the start; `newest` is the last reference in it."""

    due: float
    key: str
    body: bytes
    newest: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a request: its status, with its code if it was refused, and how many rows had which outcome.

    `seconds` count from when it was due, so that a hub that falls behind is seen to.
    """

    code: str
    seconds: float
    outcomes: Mapping[str, int] = field(default_factory=dict)


def planned(tills: Sequence[Till], *, rate: float, seconds: float, batch: int) -> list[Sync]:
    """All of it is made before the clock starts: who measures should not compete with whom he measures."""
    syncs = []
    for number in range(round(rate * seconds / batch)):
        till = tills[number % len(tills)]
        sold = till.sales.take(batch)
        body = body_of(sold, till.sales.unit.currency)
        syncs.append(Sync(due=number * batch / rate, key=till.key, body=body, newest=sold[-1].reference))
    return syncs


class Telling:
    """Some tills that tell; `newest` are references to which the hub has just said yes."""

    def __init__(self, port: int, syncs: Sequence[Sync], *, connections: int) -> None:
        self.newest: deque[str] = deque(maxlen=_NEWEST)
        self.answers: list[Answer] = []
        self._port = port
        self._shares = [syncs[number::connections] for number in range(connections)]
        self._began = 0.0

    def run(self) -> float:
        """Until the last answer has come; how many seconds that took."""
        self._began = time.monotonic()
        threads = [threading.Thread(target=self._send_all, args=(share,)) for share in self._shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - self._began

    def _send_all(self, syncs: Sequence[Sync]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        for sync in syncs:
            due = self._began + sync.due
            time.sleep(max(due - time.monotonic(), 0))
            try:
                code, outcomes = _send(line, sync)
            except (OSError, http.client.HTTPException) as error:
                line.close()
                code, outcomes = type(error).__name__, {}
            self.answers.append(Answer(code=code, seconds=time.monotonic() - due, outcomes=outcomes))
            if outcomes:
                self.newest.append(sync.newest)
        line.close()


def _send(line: http.client.HTTPConnection, sync: Sync) -> tuple[str, dict[str, int]]:
    headers = {"Authorization": f"Bearer {sync.key}", "Content-Type": "application/json"}
    line.request("POST", "/api/v1/orders", sync.body, headers)
    answer = line.getresponse()
    told = json.loads(answer.read())
    if answer.status != http.client.OK:
        return f"{answer.status} {told['code']}", {}
    return str(answer.status), told["counts"]
