"""Which part of the orders has to be walked: one store's, or those of certain days."""

from dataclasses import dataclass
from datetime import datetime

from stores.search.wanted import Wanted


@dataclass(frozen=True, kw_only=True)
class Part:
    """Orders of a store, and of the time from `since` until before `until` (UTC); None where it does not matter."""

    store_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self == Part()


def asked_part(wanted: Wanted) -> Part:
    """The part that the store and the day which were asked for leave."""
    since, until = wanted.day_bounds() or (None, None)
    return Part(store_id=wanted.store.pk if wanted.store else None, since=since, until=until)
