"""Reading the trail: what happened to one thing, and each entry as a sentence."""

import json
from typing import Any

from django.db.models import QuerySet

from stores import events
from stores.models import Entry


def timeline_of(subject_type: str, subject_id: str) -> QuerySet[Entry]:
    """Every entry about one thing, oldest first."""
    return Entry.objects.filter(subject_type=subject_type, subject_id=subject_id).order_by("at", "id")


def facts_of(entry: Entry) -> dict[str, Any]:
    """The facts of an entry, as its event class named them."""
    facts: dict[str, Any] = json.loads(entry.canonical)["facts"]
    return facts


def sentence_of(entry: Entry) -> str:
    """The entry as a reader sees it, in the active language; an event this version does not know shows its facts."""
    kind = events.kind_named(entry.event)
    facts = facts_of(entry)
    if kind is None:
        return f"{entry.event}: {json.dumps(facts, ensure_ascii=False)}"
    return str(kind.sentence).format_map(_Facts(kind.shown(_Facts(facts))))


class _Facts(dict[str, Any]):
    """Facts of an older version of an event may lack a field that today's sentence names."""

    def __missing__(self, key: str) -> str:
        return "…"
