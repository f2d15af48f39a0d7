"""What an event is, and the closed list of those that the trail may record."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django.utils.functional import Promise


@dataclass(frozen=True, kw_only=True)
class TrailEvent:
    """One kind of entry. Fields are the facts (JSON values only, never a secret); `sentence` is filled with them."""

    name: ClassVar[str]
    sentence: ClassVar[str | Promise]

    def facts(self) -> dict[str, Any]:
        """The event's fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Recorded facts as the sentence shows them in the active language. A field may be missing in an older entry."""
        return facts


_registry: dict[str, type[TrailEvent]] = {}


def register(*kinds: type[TrailEvent]) -> None:
    """Take event classes into the closed list (done once, when an app is ready). Raises ValueError for a taken name."""
    for kind in kinds:
        if _registry.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"two trail events are named {kind.name}")


def kind_named(name: str) -> type[TrailEvent] | None:
    """The event class of that name, or None for a name that this version no longer writes."""
    return _registry.get(name)


def all_kinds() -> list[type[TrailEvent]]:
    """The closed list, by name."""
    return [_registry[name] for name in sorted(_registry)]


def is_registered(kind: type[TrailEvent]) -> bool:
    """Whether the trail may record this kind."""
    return _registry.get(kind.name) is kind
