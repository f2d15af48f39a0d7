"""Who comes, goes and signs in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


class PinUse(StrEnum):
    """What a PIN is given for."""

    GO_ON = "go_on"
    ALLOW = "allow"


_USES: dict[str, str | Promise] = {
    PinUse.GO_ON: _("to go on there"),
    PinUse.ALLOW: _("to allow a refund"),
}


@dataclass(frozen=True, kw_only=True)
class PersonJoined(TrailEvent):
    name = "person.joined"
    sentence = _("{person} got the role {role} in {place}.")
    person: str
    role: str
    place: str


@dataclass(frozen=True, kw_only=True)
class RoleChanged(TrailEvent):
    name = "person.role_changed"
    sentence = _("{person} changed from {before} to {after} in {place}.")
    person: str
    before: str
    after: str
    place: str


@dataclass(frozen=True, kw_only=True)
class PersonLeft(TrailEvent):
    name = "person.left"
    sentence = _("{person} left {place} (was {role}): {reason}")
    person: str
    role: str
    place: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SignedIn(TrailEvent):
    name = "person.signed_in"
    sentence = _("{person} signed in.")
    person: str


@dataclass(frozen=True, kw_only=True)
class PinChosen(TrailEvent):
    name = "person.pin_chosen"
    sentence = _("{person} chose a PIN for the till.")
    person: str


@dataclass(frozen=True, kw_only=True)
class PinEnded(TrailEvent):
    name = "person.pin_ended"
    sentence = _("The PIN of {person} was ended: {reason}")
    person: str
    reason: str


class _UsesPin(TrailEvent):
    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "use": _USES.get(facts.get("use", ""), "")}


@dataclass(frozen=True, kw_only=True)
class PinGiven(_UsesPin):
    name = "person.pin_given"
    sentence = _("{person} gave the PIN at a till {use}.")
    person: str
    use: str


@dataclass(frozen=True, kw_only=True)
class PinRefused(_UsesPin):
    name = "person.pin_refused"
    sentence = _("A wrong PIN was given for {person} at a till {use} ({wrong} in a row).")
    person: str
    use: str
    wrong: int


@dataclass(frozen=True, kw_only=True)
class SignInRefused(TrailEvent):
    name = "person.sign_in_refused"
    sentence = _("A sign-in as “{login}” was refused.")
    login: str
