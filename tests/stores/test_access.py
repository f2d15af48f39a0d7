"""Who may do what: the whole table of roles and rights, and that absent and forbidden look the same."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from stores import access, actors, keys, people, registry
from stores.access import Right
from stores.actors import ActorKind
from stores.errors import Forbidden, NotFound
from stores.models import HQ_ROLES, STORE_ROLES, Company, Order, Role, Scope, Store, StoreSystem, User
from tests.stores.conftest import Ground, person, store_in, unit_of

CASHIER = {Right.SEARCH_ORDERS, Right.REQUEST_REFUND, Right.SEE_STORE_REFUNDS}
TABLE = {
    Role.CASHIER: CASHIER,
    Role.MANAGER: CASHIER | {Right.APPROVE_REFUND},
    Role.OPERATOR: {Right.SEE_HQ, Right.MANAGE_STORES, Right.SEARCH_ORDERS, Right.PAUSE_REFUNDS, Right.RECONCILE}
    | {Right.SET_POLICY},
    Role.APPROVER: {Right.SEE_HQ, Right.APPROVE_REFUND, Right.SETTLE_REVIEW, Right.SEARCH_ORDERS, Right.PAUSE_REFUNDS}
    | {Right.SET_POLICY},
    Role.FINANCE: {Right.SEE_HQ, Right.SETTLE_REVIEW, Right.PAUSE_REFUNDS, Right.RECONCILE, Right.SET_POLICY},
    Role.SECURITY: {Right.SEE_HQ, Right.MANAGE_KEYS, Right.MANAGE_PEOPLE, Right.SEE_TRAIL, Right.PAUSE_REFUNDS},
    Role.AUDITOR: {Right.SEE_HQ, Right.SEE_TRAIL, Right.SEARCH_ORDERS},
}


def with_role(ground: Ground, role: Role, store: Store | None = None) -> User:
    user = person(role.value)
    if role in STORE_ROLES:
        people.join_store(user, store or ground.oslo, role=role, by=ground.by)
    else:
        people.join_headquarters(user, ground.company, role=role, by=ground.by)
    return user


def order_in(store: Store, reference: str = "order-1001") -> Order:
    return Order.objects.create(
        sales_unit=store.sales_units.get(),
        store=store,
        reference=reference,
        ref_key=reference.upper(),
        currency="NOK",
        claimed_minor=100,
        paid_at=datetime.now(UTC),
    )


def system_of(store: Store, *scopes: Scope) -> StoreSystem:
    return keys.add_system(store, name="Till", scopes=scopes or tuple(Scope), by=actors.hub("test"))


@pytest.mark.parametrize("role", Role)
def test_a_role_gives_exactly_its_rights(ground: Ground, role: Role) -> None:
    user = with_role(ground, role)
    assert {right for right in Right if access.may(user, right)} == TABLE[role]
    assert {right for right in Right if access.may(user, right, store=ground.oslo)} == TABLE[role]
    elsewhere = TABLE[role] if role in HQ_ROLES else set()
    assert {right for right in Right if access.may(user, right, store=ground.bergen)} == elsewhere
    stranger = store_in(Company.objects.create(name="Other"), "OTH", "Skien")
    assert not any(access.may(user, right, store=stranger) for right in Right)


@pytest.mark.parametrize("role", Role)
def test_require_refuses_what_may_refuses(ground: Ground, role: Role) -> None:
    user = with_role(ground, role)
    for right in Right:
        if right in TABLE[role]:
            access.require(user, right)
        else:
            with pytest.raises(Forbidden):
                access.require(user, right)


def rights_anywhere(user: User) -> set[Right]:
    return {right for right in Right if access.may(user, right)}


def test_being_superuser_or_staff_gives_nothing(ground: Ground) -> None:
    root = User.objects.create(username="root", is_superuser=True, is_staff=True)
    assert rights_anywhere(root) == set()
    assert not access.visible_orders(root).exists()
    with pytest.raises(Forbidden):
        access.company_of(root)


@pytest.mark.parametrize("role", Role)
def test_an_inactive_person_may_nothing(ground: Ground, role: Role) -> None:
    user = with_role(ground, role)
    user.is_active = False
    assert rights_anywhere(user) == set()
    assert access.hq_roles_of(user) == frozenset()
    assert not access.stores_of(user).exists()


@pytest.mark.parametrize("role", Role)
def test_an_ended_role_gives_nothing(ground: Ground, role: Role) -> None:
    user = with_role(ground, role)
    people.leave_store(user.memberships.get(), reason="left", by=ground.by)
    assert rights_anywhere(user) == set()


@pytest.mark.parametrize("role", STORE_ROLES)
def test_a_closed_stores_people_may_nothing(ground: Ground, role: Role) -> None:
    user = with_role(ground, role)
    registry.close_store(ground.oslo, reason="moved", by=ground.by)
    assert rights_anywhere(user) == set()
    assert not access.stores_of(user).exists()


def test_the_stores_of_a_person_are_where_she_works(ground: Ground) -> None:
    kari = with_role(ground, Role.CASHIER)
    people.join_store(kari, ground.bergen, role=Role.MANAGER, by=ground.by)
    assert list(access.stores_of(kari)) == [ground.bergen, ground.oslo]
    assert not access.stores_of(with_role(ground, Role.OPERATOR)).exists()
    assert access.may(kari, Right.APPROVE_REFUND, store=ground.bergen)
    assert not access.may(kari, Right.APPROVE_REFUND, store=ground.oslo)


def test_hq_roles_are_told_together(ground: Ground) -> None:
    hanne = with_role(ground, Role.APPROVER)
    people.join_headquarters(hanne, ground.company, role=Role.FINANCE, by=ground.by)
    people.join_store(hanne, ground.oslo, role=Role.CASHIER, by=ground.by)
    assert access.hq_roles_of(hanne) == {Role.APPROVER, Role.FINANCE}
    assert access.company_of(hanne) == ground.company


@pytest.mark.parametrize(
    ("scope", "rights"),
    [
        (Scope.ORDERS_READ, {Right.SEARCH_ORDERS}),
        (Scope.ORDERS_WRITE, set()),
        (Scope.REFUNDS_READ, {Right.SEE_STORE_REFUNDS}),
        (Scope.REFUNDS_WRITE, {Right.REQUEST_REFUND, Right.SEARCH_ORDERS}),
    ],
)
def test_a_scope_gives_exactly_its_rights_in_its_own_store(ground: Ground, scope: Scope, rights: set[Right]) -> None:
    system = system_of(ground.oslo, scope)
    assert {right for right in Right if access.may(system, right)} == rights
    assert {right for right in Right if access.may(system, right, store=ground.oslo)} == rights
    assert not any(access.may(system, right, store=ground.bergen) for right in Right)


def test_an_inactive_system_and_one_of_a_closed_store_may_nothing(ground: Ground) -> None:
    inactive, closed = system_of(ground.oslo), system_of(ground.bergen)
    inactive.is_active = False
    registry.close_store(ground.bergen, reason="moved", by=ground.by)
    closed.store.refresh_from_db()
    for system in (inactive, closed):
        assert not any(access.may(system, right) for right in Right)
        assert not access.visible_orders(system).exists()
        with pytest.raises(NotFound):
            access.store_for(system, system.store.public_id)


def test_an_oslo_cashier_sees_bergens_order_with_its_unit_and_keys(
    ground: Ground, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    order = order_in(ground.bergen)
    kari = with_role(ground, Role.CASHIER)
    found = access.order_for(kari, order.public_id)
    key_set = ground.bergen_unit.key_set
    with django_assert_num_queries(0):
        assert found.sales_unit.key_set == key_set
        assert found.store == ground.bergen
        assert found.store.company == ground.company
    assert list(access.visible_orders(system_of(ground.oslo, Scope.REFUNDS_WRITE))) == [order]


def refusal(asker: access.Asker, order: Order | None) -> tuple[str, int, str]:
    with pytest.raises(NotFound) as refused:
        access.order_for(asker, order.public_id if order else uuid4())
    return refused.value.code, refused.value.status, str(refused.value)


def test_absent_and_forbidden_orders_look_the_same(ground: Ground) -> None:
    other = store_in(Company.objects.create(name="Other"), "OTH", "Skien")
    unit_of(other, "200001")
    strange, own = order_in(other), order_in(ground.oslo)
    kari, per = with_role(ground, Role.CASHIER), person("per")
    finance, writer = with_role(ground, Role.FINANCE), system_of(ground.oslo, Scope.ORDERS_WRITE)
    answers = {
        refusal(kari, None),
        refusal(kari, strange),
        refusal(per, own),
        refusal(finance, own),
        refusal(writer, own),
        refusal(system_of(ground.oslo), strange),
    }
    assert answers == {("not_found", 404, "There is no such order.")}


def test_a_store_is_found_by_those_who_work_in_it_or_oversee_it(ground: Ground) -> None:
    kari, hanne, per = with_role(ground, Role.CASHIER), with_role(ground, Role.FINANCE), person("per")
    other = store_in(Company.objects.create(name="Other"), "OTH", "Skien")
    assert access.store_for(kari, ground.oslo.public_id) == ground.oslo
    assert access.store_for(hanne, ground.bergen.public_id) == ground.bergen
    assert access.store_for(system_of(ground.oslo), ground.oslo.public_id) == ground.oslo
    for asker, store in ((kari, ground.bergen), (per, ground.oslo), (hanne, other), (system_of(ground.oslo), ground.bergen)):
        with pytest.raises(NotFound):
            access.store_for(asker, store.public_id)


def test_the_asker_becomes_the_actor_of_the_trail(ground: Ground) -> None:
    kari, system = with_role(ground, Role.CASHIER), system_of(ground.oslo)
    person_acting = access.actor_for(kari, store=ground.oslo, address="192.0.2.1", request_id="r")
    assert (person_acting.kind, person_acting.id, person_acting.name) == (ActorKind.PERSON, str(kari.pk), "Cashier")
    assert (person_acting.store_id, person_acting.address, person_acting.request_id) == (ground.oslo.pk, "192.0.2.1", "r")
    till = access.actor_for(system, store=ground.bergen, cashier="12")
    assert (till.kind, till.id, till.name) == (ActorKind.STORE_SYSTEM, str(system.pk), "Till · OSL")
    assert (till.store_id, till.cashier) == (ground.oslo.pk, "12")
