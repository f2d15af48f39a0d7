"""Where a list goes on: an opaque text that says nothing but a position; rights are checked anew on every page."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from stores.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 200
_TEXT = re.compile(r"1\.(?P<stage>[0-9])\.(?P<at>-?[0-9]{1,18})\.(?P<id>[0-9]{1,18}|[0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Position:
    """The last row that was shown: its time and id, and which part of the list it stood in (`stage`)."""

    at: datetime
    id: int | UUID
    stage: int = 0

    def is_before(self, at: datetime, row_id: int) -> bool:
        """Whether a row of that time and number comes after this one in a list of the newest first."""
        return (at, row_id) < (self.at, self.id)


def write_cursor(position: Position) -> str:
    """The position as URL-safe text."""
    row_id = position.id.hex if isinstance(position.id, UUID) else position.id
    text = f"1.{position.stage}.{(position.at - _EPOCH) // _MICROSECOND}.{row_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, ids: type[int] | type[UUID]) -> Position | None:
    """The position, None for "". Raises Invalid (invalid_cursor) for what this hub did not write for such a list."""
    if not cursor:
        return None
    try:
        position = _parse(cursor)
        # Only the one text that writes this position reads as it, and only for rows of that kind.
        if not isinstance(position.id, ids) or write_cursor(position) != cursor:
            raise ValueError("not a cursor of this list")
    except (ValueError, OverflowError, binascii.Error):
        raise Invalid(
            _("This cursor is not one of ours: start from the first page."), code="invalid_cursor", field="cursor"
        ) from None
    return position


def _parse(cursor: str) -> Position:
    if len(cursor) > _LONGEST:
        raise ValueError("too long")
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    parts = _TEXT.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
    if parts is None:
        raise ValueError("not a position")
    row_id = UUID(hex=parts["id"]) if len(parts["id"]) == 32 else int(parts["id"])
    return Position(at=_EPOCH + int(parts["at"]) * _MICROSECOND, id=row_id, stage=int(parts["stage"]))
