"""People join, change and leave; each is told, nobody does it to herself, and a role counts in its own place."""

import pytest
from pytest_django import Settings

from stores import access, people, registry
from stores.audit import sentence_of
from stores.errors import Conflict, Forbidden, HubError, Invalid
from stores.models import Entry, Membership, Role, User
from stores.vault import CannotUnseal
from tests.stores.conftest import Ground, person


@pytest.fixture
def kari(ground: Ground) -> User:
    return person("kari")


def told() -> tuple[str, str]:
    entry = Entry.objects.latest("id")
    return str(entry.chain), sentence_of(entry)


def test_joining_a_store_is_told_in_its_chain(ground: Ground, kari: User) -> None:
    membership = people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    assert (membership.company, membership.store, membership.ended_at) == (ground.company, ground.oslo, None)
    assert told() == ("OSL", "Kari got the role cashier in OSL.")
    assert not User.objects.get(pk=kari.pk).is_staff


def test_joining_headquarters_lets_into_the_admin_until_the_last_role_ends(ground: Ground, kari: User) -> None:
    first = people.join_headquarters(kari, ground.company, role=Role.FINANCE, by=ground.by)
    second = people.join_headquarters(kari, ground.company, role=Role.AUDITOR, by=ground.by)
    assert told() == ("HQ", "Kari got the role auditor in HQ.")
    assert User.objects.get(pk=kari.pk).is_staff
    people.leave_store(first, reason="moved on", by=ground.by)
    assert User.objects.get(pk=kari.pk).is_staff
    people.leave_store(second, reason="moved on", by=ground.by)
    assert not User.objects.get(pk=kari.pk).is_staff
    assert not User.objects.get(pk=kari.pk).is_superuser


def test_a_changed_role_ends_one_and_begins_another(ground: Ground, kari: User) -> None:
    before = people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    after = people.change_role(before, role=Role.MANAGER, by=ground.by)
    before.refresh_from_db()
    assert before.ended_at is not None
    assert (after.role, after.store, after.ended_at) == ("manager", ground.oslo, None)
    assert told() == ("OSL", "Kari changed from cashier to manager in OSL.")


def test_leaving_ends_the_role_and_gives_a_reason(ground: Ground, kari: User) -> None:
    membership = people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    ended = people.leave_store(membership, reason="new job", by=ground.by)
    assert ended.ended_at is not None
    assert told() == ("OSL", "Kari left OSL (was cashier): new job")
    people.join_store(kari, ground.oslo, role=Role.MANAGER, by=ground.by)
    assert Membership.objects.filter(user=kari).count() == 2


def refused_by(error: type[HubError], attempt: object, code: str = "") -> None:
    entries, roles = Entry.objects.count(), list(Membership.objects.values_list())
    assert callable(attempt)
    with pytest.raises(error) as refused:
        attempt()
    assert refused.value.code == code or not code
    assert (Entry.objects.count(), list(Membership.objects.values_list())) == (entries, roles)


def test_roles_belong_to_their_places(ground: Ground, kari: User) -> None:
    refused_by(Invalid, lambda: people.join_store(kari, ground.oslo, role=Role.AUDITOR, by=ground.by))
    refused_by(Invalid, lambda: people.join_headquarters(kari, ground.company, role=Role.MANAGER, by=ground.by))
    membership = people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    refused_by(Invalid, lambda: people.change_role(membership, role=Role.OPERATOR, by=ground.by))
    refused_by(Invalid, lambda: people.leave_store(membership, reason=" ", by=ground.by))


def test_a_role_is_given_once_and_ended_once(ground: Ground, kari: User) -> None:
    store_role = people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by)
    finance = people.join_headquarters(kari, ground.company, role=Role.FINANCE, by=ground.by)
    people.join_headquarters(kari, ground.company, role=Role.AUDITOR, by=ground.by)
    refused_by(Conflict, lambda: people.join_store(kari, ground.oslo, role=Role.MANAGER, by=ground.by), "has_role")
    refused_by(Conflict, lambda: people.join_headquarters(kari, ground.company, role=Role.FINANCE, by=ground.by), "has_role")
    refused_by(Conflict, lambda: people.change_role(finance, role=Role.AUDITOR, by=ground.by), "has_role")
    refused_by(Conflict, lambda: people.change_role(finance, role=Role.FINANCE, by=ground.by), "has_role")
    people.leave_store(store_role, reason="x", by=ground.by)
    refused_by(Conflict, lambda: people.leave_store(store_role, reason="x", by=ground.by), "role_ended")
    refused_by(Conflict, lambda: people.change_role(store_role, role=Role.MANAGER, by=ground.by), "role_ended")


def test_nobody_gives_herself_a_role(ground: Ground, kari: User) -> None:
    membership = people.join_headquarters(kari, ground.company, role=Role.SECURITY, by=ground.by)
    herself = access.actor_for(kari)
    refused_by(Forbidden, lambda: people.join_store(kari, ground.oslo, role=Role.MANAGER, by=herself), "own_role")
    refused_by(
        Forbidden,
        lambda: people.join_headquarters(kari, ground.company, role=Role.APPROVER, by=herself),
        "own_role",
    )
    refused_by(Forbidden, lambda: people.change_role(membership, role=Role.APPROVER, by=herself), "own_role")


def test_nobody_joins_a_closed_store(ground: Ground, kari: User) -> None:
    registry.close_store(ground.oslo, reason="moved", by=ground.by)
    refused_by(Conflict, lambda: people.join_store(kari, ground.oslo, role=Role.CASHIER, by=ground.by), "store_closed")


def test_sign_in_secrets_need_only_the_webs_key(settings: Settings) -> None:
    settings.VAULT_PRIVATE_KEYS = ""
    sealed = people.seal_sign_in("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert people.unseal_sign_in(sealed) == "JBSWY3DPEHPK3PXP"
    assert people.unseal_sign_in(people.seal_sign_in(b"seed")) == "seed"
    with pytest.raises(CannotUnseal):
        people.unseal_sign_in("JBSWY3DPEHPK3PXP")
