"""Where a sync goes on: the cursor that a store system gave with its last batch, kept in that batch's transaction."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from stores.errors import Conflict
from stores.models import StoreSystem, SyncPosition


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a batch says of its place: the system's own cursor, opaque to the hub, in one of the system's streams.

    `after` is the cursor that the system believes to stand before ("" for none yet), or None where it does not care.
    """

    cursor: str
    stream: str = ""
    after: str | None = None


def move_position(mark: Mark, *, system: StoreSystem, rows: int, now: datetime) -> None:
    """Put the mark down, once this transaction commits. Raises Conflict where another batch has been there since `after`.

    The row stays locked until then: batches of one stream are indexed one after the other.
    """
    SyncPosition.objects.bulk_create([SyncPosition(system=system, stream=mark.stream)], ignore_conflicts=True)
    position = SyncPosition.objects.filter(system=system, stream=mark.stream)
    expected = position if mark.after is None else position.filter(cursor=mark.after)
    if not expected.update(cursor=mark.cursor, rows=rows, synced_at=now):
        raise Conflict(
            _("Another batch of this stream has been synced since: read the position and go on from there."),
            code="sync_position_moved",
            field="sync_after",
            sync_cursor=position.get().cursor,
        )


def position_of(system: StoreSystem, stream: str) -> SyncPosition:
    """How far the stream has come; one that has none yet stands at "", with no rows, and is not stored."""
    found = SyncPosition.objects.filter(system=system, stream=stream).first()
    return found or SyncPosition(system=system, stream=stream)
