"""The demo's chain, built with the verbs that headquarters uses; what is there already stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hq.demo.cast import COMPANY, PARTNER, PASSWORD, PEOPLE, SELLERS, TIME_ZONES, Person, Place
from hq.demo.provider import Provider
from stores import clock, credentials, keys, particulars, people, registry
from stores.actors import Actor
from stores.models import (
    Channel,
    Company,
    Environment,
    KeySet,
    KeySetKind,
    Membership,
    SalesUnit,
    Scope,
    Store,
    StoreSystem,
    User,
)
from stores.models.store import CURRENCY_OF_MARKET

_OPEN_FOR = timedelta(days=800)
_TILL = "Till"


@dataclass(frozen=True, kw_only=True)
class Seller:
    """A store of the chain with what it sells through, and its till system."""

    place: Place
    store: Store
    unit: SalesUnit
    system: StoreSystem


def build_chain(places: Sequence[Place], *, provider: Provider, by: Actor) -> list[Seller]:
    """Stores, sales units, keys, tills and people. Can be stopped anywhere and started again."""
    company = Company.objects.filter(name=COMPANY).first() or Company.objects.create(name=COMPANY)
    opened_at = clock.db_now() - _OPEN_FOR
    sellers = [_seller(place, company, opened_at, by=by) for place in places]
    if any(seller.unit.key_set is None or not seller.unit.key_set.has_keys for seller in sellers):
        _give_keys(company, sellers, provider, by=by)
    for person in PEOPLE:
        _person(person, company, by=by)
    return sellers


def _seller(place: Place, company: Company, opened_at: datetime, *, by: Actor) -> Seller:
    store = Store.objects.filter(company=company, code=place.code).first() or _open(place, company, by=by)
    unit = _unit(place, store, opened_at, by=by)
    system = StoreSystem.objects.filter(store=store, name=_TILL).first()
    if system is None:
        system = keys.add_system(store, name=_TILL, scopes=list(Scope), by=by)
    return Seller(place=place, store=store, unit=unit, system=system)


def _open(place: Place, company: Company, *, by: Actor) -> Store:
    store = registry.open_store(
        company,
        code=place.code,
        name=f"{COMPANY} {place.city}",
        city=place.city,
        country=place.country,
        time_zone=TIME_ZONES[place.country],
        by=by,
    )
    name, number = SELLERS[place.country]
    return particulars.describe_store(store, address=place.address, legal_name=name, organisation_number=number, by=by)


def _unit(place: Place, store: Store, opened_at: datetime, *, by: Actor) -> SalesUnit:
    unit = SalesUnit.objects.select_related("key_set").filter(environment=Environment.SIMULATOR, msn=place.msn).first()
    if unit is None:
        return registry.add_sales_unit(
            store,
            msn=place.msn,
            name=f"{COMPANY} {place.country}" if place.prefix else store.name,
            market=place.country,
            environment=Environment.SIMULATOR,
            prefix=place.prefix,
            channel=Channel.IN_STORE,
            valid_from=opened_at,
            by=by,
        )
    if not unit.store_units.filter(store=store).exists():
        registry.share_sales_unit(store, unit, prefix=place.prefix, channel=Channel.IN_STORE, valid_from=opened_at, by=by)
    return unit


def _give_keys(company: Company, sellers: Sequence[Seller], provider: Provider, *, by: Actor) -> None:
    """Take the keys from the simulator's portal and enter them, as an administrator would from Vipps' portal."""
    units = {seller.unit.msn: seller for seller in sellers}
    partner_msns = sorted(msn for msn, seller in units.items() if seller.place.setup == "A")
    made = provider.add_merchants(
        [
            {"msn": msn, "currency": CURRENCY_OF_MARKET[seller.place.country], "name": seller.unit.name}
            for msn, seller in units.items()
        ],
        partner=PARTNER,
        partner_msns=partner_msns,
    )
    partner = _partner_set(company, by=by)
    if not partner.has_keys:
        credentials.enter_keys(partner, made[PARTNER], by=by)
    for msn, seller in units.items():
        seller.unit.refresh_from_db()
        if msn in partner_msns:
            registry.bind_partner_keys(seller.unit, partner, by=by)
        elif seller.unit.key_set is None or not seller.unit.key_set.has_keys:
            registry.bind_own_keys(seller.unit, made[msn], by=by)


def _partner_set(company: Company, *, by: Actor) -> KeySet:
    kind = KeySetKind.PARTNER
    return KeySet.objects.filter(
        environment=Environment.SIMULATOR, kind=kind, subject=PARTNER
    ).first() or credentials.make_key_set(
        company, kind=kind, name="Partner keys", environment=Environment.SIMULATOR, subject=PARTNER, by=by
    )


def _person(person: Person, company: Company, *, by: Actor) -> None:
    user = User.objects.filter(username=person.username).first()
    if user is None:
        user = User(username=person.username, first_name=person.first_name, last_name=person.last_name)
        user.set_password(PASSWORD)
        user.save()
    held = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    for role in person.roles:
        if role in held:
            continue  # also one that was ended since: the demo does not undo what somebody did in the admin
        if person.store:
            people.join_store(user, Store.objects.get(company=company, code=person.store), role=role, by=by)
        else:
            people.join_headquarters(user, company, role=role, by=by)
