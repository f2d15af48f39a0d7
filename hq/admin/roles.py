"""Roles that people hold: changed and ended by verbs, with a reason."""

from typing import Any

from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin.admin_site import site
from hq.admin.asking import actor_of
from hq.admin.base import HqAdmin
from hq.admin.filters import EndedFilter
from hq.admin.role_forms import ChangeRoleForm
from hq.admin.showing import page_of
from hq.admin.verb_page import ReasonForm, VerbPage, verb_page
from stores import people
from stores.models import Membership, Role


@register(Membership, site=site)
class RoleAdmin(HqAdmin):
    """Who may do what where, now and before."""

    list_display = ("user", "role", "place", "since", "ended_at")
    list_filter = (("ended_at", EndedFilter), ("role", ChoicesDropdownFilter), ("store", AutocompleteSelectFilter))
    list_select_related = ("user", "store", "company")
    search_fields = ("user__username", "user__first_name", "user__last_name", "store__code", "store__name")
    ordering = ("-since",)
    fields = readonly_fields = ("user", "role", "place", "since", "ended_at")
    actions_detail = ("change_role", "end_role")

    @display(description=_("place"), ordering="store__code")
    def place(self, held: Membership) -> Any:
        return held.store or _("Headquarters")

    @action(description=_("Change the role"), permissions=["manage_people"], icon="swap_horiz")
    def change_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        held: Membership = self.row(request, object_id)

        def act(form: ChangeRoleForm) -> Any:
            role = Role(form.cleaned_data["role"])
            people.change_role(held, role=role, by=actor_of(request))
            return _("%(person)s is %(role)s now.") % {"person": held.user, "role": role.label}

        page = VerbPage(
            title=_("Change the role of %(person)s") % {"person": held.user},
            explanation=_("It holds from the very next page she opens."),
            button=_("Change the role"),
            back=page_of(held.user),
            needs_fresh_proof=True,
            facts=[(_("Now"), str(held))],
        )
        return verb_page(self, request, page, form_of=lambda data: ChangeRoleForm(data, membership=held), act=act)

    @action(description=_("End this role"), permissions=["manage_people"], icon="logout", variant=ActionVariant.DANGER)
    def end_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        held: Membership = self.row(request, object_id)

        def act(form: ReasonForm) -> Any:
            people.leave_store(held, reason=form.cleaned_data["reason"], by=actor_of(request))
            return _("The role has ended.")

        page = VerbPage(
            title=_("End the role of %(person)s") % {"person": held.user},
            explanation=_("She loses it at once. What she did stays in the trail under her name."),
            button=_("End the role"),
            back=page_of(held.user),
            is_dangerous=True,
            needs_fresh_proof=True,
            facts=[(_("Now"), str(held))],
        )
        return verb_page(self, request, page, form_of=ReasonForm, act=act)
