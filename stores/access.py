"""Who may see or do what; the only way to get a store or an order for an asker."""

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import assert_never
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from stores.actors import Actor, ActorKind
from stores.errors import Forbidden, NotFound
from stores.models import HQ_ROLES, STORE_ROLES, Company, Membership, Order, Role, Scope, Store, StoreSystem, User

Asker = User | StoreSystem


class Right(Enum):
    """What one may be allowed to do."""

    SEARCH_ORDERS = auto()
    REQUEST_REFUND = auto()
    APPROVE_REFUND = auto()
    SETTLE_REVIEW = auto()
    SEE_STORE_REFUNDS = auto()
    SEE_HQ = auto()
    MANAGE_STORES = auto()
    MANAGE_KEYS = auto()
    MANAGE_PEOPLE = auto()
    SEE_TRAIL = auto()
    PAUSE_REFUNDS = auto()
    RECONCILE = auto()
    SET_POLICY = auto()


_CASHIER = frozenset({Right.SEARCH_ORDERS, Right.REQUEST_REFUND, Right.SEE_STORE_REFUNDS})

RIGHTS_OF_ROLE: dict[Role, frozenset[Right]] = {
    Role.CASHIER: _CASHIER,
    Role.MANAGER: _CASHIER | {Right.APPROVE_REFUND},
    Role.OPERATOR: frozenset(
        {
            *(Right.SEE_HQ, Right.MANAGE_STORES, Right.SEARCH_ORDERS, Right.PAUSE_REFUNDS, Right.RECONCILE),
            Right.SET_POLICY,
        }
    ),
    Role.APPROVER: frozenset(
        {
            *(Right.SEE_HQ, Right.APPROVE_REFUND, Right.SETTLE_REVIEW, Right.SEARCH_ORDERS, Right.PAUSE_REFUNDS),
            Right.SET_POLICY,
        }
    ),
    Role.FINANCE: frozenset(
        {Right.SEE_HQ, Right.SETTLE_REVIEW, Right.PAUSE_REFUNDS, Right.RECONCILE, Right.SET_POLICY}
    ),
    Role.SECURITY: frozenset({Right.SEE_HQ, Right.MANAGE_KEYS, Right.MANAGE_PEOPLE, Right.SEE_TRAIL, Right.PAUSE_REFUNDS}),
    Role.AUDITOR: frozenset({Right.SEE_HQ, Right.SEE_TRAIL, Right.SEARCH_ORDERS}),
}

RIGHTS_OF_SCOPE: dict[Scope, frozenset[Right]] = {
    Scope.ORDERS_READ: frozenset({Right.SEARCH_ORDERS}),
    Scope.ORDERS_WRITE: frozenset(),
    Scope.REFUNDS_READ: frozenset({Right.SEE_STORE_REFUNDS}),
    # Asking for a refund of an order means finding that order, wherever in the chain it was sold.
    Scope.REFUNDS_WRITE: frozenset({Right.REQUEST_REFUND, Right.SEARCH_ORDERS}),
}


def memberships_of(user: User) -> QuerySet[Membership]:
    """Her roles that count today: not ended, her account active, the store open."""
    if not user.is_active:
        return Membership.objects.none()
    return Membership.objects.filter(user=user, ended_at=None).filter(
        Q(store=None, role__in=HQ_ROLES) | Q(store__closed_at=None, role__in=STORE_ROLES)
    )


def stores_of(user: User) -> QuerySet[Store]:
    """The open stores where she is cashier or manager."""
    mine = memberships_of(user).filter(role__in=STORE_ROLES)
    return Store.objects.filter(pk__in=mine.values("store")).order_by("name")


def company_of(asker: Asker) -> Company:
    """The chain that the asker belongs to. Raises Forbidden for somebody without any role."""
    if isinstance(asker, StoreSystem):
        return asker.store.company
    membership = memberships_of(asker).select_related("company").order_by("company_id").first()
    if membership is None:
        raise Forbidden(_("You have no role in any store or at headquarters."))
    return membership.company


def hq_roles_of(user: User) -> frozenset[Role]:
    """Her roles at headquarters."""
    held = memberships_of(user).filter(store=None).values_list("role", flat=True)
    return frozenset(Role(role) for role in held)


def store_role_of(user: User, store: Store) -> Role | None:
    """What she is in that store today: cashier, manager, or nothing."""
    held = memberships_of(user).filter(store=store, role__in=STORE_ROLES).values_list("role", flat=True).first()
    return Role(held) if held else None


def roles_with(user: User, right: Right, *, stores: Iterable[Store]) -> frozenset[Role]:
    """Her roles that give her the right in any of those stores; one at headquarters counts in every store of its chain."""
    places = list(stores)
    held = memberships_of(user).filter(role__in=_roles_with(right))
    held = held.filter(Q(store__in=places) | Q(store=None, company__in={store.company_id for store in places}))
    return frozenset(Role(role) for role in held.values_list("role", flat=True))


def role_in_outer_store(user: User) -> Subquery:
    """Her role in the store that an outer query is about."""
    mine = memberships_of(user).filter(store=OuterRef("pk"), role__in=STORE_ROLES)
    return Subquery(mine.values("role")[:1])


def may(asker: Asker, right: Right, *, store: Store | None = None) -> bool:
    """Whether the asker has the right: in `store` if one is given (a role at headquarters counts in every store of
    its chain), else anywhere."""
    if isinstance(asker, StoreSystem):
        return right in _rights_of_system(asker) and (store is None or store.pk == asker.store_id)
    if isinstance(asker, User):
        held = memberships_of(asker).filter(role__in=_roles_with(right))
        if store is not None:
            held = held.filter(Q(store=store) | Q(store=None, company=store.company_id))
        return held.exists()
    assert_never(asker)


def require(asker: Asker, right: Right, *, store: Store | None = None) -> None:
    """Raises Forbidden unless `may` says yes."""
    if not may(asker, right, store=store):
        raise Forbidden(_("You do not have the right to do this."))


def store_for(asker: Asker, public_id: UUID) -> Store:
    """A store the asker works in or oversees. Raises NotFound, whether it is absent or somebody else's."""
    if isinstance(asker, StoreSystem):
        allowed = Store.objects.filter(pk=asker.store_id) if _rights_of_system(asker) else Store.objects.none()
    else:
        overseen = memberships_of(asker).filter(role__in=_roles_with(Right.SEE_HQ)).values("company")
        allowed = Store.objects.filter(Q(pk__in=stores_of(asker).order_by().values("pk")) | Q(company__in=overseen))
    store = allowed.select_related("company").filter(public_id=public_id).first()
    if store is None:
        raise NotFound(_("There is no such store."))
    return store


def visible_orders(asker: Asker) -> QuerySet[Order]:
    """Every order of the asker's chain, whichever store sold it; none without the right to search."""
    companies: set[int]
    if isinstance(asker, StoreSystem):
        companies = {asker.store.company_id} if may(asker, Right.SEARCH_ORDERS) else set()
    else:
        held = memberships_of(asker).filter(role__in=_roles_with(Right.SEARCH_ORDERS))
        companies = set(held.values_list("company_id", flat=True))
    if not companies:
        return Order.objects.none()
    return Order.objects.filter(store__company_id__in=sorted(companies))


def order_for(
    asker: Asker, public_id: UUID, *, reading: Callable[[QuerySet[Order]], QuerySet[Order]] | None = None
) -> Order:
    """An order the asker may see, with its store, sales unit and key set. Raises NotFound, absent or forbidden.

    One statement; `reading` may add to what it reads.
    """
    orders = _orders_of_her_chains(asker).select_related("sales_unit__key_set", "store__company").filter(public_id=public_id)
    order = (reading(orders) if reading else orders).first()
    if order is None:
        raise NotFound(_("There is no such order."))
    return order


def _orders_of_her_chains(asker: Asker) -> QuerySet[Order]:
    """As `visible_orders`; who may see is part of the statement, which suits the look at one order and no search."""
    if isinstance(asker, StoreSystem):
        return visible_orders(asker)
    held = memberships_of(asker).filter(role__in=_roles_with(Right.SEARCH_ORDERS))
    return Order.objects.filter(store__company__in=held.values("company"))


def actor_for(
    asker: Asker, *, store: Store | None = None, cashier: str = "", address: str = "", request_id: str = ""
) -> Actor:
    """The asker as the trail names it; a store system always acts in its own store."""
    is_system = isinstance(asker, StoreSystem)
    place = asker.store_id if isinstance(asker, StoreSystem) else (store.pk if store else None)
    return Actor(
        kind=ActorKind.STORE_SYSTEM if is_system else ActorKind.PERSON,
        id=str(asker.pk),
        name=str(asker),
        store_id=place,
        cashier=cashier,
        address=address,
        request_id=request_id,
    )


def _roles_with(right: Right) -> list[Role]:
    return [role for role, rights in RIGHTS_OF_ROLE.items() if right in rights]


def _rights_of_system(system: StoreSystem) -> frozenset[Right]:
    if not system.is_active or not system.store.is_open:
        return frozenset()
    return frozenset().union(*(RIGHTS_OF_SCOPE[Scope(scope)] for scope in system.scopes))
