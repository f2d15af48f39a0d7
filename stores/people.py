"""People's roles: joining, changing and leaving, each with an entry in the trail; and their sign-in secrets, sealed."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, vault
from stores.actors import Actor, ActorKind
from stores.audit import Subject
from stores.errors import Conflict, Forbidden, Invalid
from stores.events import PersonJoined, PersonLeft, RoleChanged, TrailEvent
from stores.models import HQ_ROLES, STORE_ROLES, Company, Membership, Store, User

_SIGN_IN = "sign-in"


def join_store(user: User, store: Store, *, role: str, by: Actor) -> Membership:
    """Give a person a role in a store. Raises Conflict where she has one there: change that."""
    if role not in STORE_ROLES:
        raise Invalid(_("In a store one is cashier or manager."), field="role")
    if not store.is_open:
        raise Conflict(_("The store is closed."), code="store_closed")
    _refuse_own(user, by)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Membership.objects.filter(user=user, store=store, ended_at=None).exists():
            raise Conflict(_("This person already has a role in the store."), code="has_role")
        membership = Membership.objects.create(user=user, company=store.company, store=store, role=role)
        _record(PersonJoined(person=str(user), role=role, place=store.code), membership, by=by)
    return membership


def join_headquarters(user: User, company: Company, *, role: str, by: Actor) -> Membership:
    """Give a person a role at headquarters, and with it the way into the admin."""
    if role not in HQ_ROLES:
        raise Invalid(_("This is no role at headquarters."), field="role")
    _refuse_own(user, by)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Membership.objects.filter(user=user, company=company, store=None, role=role, ended_at=None).exists():
            raise Conflict(_("This person already has the role."), code="has_role")
        membership = Membership.objects.create(user=user, company=company, store=None, role=role)
        _let_into_admin(user)
        _record(PersonJoined(person=str(user), role=role, place="HQ"), membership, by=by)
    return membership


def change_role(membership: Membership, *, role: str, by: Actor) -> Membership:
    """Another role in the same place: the old membership ends, a new one begins and is returned."""
    if role not in (HQ_ROLES if membership.store_id is None else STORE_ROLES):
        raise Invalid(_("This role does not belong there."), field="role")
    _refuse_own(membership.user, by)
    with transaction.atomic():
        before = _end(membership)
        held = Membership.objects.filter(
            user=before.user, company=before.company, store=before.store, role=role, ended_at=None
        )
        if role == before.role or held.exists():
            raise Conflict(_("This person already has the role."), code="has_role")
        after = Membership.objects.create(user=before.user, company=before.company, store=before.store, role=role)
        event = RoleChanged(person=str(before.user), before=before.role, after=role, place=_place(before))
        _record(event, after, by=by)
    return after


def leave_store(membership: Membership, *, reason: str, by: Actor) -> Membership:
    """End a role, in a store or at headquarters; it counts for nothing from the commit on."""
    reason = reason.strip()
    if not reason:
        raise Invalid(_("Say why the role ends."), field="reason")
    with transaction.atomic():
        ended = _end(membership)
        _let_into_admin(ended.user)
        event = PersonLeft(person=str(ended.user), role=ended.role, place=_place(ended), reason=reason)
        _record(event, ended, by=by)
    membership.refresh_from_db()
    return membership


def seal_sign_in(secret: bytes | str) -> str:
    """A second factor's seed or the like, sealed with the web's own key; opens nothing that reaches Vipps."""
    return vault.seal_for_web(secret.encode() if isinstance(secret, str) else secret, _SIGN_IN)


def unseal_sign_in(text: str) -> str:
    """What `seal_sign_in` sealed. Raises CannotUnseal."""
    return vault.unseal_for_web(text, _SIGN_IN).decode()



def choose_language(user: User, language: str) -> None:
    """Keep the language that she reads, wherever she signs in next."""
    User.objects.filter(pk=user.pk).update(language=language)


def _refuse_own(user: User, by: Actor) -> None:
    if by.kind is ActorKind.PERSON and by.id == str(user.pk):
        raise Forbidden(_("Nobody changes their own roles; ask a colleague."), code="own_role")


def _end(membership: Membership) -> Membership:
    current = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "company", "store")
        .filter(pk=membership.pk, ended_at=None)
        .first()
    )
    if current is None:
        raise Conflict(_("The role has already ended."), code="role_ended")
    current.ended_at = clock.db_now()
    current.save(update_fields=["ended_at"])
    return current


def _let_into_admin(user: User) -> None:
    has_role = Membership.objects.filter(user=user, store=None, ended_at=None).exists()
    User.objects.filter(pk=user.pk).update(is_staff=has_role)
    user.is_staff = has_role


def _place(membership: Membership) -> str:
    return membership.store.code if membership.store else "HQ"


def _record(event: TrailEvent, membership: Membership, *, by: Actor) -> None:
    about = Subject(type="person", id=str(membership.user.public_id))
    audit.record(event, by=by, company=membership.company, store=membership.store, about=about)
