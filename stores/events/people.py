"""Who comes, goes and signs in."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


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
class SignInRefused(TrailEvent):
    name = "person.sign_in_refused"
    sentence = _("A sign-in as “{login}” was refused.")
    login: str
