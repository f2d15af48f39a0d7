"""What one shift of a store leaves for the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class ShiftNoteLeft(TrailEvent):
    """With the refunds of the store that had no end then, by name."""

    name = "shift.note_left"
    sentence = gettext_lazy("Store {code}, for the next shift: {note} (without an end then: {refunds})")
    code: str
    note: str
    refunds: list[str]

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "refunds": ", ".join(facts["refunds"]) or _("no refund")}


@dataclass(frozen=True, kw_only=True)
class ShiftTakenOver(TrailEvent):
    name = "shift.taken_over"
    sentence = gettext_lazy("Store {code}: the note of {left_by} for the next shift was read and taken over.")
    code: str
    left_by: str
