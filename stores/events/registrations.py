"""Registrations for webhooks at Vipps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent

_ENDS_OF_REGISTRATIONS = (
    gettext_noop("it had ended here"),
    gettext_noop("a newer one has taken its place"),
    gettext_noop("nobody here holds its secret"),
    gettext_noop("Vipps no longer has it"),
    gettext_noop("the sales unit has no keys of its own any more, or was closed long ago"),
)


def _end_in_words(reason: str) -> str:
    """What the hub gives as the end of a registration; what a person wrote stays as it is."""
    return gettext(reason) if reason in _ENDS_OF_REGISTRATIONS else reason


@dataclass(frozen=True, kw_only=True)
class RegistrationOpened(TrailEvent):
    name = "webhook_registration.opened"
    sentence = _("An address for Vipps' notices was made for {subject} ({environment}): {registration}.")
    registration: str
    subject: str
    environment: str


@dataclass(frozen=True, kw_only=True)
class RegistrationConfirmed(TrailEvent):
    name = "webhook_registration.confirmed"
    sentence = _("Vipps' webhook {provider_id} for {subject} was entered, fingerprint of its secret {fingerprint}.")
    registration: str
    subject: str
    provider_id: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class RegistrationEnded(TrailEvent):
    name = "webhook_registration.ended"
    sentence = _("The address for Vipps' notices of {subject} was ended: {reason}")
    registration: str
    subject: str
    reason: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "reason": _end_in_words(facts["reason"])}


@dataclass(frozen=True, kw_only=True)
class RegistrationRenewalAsked(TrailEvent):
    name = "webhook_registration.renewal_asked"
    sentence = _("A new address for Vipps' notices of {subject} was asked for: {reason}")
    registration: str
    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RegistrationDeleted(TrailEvent):
    name = "webhook_registration.deleted"
    sentence = _("Vipps' webhook {provider_id} for {subject} was deleted at Vipps: {because}")
    subject: str
    provider_id: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": _end_in_words(facts["because"])}
