"""Opening and closing stores, giving them sales units, and binding sales units to keys: set-ups A, B and C alike."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, credentials
from stores.actors import Actor
from stores.audit import Subject
from stores.credentials import VippsKeys
from stores.errors import Conflict, Invalid
from stores.events import KeysBound, ReferenceTemplateSet, SalesUnitAdded, SellingEnded, StoreClosed, StoreOpened
from stores.models import Company, KeySet, KeySetKind, SalesUnit, Store, StoreUnit
from stores.models.store import CURRENCY_OF_MARKET
from stores.reference_template import LONGEST, NotATemplate, parse_template

_REFUSALS = {
    "empty": _("Name the store or the year: else a part of a reference tells nothing."),
    "sign": _("“%(at)s” cannot stand in a reference."),
    "field": _("There is no field %(at)s."),
    "twice": _("%(at)s stands there twice."),
    "useless": _("Name the store or the year: else a part of a reference tells nothing."),
}


def open_store(
    company: Company, *, code: str, name: str, city: str, country: str, time_zone: str = "Europe/Oslo", by: Actor
) -> Store:
    """A new store of the chain. Raises Invalid, naming the field, also for a code that is taken."""
    store = Store(company=company, code=code, name=name, city=city, country=country, time_zone=time_zone)
    _check(store)
    with transaction.atomic():
        store.save()
        event = StoreOpened(code=store.code, store=store.name)
        audit.record(event, by=by, company=company, store=store, about=_about_store(store))
    return store


def add_sales_unit(
    store: Store,
    *,
    msn: str,
    name: str,
    market: str,
    environment: str,
    prefix: str = "",
    channel: str,
    valid_from: datetime,
    by: Actor,
) -> SalesUnit:
    """A sales unit of Vipps MobilePay that `store` sells through. Its currency follows from its market."""
    if market not in CURRENCY_OF_MARKET:
        raise Invalid(_("Choose one of the markets."), field="market")
    unit = SalesUnit(
        company=store.company,
        msn=msn,
        name=name,
        market=market,
        currency=CURRENCY_OF_MARKET[market],
        environment=environment,
    )
    _check(unit)
    with transaction.atomic():
        unit.save()
        _link(store, unit, prefix=prefix, channel=channel, valid_from=valid_from, by=by)
    return unit


def share_sales_unit(
    store: Store, unit: SalesUnit, *, prefix: str, channel: str, valid_from: datetime, by: Actor
) -> StoreUnit:
    """Let one more store sell through `unit`, told apart by the prefix of its references (set-up C).

    Raises Invalid for a prefix that is the start of another store's on the unit, or the other way round: a reference
    could then be either's.
    """
    if unit.company_id != store.company_id:
        raise Invalid(_("The sales unit belongs to another company."), field="sales_unit")
    with transaction.atomic():
        return _link(store, unit, prefix=prefix, channel=channel, valid_from=valid_from, by=by)


def stop_selling(link: StoreUnit, *, until: datetime, reason: str, by: Actor) -> StoreUnit:
    """The store sells through the unit no longer: it changed its MSN, or the unit is another store's now.

    What was paid before `until` stays the store's, and is refunded through the unit that took it. Raises Invalid for a
    missing reason or a time that is not after the beginning and not past, Conflict where it has ended.
    """
    words = " ".join(reason.split())
    if not words:
        raise Invalid(_("Say why it ends."), field="reason")
    if not link.valid_from < until <= clock.db_now():
        raise Invalid(_("It ends after it began, and not in the future."), field="until")
    with transaction.atomic():
        if not StoreUnit.objects.filter(pk=link.pk, valid_until=None).update(valid_until=until):
            raise Conflict(_("The store sells through this unit no longer."), code="selling_ended")
        link.refresh_from_db()
        event = SellingEnded(
            code=link.store.code, msn=link.sales_unit.msn, until=until.isoformat(timespec="minutes"), reason=words
        )
        audit.record(event, by=by, company=link.store.company, store=link.store, about=_about_unit(link.sales_unit))
    return link


def bind_own_keys(unit: SalesUnit, keys: VippsKeys, *, by: Actor) -> KeySet:
    """Enter the sales unit's own keys and bind it to them (set-up B, and C's shared unit); again for new keys."""
    with transaction.atomic():
        locked = SalesUnit.objects.select_for_update().select_related("company").get(pk=unit.pk)
        own = KeySet.objects.filter(
            environment=locked.environment, kind=KeySetKind.OWN, subject=locked.msn, company=locked.company
        ).first()
        if own is None:
            own = credentials.make_key_set(
                locked.company,
                kind=KeySetKind.OWN,
                name=locked.name,
                environment=locked.environment,
                subject=locked.msn,
                by=by,
                store=_store_of_chain(locked),
            )
        _bind(locked, own, by=by)
        credentials.enter_keys(own, keys, by=by)
    unit.refresh_from_db()
    return own


def bind_partner_keys(unit: SalesUnit, key_set: KeySet, *, by: Actor) -> SalesUnit:
    """Bind the sales unit to a partner's key set (set-up A). Raises Invalid where the two do not fit."""
    if key_set.kind != KeySetKind.PARTNER:
        raise Invalid(_("These are the own keys of another sales unit."), field="key_set")
    if (key_set.company_id, key_set.environment) != (unit.company_id, unit.environment):
        raise Invalid(_("The keys are of another environment or company than the sales unit."), field="key_set")
    with transaction.atomic():
        locked = SalesUnit.objects.select_for_update().select_related("company").get(pk=unit.pk)
        _bind(locked, key_set, by=by)
    unit.refresh_from_db()
    return unit


def close_store(store: Store, *, reason: str, by: Actor) -> Store:
    """End the store's rights and its selling at once; its orders stay refundable by the others."""
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why the store closes."), field="reason")
    with transaction.atomic():
        now = clock.db_now()
        if not Store.objects.filter(pk=store.pk, closed_at=None).update(closed_at=now):
            raise Conflict(_("The store is already closed."), code="store_closed")
        store.units.filter(valid_until=None, valid_from__lt=now).update(valid_until=now)
        store.refresh_from_db()
        event = StoreClosed(code=store.code, reason=reason)
        audit.record(event, by=by, company=store.company, store=store, about=_about_store(store))
    return store


def set_reference_template(company: Company, template: str, *, by: Actor) -> Company:
    """How the chain writes its references, such as "{store}-{yyyymmdd}-{number}"; "" where in no certain way.

    Raises Invalid (field "template"), also for a template that says neither store nor year.
    """
    template = template.strip()
    if len(template) > LONGEST:
        raise Invalid(_("At most %(most)s characters.") % {"most": LONGEST}, field="template")
    if template:
        try:
            parse_template(template)
        except NotATemplate as refusal:
            raise Invalid(_REFUSALS[refusal.reason] % {"at": refusal.at}, field="template") from None
    with transaction.atomic():
        locked = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        locked.reference_template = template
        locked.save(update_fields=["reference_template"])
        event = ReferenceTemplateSet(company=locked.name, template=template or "—")
        about = Subject(type="company", id=str(locked.pk))
        audit.record(event, by=by, company=locked, store=None, about=about)
    company.refresh_from_db()
    return company


def _link(store: Store, unit: SalesUnit, *, prefix: str, channel: str, valid_from: datetime, by: Actor) -> StoreUnit:
    if not store.is_open:
        raise Conflict(_("The store is closed."), code="store_closed")
    # The lock lets two stores that join at once see each other's prefix.
    SalesUnit.objects.select_for_update().get(pk=unit.pk)
    others = unit.store_units.filter(Q(valid_until=None) | Q(valid_until__gt=valid_from)).exclude(store=store)
    for other in others.values_list("prefix", flat=True):
        if _start_alike(prefix, other):
            raise Invalid(
                _("Another store on this sales unit has a prefix that one could take for this one."),
                code="prefix_taken",
                field="prefix",
            )
    store_unit = StoreUnit(store=store, sales_unit=unit, prefix=prefix, channel=channel, valid_from=valid_from)
    _check(store_unit)
    store_unit.save()
    event = SalesUnitAdded(
        msn=unit.msn,
        environment=unit.environment,
        currency=unit.currency,
        code=store.code,
        prefix=prefix,
        channel=channel,
    )
    audit.record(event, by=by, company=store.company, store=store, about=_about_unit(unit))
    return store_unit


def _start_alike(one: str, other: str) -> bool:
    # People type references in any case, so prefixes that differ in case alone are no distinction.
    one, other = one.upper(), other.upper()
    return one.startswith(other) or other.startswith(one)


def _bind(unit: SalesUnit, key_set: KeySet, *, by: Actor) -> None:
    if unit.key_set_id == key_set.pk:
        return
    unit.key_set = key_set
    unit.save(update_fields=["key_set"])
    event = KeysBound(msn=unit.msn, key_set=key_set.name, kind=key_set.kind)
    audit.record(event, by=by, company=unit.company, store=_store_of_chain(unit), about=_about_unit(unit))


def _store_of_chain(unit: SalesUnit) -> Store | None:
    stores = list(Store.objects.filter(units__sales_unit=unit).distinct()[:2])
    return stores[0] if len(stores) == 1 else None


def _check(row: Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field="" if field == "__all__" else field) from None


def _about_store(store: Store) -> Subject:
    return Subject(type="store", id=str(store.public_id))


def _about_unit(unit: SalesUnit) -> Subject:
    return Subject(type="sales_unit", id=str(unit.public_id))
