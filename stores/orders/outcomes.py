"""What became of each row of a sync."""

from enum import StrEnum

import msgspec
from django.utils.functional import Promise


class Outcome(StrEnum):
    """`conflict` and `refused` changed nothing."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REFUSED = "refused"


class RowOutcome(msgspec.Struct, frozen=True, gc=False):
    """`index` counts the rows of the request from 0; `order_id` is the order's public id where the asker may know it,
    as 32 hexadecimal digits."""

    index: int
    reference: str
    outcome: Outcome
    order_id: str | None = None
    code: str = ""
    detail: str = ""
    field: str = ""


class RowError(Exception):
    """One row is refused; the other rows of the batch are not touched by that."""

    def __init__(self, code: str, detail: str | Promise, *, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.field = field

    def outcome(self, index: int, reference: str) -> RowOutcome:
        return RowOutcome(
            index=index,
            reference=reference,
            outcome=Outcome.REFUSED,
            code=self.code,
            detail=str(self.detail),
            field=self.field,
        )
