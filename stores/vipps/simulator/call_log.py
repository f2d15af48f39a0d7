"""The judge's book: every modification that was received, whether it was applied, and with whose keys."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from stores.vipps.simulator.clock import iso, moment


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One modification. `keys` names the key set that signed in; `status` is None when no answer was given.

    `applied` is true once for each movement of money: a repeated call with its key is `replayed` instead.
    `amount_minor` is what was asked for, for a cancel what was released. `api` is the one that was called.
    """

    time: float
    msn: str
    keys: str | None
    operation: str
    reference: str
    amount_minor: int | None
    currency: str | None
    idempotency_key: str | None
    applied: bool
    replayed: bool
    status: int | None
    code: str | None
    fault: str | None
    api: str = "epayment"

    @property
    def at(self) -> datetime:
        return moment(self.time)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "time": iso(self.time, digits=7)}


class CallLog:
    """Append-only, oldest first, also by reference."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._by_reference: dict[str, list[LogEntry]] = {}

    def append(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._by_reference.setdefault(entry.reference, []).append(entry)

    def select(
        self,
        *,
        reference: str | None = None,
        msn: str | None = None,
        operation: str | None = None,
        applied: bool | None = None,
    ) -> list[LogEntry]:
        entries = self._entries if reference is None else self._by_reference.get(reference, [])
        return [
            entry
            for entry in entries
            if msn in (None, entry.msn) and operation in (None, entry.operation) and applied in (None, entry.applied)
        ]

    def __len__(self) -> int:
        return len(self._entries)
