"""Addresses that Vipps sends notices to: made, confirmed with Vipps' id and secret, ended. Calling Vipps is not done here."""

import base64
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, signing
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Invalid
from stores.events import (
    RegistrationConfirmed,
    RegistrationDeleted,
    RegistrationEnded,
    RegistrationOpened,
    RegistrationRenewalAsked,
    TrailEvent,
)
from stores.models import Environment, KeySet, KeySetKind, RegistrationWatch, SalesUnit, WebhookRegistration

PAYMENT_EVENTS = tuple(
    f"epayments.payment.{what}.v1"
    for what in ("created", "aborted", "expired", "cancelled", "captured", "refunded", "authorized", "terminated")
)
"""Every event of a payment (Vipps: Webhooks API, events page)."""
PATH = "/hooks/vipps/"
_LONGEST_URL = 300


def open_registration(
    subject: SalesUnit | KeySet, *, base_url: str, events: Sequence[str] = PAYMENT_EVENTS, by: Actor
) -> WebhookRegistration:
    """Make an address for one sales unit, or for all of a partner's: `base_url` + "/hooks/vipps/<256 random bits>".

    The address is what Vipps is then given; what it answers goes to `confirm_registration`. Raises Invalid.
    """
    unit, key_set = (subject, None) if isinstance(subject, SalesUnit) else (None, subject)
    if key_set is not None and key_set.kind != KeySetKind.PARTNER:
        raise Invalid(_("Keys of one sales unit register for that unit: choose the sales unit."), field="subject")
    if not events or not set(events) <= set(PAYMENT_EVENTS):
        raise Invalid(_("Choose one or more of Vipps' payment events."), field="events")
    token = base64.urlsafe_b64encode(clock.random_bytes(32)).rstrip(b"=").decode()
    registration = WebhookRegistration(
        company=subject.company,
        environment=subject.environment,
        sales_unit=unit,
        key_set=key_set,
        token=token,
        url=f"{_checked(base_url, subject.environment)}{PATH}{token}",
        events=sorted(set(events)),
    )
    if len(registration.url) > _LONGEST_URL:
        raise Invalid(_("The address is too long."), field="base_url")
    with transaction.atomic():
        registration.save()
        event = RegistrationOpened(
            registration=str(registration), subject=registration.subject, environment=registration.environment
        )
        _record(event, registration, by=by)
    return registration


def confirm_registration(
    registration: WebhookRegistration, *, provider_id: str, secret: str, by: Actor
) -> WebhookRegistration:
    """Enter the id and the secret that Vipps gave for this address; the secret is sealed and never shown again.

    Raises Conflict for an address that was confirmed or ended before, or an id that stands elsewhere; Invalid.
    """
    provider_id = provider_id.strip()
    if not 1 <= len(provider_id) <= 64:
        raise Invalid(_("Vipps' id has 1 to 64 characters."), field="provider_id")
    if not 16 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable():
        raise Invalid(_("That does not look like a secret of Vipps."), field="secret")
    with transaction.atomic():
        found = WebhookRegistration.objects.select_for_update(of=("self",)).get(pk=registration.pk)
        if found.confirmed_at or found.ended_at:
            raise Conflict(_("This address was confirmed or ended before: make a new one."), code="already_confirmed")
        found.fingerprint = signing.keep_vipps_secret(found, secret)
        found.provider_id, found.confirmed_at = provider_id, clock.db_now()
        try:
            with transaction.atomic():
                found.save(update_fields=["provider_id", "confirmed_at", "fingerprint"])
        except IntegrityError:
            raise Conflict(_("Another address has this id of Vipps."), code="already_confirmed") from None
        event = RegistrationConfirmed(
            registration=str(found), subject=found.subject, provider_id=provider_id, fingerprint=found.fingerprint
        )
        _record(event, found, by=by)
    return found


def end_registration(registration: WebhookRegistration, *, reason: str, by: Actor) -> WebhookRegistration:
    """Stop using an address. It goes on answering, and its notices count for a week: Vipps may still be repeating some.

    A worker deletes it at Vipps when it looks next, which is soon.
    """
    with transaction.atomic():
        if not WebhookRegistration.objects.filter(pk=registration.pk, ended_at=None).update(ended_at=clock.sql_now()):
            raise Conflict(_("This address has ended before."), code="already_ended")
        registration.refresh_from_db()
        _have_looked_at_soon(registration)
        event = RegistrationEnded(registration=str(registration), subject=registration.subject, reason=reason)
        _record(event, registration, by=by)
    return registration


def ask_renewal(registration: WebhookRegistration, *, reason: str, by: Actor) -> WebhookRegistration:
    """Have a worker register a new address and, a while later, delete this one. Raises Conflict unless it is in use."""
    with transaction.atomic():
        in_use = WebhookRegistration.objects.filter(pk=registration.pk, ended_at=None, confirmed_at__isnull=False)
        if not in_use.update(renewal_asked_at=clock.sql_now()):
            raise Conflict(_("Only an address that is in use can be renewed."), code="not_in_use")
        registration.refresh_from_db()
        _have_looked_at_soon(registration)
        event = RegistrationRenewalAsked(registration=str(registration), subject=registration.subject, reason=reason)
        _record(event, registration, by=by)
    return registration


def note_missing(registration: WebhookRegistration, *, by: Actor) -> None:
    """Vipps no longer has it: whoever deleted it there, nothing comes to this address any more."""
    with transaction.atomic():
        row = WebhookRegistration.objects.filter(pk=registration.pk)
        row.update(gone_at=clock.sql_now())
        if row.filter(ended_at=None).update(ended_at=clock.sql_now()):
            reason = "Vipps no longer has it"
            event = RegistrationEnded(registration=str(registration), subject=registration.subject, reason=reason)
            _record(event, registration, by=by)


def note_deleted(
    subject: SalesUnit | KeySet, provider_id: str, *, registration: WebhookRegistration | None, because: str, by: Actor
) -> None:
    """We deleted this one at Vipps; `registration` is our row of it, if there is one."""
    with transaction.atomic():
        if registration is not None:
            row = WebhookRegistration.objects.filter(pk=registration.pk)
            row.update(gone_at=clock.sql_now(), ended_at=Coalesce("ended_at", clock.sql_now()))
        msn_or_partner = subject.msn if isinstance(subject, SalesUnit) else subject.subject
        event = RegistrationDeleted(subject=msn_or_partner, provider_id=provider_id, because=because)
        about = Subject(type="webhook_registration", id=str(registration.public_id) if registration else provider_id)
        audit.record(event, by=by, company=subject.company, store=None, about=about)


def is_at(base_url: str, url: str) -> bool:
    """Whether that is one of the addresses that a hub of this base gives to Vipps."""
    return url.startswith(f"{base_url}{PATH}")


def _have_looked_at_soon(registration: WebhookRegistration) -> None:
    watch = RegistrationWatch.objects.filter(sales_unit=registration.sales_unit, key_set=registration.key_set)
    watch.update(next_look_at=clock.sql_now())


def _checked(base_url: str, environment: str) -> str:
    """Vipps sends to https only and follows no redirect; the simulator, on this machine, to http too."""
    base = urlsplit(base_url.strip().rstrip("/"))
    is_safe = base.scheme == "https" or (
        base.scheme == "http" and environment == Environment.SIMULATOR and _is_this_machine(base.hostname or "")
    )
    if not is_safe or not base.hostname or base.username or base.query or base.fragment:
        raise Invalid(_("Give the hub's own public https address, like https://refunds.example."), field="base_url")
    return base.geturl()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _record(event: TrailEvent, registration: WebhookRegistration, *, by: Actor) -> None:
    about = Subject(type="webhook_registration", id=str(registration.public_id))
    audit.record(event, by=by, company=registration.company, store=None, about=about)
