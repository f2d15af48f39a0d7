"""People: added with a first role, given more, sent a link to set a password; nobody's password is ever seen here."""

from typing import Any

from django.contrib.admin import register
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of, company_of
from hq.admin.base import HqAdmin, Rows
from hq.admin.role_forms import AddPersonForm, RoleForm
from hq.admin.showing import listed, page_of
from hq.admin.sign_in_link import sign_in_link
from hq.admin.verb_page import ReasonForm, VerbForm, VerbPage, shown_once, verb_page
from hq.events import SignInLinkMade
from stores import audit, people, pins
from stores.actors import Actor
from stores.models import Company, Membership, Role, Store, TillPin, User


class RoleRows(Rows):
    """Every role the person holds or held."""

    model = Membership
    fields = readonly_fields = ("role", "store", "company", "since", "ended_at")
    show_change_link = True
    hide_title = False
    verbose_name_plural = _("roles")


def join(user: User, company: Company, *, store: Store | None, role: str, by: Actor) -> Membership:
    """The one of the two verbs that fits the place."""
    if store is not None:
        return people.join_store(user, store, role=Role(role), by=by)
    return people.join_headquarters(user, company, role=Role(role), by=by)


@register(User, site=site)
class PersonAdmin(HqAdmin):
    """Everybody who holds or held a role in the company."""

    company_path = "memberships__company"
    list_display = ("username", "name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "memberships__role")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    fields = readonly_fields = (
        *("sign_in_name", "first_name", "last_name", "email", "can_sign_in", "last_login", "pin", "date_joined", "public_id"),
    )
    inlines = (RoleRows,)
    actions_list = ("add_person",)
    actions_detail = ("give_role", "make_link", "end_pin")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        here = Membership.objects.filter(user=OuterRef("pk"), company=company_of(request))
        return User.objects.filter(Exists(here)).prefetch_related("memberships__store")

    @display(description=_("name"), ordering="last_name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @display(description=_("sign-in name"))
    def sign_in_name(self, user: User) -> str:
        return user.username

    @display(description=_("can sign in"), boolean=True)
    def can_sign_in(self, user: User) -> bool:
        return user.is_active

    @display(description=_("PIN for tills"))
    def pin(self, user: User) -> str | Promise:
        row = TillPin.objects.filter(user=user).first()
        if row is None:
            return _("none")
        if row.wrong >= pins.ENDS_AFTER:
            return _("ended")
        return gettext("chosen %(when)s") % {"when": date_format(localtime(row.chosen_at), "SHORT_DATETIME_FORMAT")}

    @display(description=_("roles"))
    def roles(self, user: User) -> Any:
        return listed(
            f"{held.get_role_display()} · {held.store.code if held.store else _('HQ')}"
            for held in user.memberships.all()
            if held.ended_at is None
        )

    @action(description=_("Add a person"), permissions=["manage_people"], icon="add", variant=ActionVariant.PRIMARY)
    def add_person(self, request: HttpRequest) -> HttpResponse:
        def act(form: AddPersonForm) -> HttpResponse:
            data = form.cleaned_data
            with transaction.atomic():
                user = User.objects.create_user(
                    username=data["username"],
                    email=data["email"],
                    first_name=data["first_name"],
                    last_name=data["last_name"],
                )
                join(user, company_of(request), store=data["store"], role=data["role"], by=actor_of(request))
            return self._show_link(request, user)

        page = VerbPage(
            title=_("Add a person"),
            explanation=_("You will get a link with which the person sets a password; hand it over in person."),
            button=_("Add the person"),
            back=reverse("admin:stores_user_changelist"),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=lambda data: AddPersonForm(data, company=company_of(request)), act=act)

    @action(description=_("Give a role"), permissions=["manage_people"], icon="badge", variant=ActionVariant.PRIMARY)
    def give_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row(request, object_id)

        def act(form: RoleForm) -> Any:
            held = join(user, company_of(request), **form.cleaned_data, by=actor_of(request))
            return _("%(person)s is %(role)s now.") % {"person": user, "role": held.get_role_display()}

        page = VerbPage(
            title=_("Give %(person)s a role") % {"person": user},
            explanation=_("It holds from the very next page she opens."),
            button=_("Give the role"),
            back=page_of(user),
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=lambda data: RoleForm(data, company=company_of(request)), act=act)

    @action(description=_("Make a sign-in link"), permissions=["manage_people"], icon="link")
    def make_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row(request, object_id)

        def act(form: VerbForm) -> HttpResponse:
            with transaction.atomic():
                audit.record(
                    SignInLinkMade(person=str(user)),
                    by=actor_of(request),
                    company=company_of(request),
                    store=None,
                    about=audit.Subject(type="person", id=str(user.public_id)),
                )
            return self._show_link(request, user)

        page = VerbPage(
            title=_("Make a sign-in link for %(person)s") % {"person": user},
            explanation=_("With it the person sets a new password. Her second factor stays as it is."),
            button=_("Make the link"),
            back=page_of(user),
            is_dangerous=True,
            needs_fresh_proof=True,
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    def has_end_pin_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        user = self.get_object(request, object_id) if object_id else None
        return self.has_manage_people_permission(request) and user is not None and pins.may_prove(user)

    @action(description=_("End the PIN"), permissions=["end_pin"], icon="pin")
    def end_pin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            pins.end(user, company=company_of(request), reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("The PIN of %(person)s counts no more.") % {"person": user}

        page = VerbPage(
            title=_("End the PIN of %(person)s") % {"person": user},
            explanation=_("For a PIN that somebody else has seen. The person signs in with the password and chooses another."),
            button=_("End the PIN"),
            back=page_of(user),
            is_dangerous=True,
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)

    def _show_link(self, request: HttpRequest, user: User) -> HttpResponse:
        return shown_once(
            self,
            request,
            title=_("A sign-in link for %(person)s") % {"person": user},
            explanation=_("It works once. Give it to the person herself, not to somebody who passes it on."),
            label=_("Link"),
            secret=sign_in_link(request, user),
            back=page_of(user),
        )
