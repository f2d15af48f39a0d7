"""What is to be told and what became of it: one queue per registration and payment, whose head alone may go out.

Source: Vipps Webhooks API, retries and order. Attempts 1 to 4 come about 2 s apart, then 60 s, 120 s, then hourly through
attempt 29, then daily, for 7 days; a registration whose address has been dead for 2 weeks is deleted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from stores.vipps.simulator.books import Books
from stores.vipps.simulator.webhooks.registrations import Registrations

DAY = 86_400.0
GIVES_UP_AFTER = 7 * DAY
DEAD_AFTER = 14 * DAY
_KEPT = 2_000


class NoticeState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    LOST = "lost"


@dataclass(kw_only=True, slots=True)
class Notice:
    """One event for one registration. Times are the simulator's; `status` is the last answer, None for silence."""

    id: int
    registration: str
    msn: str
    reference: str
    event: str
    body: str
    made_at: float
    due_at: float
    is_doubled: bool = False
    is_badly_signed: bool = False
    waits_for_next: bool = False
    state: NoticeState = NoticeState.WAITING
    attempts: int = 0
    first_at: float | None = None
    status: int | None = None
    is_out: bool = field(default=False, compare=False)

    @property
    def queue(self) -> tuple[str, str, str]:
        return (self.registration, self.msn, self.reference)


def wait_after(attempt: int) -> float:
    """Seconds between this attempt (from 1) and the next."""
    if attempt <= 3:
        return 2.0
    if attempt <= 5:
        return 60.0 if attempt == 4 else 120.0
    return 3_600.0 if attempt < 29 else DAY


class Notices:
    def __init__(self, books: Books, registrations: Registrations) -> None:
        self._books = books
        self._registrations = registrations
        self._queues: dict[tuple[str, str, str], deque[Notice]] = {}
        self._failing_since: dict[str, float] = {}
        self._waiting: dict[int, Notice] = {}
        self._last = 0
        self.done: deque[Notice] = deque(maxlen=_KEPT)
        books.restores("notice", self._restore)
        books.restores("attempt", lambda record: self._settle(self._waiting[record["id"]], record["status"], record["at"]))
        books.restores("dropped", lambda record: self._drop(record["registration"]))

    def next_id(self) -> int:
        return self._last + 1

    def add(self, notice: Notice) -> None:
        self._enqueue(notice)
        self._books.keep("notice", **asdict(notice))

    def due(self, now: float) -> list[Notice]:
        """The heads of queues whose time has come, the oldest first; they are out until they are settled."""
        heads = [queue[0] for queue in self._queues.values() if queue]
        due = sorted((head for head in heads if head.due_at <= now and not head.is_out), key=lambda notice: notice.id)
        for notice in due:
            notice.is_out = True
        return due

    def settle(self, notice: Notice, status: int | None, *, at: float, is_success: bool) -> None:
        """Enters what an attempt came to."""
        told = 200 if is_success else status
        self._books.keep("attempt", id=notice.id, status=told, at=at)
        self._settle(notice, told, at)
        if notice.state is not NoticeState.DELIVERED and at - self._failing_since[notice.registration] >= DEAD_AFTER:
            self._registrations.remove(notice.registration)
            self.drop(notice.registration)

    def drop(self, registration: str) -> None:
        """Nothing more is told to a registration that is gone."""
        self._books.keep("dropped", registration=registration)
        self._drop(registration)

    def waiting(self) -> list[Notice]:
        return sorted(self._waiting.values(), key=lambda notice: notice.id)

    def next_due(self) -> float | None:
        return min((queue[0].due_at for queue in self._queues.values() if queue), default=None)

    def _enqueue(self, notice: Notice) -> None:
        self._last = max(self._last, notice.id)
        if notice.state is NoticeState.LOST:
            self.done.append(notice)
            return
        self._waiting[notice.id] = notice
        queue = self._queues.setdefault(notice.queue, deque())
        if queue and queue[-1].waits_for_next and not queue[-1].attempts and not queue[-1].is_out:
            held = queue.pop()
            held.waits_for_next = False
            held.due_at = min(held.due_at, notice.due_at)
            queue.extend((notice, held))
        else:
            queue.append(notice)

    def _settle(self, notice: Notice, status: int | None, at: float) -> None:
        notice.is_out = False
        notice.attempts += 1
        notice.status = status
        notice.first_at = at if notice.first_at is None else notice.first_at
        if status == 200:
            notice.state = NoticeState.DELIVERED
            self._failing_since.pop(notice.registration, None)
        else:
            self._failing_since.setdefault(notice.registration, at)
            notice.due_at = at + wait_after(notice.attempts)
            if notice.due_at > notice.first_at + GIVES_UP_AFTER:
                notice.state = NoticeState.GIVEN_UP
        if notice.state is not NoticeState.WAITING:
            self._finish(notice)

    def _finish(self, notice: Notice) -> None:
        self.done.append(notice)
        self._waiting.pop(notice.id, None)
        queue = self._queues.get(notice.queue)
        if queue and notice in queue:
            queue.remove(notice)
            if not queue:
                del self._queues[notice.queue]

    def _drop(self, registration: str) -> None:
        for notice in [each for each in self._waiting.values() if each.registration == registration]:
            notice.state = NoticeState.GIVEN_UP
            self._finish(notice)

    def _restore(self, record: dict[str, Any]) -> None:
        self._enqueue(Notice(**{**record, "state": NoticeState(record["state"]), "is_out": False}))
