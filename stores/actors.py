"""Who asks: a person, a store system, or the hub itself; never nobody."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of asker stands behind a change."""

    PERSON = "person"
    STORE_SYSTEM = "store_system"
    HUB = "hub"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The asker as the trail names it.

    `id` is the User's or StoreSystem's primary key ("" for the hub), `name` what a reader sees, `store_id` the store the
    asker acts in (None at headquarters), `cashier` the till's own name for its cashier, `address` the caller's address
    as the trusted proxy saw it, `request_id` ties the entries of one request together.
    """

    kind: ActorKind
    id: str = ""
    name: str
    store_id: int | None = None
    cashier: str = ""
    address: str = ""
    request_id: str = ""


def hub(name: str) -> Actor:
    """The hub acting by itself, by the name of the part that acts ("worker", "sweep", "demo")."""
    return Actor(kind=ActorKind.HUB, name=name)
