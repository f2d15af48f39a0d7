"""Where store systems listen: added with a secret to verify by, switched off with a reason."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from refunds.events import EndpointAdded, EndpointEnded
from refunds.models import WebhookEndpoint
from refunds.outbound.addresses import checked_url
from stores import audit, clock, signing
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict, Forbidden
from stores.events import TrailEvent
from stores.models import Scope, StoreSystem
from stores.signing import NewSecret

MOST_PER_SYSTEM = 5


@dataclass(frozen=True, kw_only=True)
class AddedEndpoint:
    """A new address, and the system's secret if this is the first that it got: shown once."""

    endpoint: WebhookEndpoint
    secret: NewSecret | None


def add_endpoint(system: StoreSystem, *, url: str, by: Actor) -> AddedEndpoint:
    """Tell this address of the store's refunds from now on.

    Raises Invalid for an address that is not https or not public, Forbidden for a system that may not read refunds,
    Conflict for one that is there already, or too many.
    """
    address = checked_url(url)
    if Scope.REFUNDS_READ not in system.scopes or not system.is_active or not system.store.is_open:
        raise Forbidden(_("This store system may not read refunds."))
    with transaction.atomic():
        StoreSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
        if WebhookEndpoint.objects.filter(system=system, is_active=True).count() >= MOST_PER_SYSTEM:
            raise Conflict(_("The store system has as many addresses as it may have."), code="too_many_addresses")
        try:
            with transaction.atomic():
                endpoint = WebhookEndpoint.objects.create(system=system, url=address)
        except IntegrityError:
            raise Conflict(_("The store system listens there already."), code="already_there", field="url") from None
        secret = None if signing.has_secret(system) else signing.make_secret(system, by=by)
        _record(EndpointAdded(system=system.name, url=address), system, by=by)
    return AddedEndpoint(endpoint=endpoint, secret=secret)


def end_endpoint(endpoint: WebhookEndpoint, *, reason: str, by: Actor) -> WebhookEndpoint:
    """Tell this address nothing more, not even what still waits. Raises Conflict if it is switched off already."""
    with transaction.atomic():
        active = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True)
        if not active.update(is_active=False, ended_at=clock.sql_now()):
            raise Conflict(_("This address is switched off already."), code="already_off")
        endpoint.refresh_from_db()
        event = EndpointEnded(system=endpoint.system.name, url=endpoint.url, reason=reason)
        _record(event, endpoint.system, by=by)
    return endpoint


def _record(event: TrailEvent, system: StoreSystem, *, by: Actor) -> None:
    about = Subject(type="store_system", id=str(system.public_id))
    audit.record(event, by=by, company=system.store.company, store=system.store, about=about)
