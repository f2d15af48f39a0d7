"""The chain's limits: every version there was, drafts that wait for a second person, and the pages that change them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import register
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from hq.admin import second_factor
from hq.admin.admin_site import site
from hq.admin.asking import actor_of, asker_of, company_of
from hq.admin.base import HqAdmin
from hq.admin.filters import DraftFilter
from hq.admin.policy_forms import DraftPage, starting_from
from hq.admin.policy_words import reasons_in_words, reasons_table, table_of
from hq.admin.review_actions import ProposalNoteForm
from hq.admin.showing import NOTHING, moment, page_of
from hq.admin.verb_page import Text, VerbForm, VerbPage, verb_page
from refunds import policies, rulebooks
from refunds.models import PolicyVersion, Verdict
from refunds.policies import Content
from stores import clock
from stores.access import Right
from stores.errors import HubError

STANDINGS: dict[str, tuple[str, Text]] = {
    "waits": ("warning", _("waits for a second person")),
    "in_force": ("success", _("in force")),
    "coming": ("info", _("to come")),
    "past": ("", _("was in force")),
    Verdict.REJECTED: ("danger", Verdict.REJECTED.label),
    Verdict.WITHDRAWN: ("", Verdict.WITHDRAWN.label),
}


class DigestForm(VerbForm):
    """Carries what was read, so that nothing else comes into force."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


@register(PolicyVersion, site=site)
class PolicyVersionAdmin(HqAdmin):
    """A version is drafted by one person and put into force by another; what was decided never changes."""

    list_display = ("version", "standing", "in_force_from", "note", "proposed_by", "decided_by", "decided_at")
    list_filter = (DraftFilter,)
    list_select_related = ("proposed_by", "decided_by")
    ordering = ("-number",)
    sortable_by = ()
    fields = readonly_fields = (
        *("standing", "in_force_from", "note", "proposed_by", "proposed_at", "decided_by", "decided_at"),
    )
    actions_list = ("draft",)
    actions_detail = ("reject", "withdraw", "change_draft", "put_into_force")
    change_form_outer_after_template = "admin/policy_content.html"

    def shown_beside(self, row: PolicyVersion) -> dict[str, Any]:
        book = rulebooks.content_of(row)
        return {"tables": [table_of(book, self._before(row)), reasons_table(book)]}

    def has_draft_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may(request, Right.SET_POLICY)

    def has_author_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may_act(request, object_id, is_author=True)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may_act(request, object_id, is_author=False)

    @display(description=_("version"), ordering="number")
    def version(self, version: PolicyVersion) -> str:
        return str(version)

    @display(description=_("stands"), label={key: colour for key, (colour, _words) in STANDINGS.items()})
    def standing(self, version: PolicyVersion) -> tuple[str, Text]:
        standing = _standing_of(version)
        return standing, STANDINGS[standing][1]

    @action(description=_("Draft a new version"), permissions=["draft"], icon="edit_document", variant=ActionVariant.PRIMARY)
    def draft(self, request: HttpRequest) -> HttpResponse:
        company, now = company_of(request), clock.db_now()
        start = starting_from(rulebooks.in_force(company.pk, now=now), now=now)

        def save(content: Content) -> PolicyVersion:
            return policies.draft(company, content, asker=asker_of(request), by=actor_of(request))

        return self._draft_page(request, start, save, title=_("Draft new limits"), back=_list())

    @action(description=_("Change the draft"), permissions=["author"], icon="edit")
    def change_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version: PolicyVersion = self.row(request, object_id)
        book = rulebooks.content_of(version)
        start = Content(note=version.note, in_force_from=version.in_force_from, rules=book.rules, reasons=book.reasons)

        def save(content: Content) -> PolicyVersion:
            return policies.change(version.pk, content, asker=asker_of(request), by=actor_of(request))

        title = _("Change the draft of %(policy)s") % {"policy": version}
        return self._draft_page(request, start, save, title=title, back=page_of(version))

    @action(description=_("Put into force"), permissions=["decide"], icon="check", variant=ActionVariant.SUCCESS)
    def put_into_force(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version: PolicyVersion = self.row(request, object_id)
        book = rulebooks.content_of(version)

        def act(form: DigestForm) -> Any:
            digest = form.cleaned_data["digest"]
            policies.put_into_force(version.pk, digest=digest, asker=asker_of(request), by=actor_of(request))
            return _("%(policy)s is decided. It holds from its date.") % {"policy": version}

        page = VerbPage(
            title=_("Put %(policy)s into force") % {"policy": version},
            explanation=_(
                "From its date every refund of the chain is judged by these limits, whatever door it comes in by. It cannot be "
                "changed afterwards; another version can take its place."
            ),
            button=_("Put it into force"),
            back=page_of(version),
            needs_fresh_proof=True,
            facts=[*_facts(version), (_("Reasons"), reasons_in_words(book, self._before(version)))],
            table=table_of(book, self._before(version)),
        )
        digest = policies.digest_of(version)
        return verb_page(
            self, request, page, form_of=lambda data: DigestForm(data, initial={"digest": digest}), act=act
        )

    @action(description=_("Reject the draft"), permissions=["decide"], icon="close", variant=ActionVariant.DANGER)
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version: PolicyVersion = self.row(request, object_id)

        def act(form: ProposalNoteForm) -> Any:
            note = form.cleaned_data["note"]
            policies.reject(version.pk, note=note, asker=asker_of(request), by=actor_of(request))
            return _("Rejected. The limits stay as they are.")

        page = VerbPage(
            title=_("Reject the draft of %(policy)s") % {"policy": version},
            explanation=_("The limits stay as they are, and a new draft can be written."),
            button=_("Reject the draft"),
            back=page_of(version),
            needs_fresh_proof=True,
            facts=_facts(version),
        )
        return verb_page(self, request, page, form_of=ProposalNoteForm, act=act)

    @action(description=_("Withdraw the draft"), permissions=["author"], icon="undo")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version: PolicyVersion = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            policies.withdraw(version.pk, asker=asker_of(request), by=actor_of(request))
            return _("Withdrawn. The limits stay as they are.")

        page = VerbPage(
            title=_("Withdraw your draft of %(policy)s") % {"policy": version},
            explanation=_("The limits stay as they are, and a new draft can be written."),
            button=_("Withdraw the draft"),
            back=page_of(version),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    def _draft_page(self, request: HttpRequest, start: Content, save: Any, *, title: Text, back: str) -> HttpResponse:
        if elsewhere := second_factor.ask_again(request):
            return elsewhere
        page = DraftPage(request.POST if request.method == "POST" else None, company=company_of(request), start=start)
        if request.method == "POST" and page.is_valid():
            try:
                version = save(page.content())
            except HubError as refusal:
                page.about.add_error(page.about.field_of(refusal), str(refusal.sentence))
            else:
                messages.success(request, str(_("Saved. Another person has to put it into force.")))
                return HttpResponseRedirect(page_of(version))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.model._meta,
            "page": page,
            "back": back,
            "media": page.about.media + page.rules.media + page.reasons.media,
        }
        is_wrong = request.method == "POST"
        return TemplateResponse(request, "admin/policy_draft.html", context, status=422 if is_wrong else 200)

    def _may_act(self, request: HttpRequest, object_id: str | None, *, is_author: bool) -> bool:
        """Whether the button is shown; the verb decides again."""
        if object_id is None or not self.may(request, Right.SET_POLICY):
            return object_id is None and self.may(request, Right.SET_POLICY)
        version = self.get_object(request, object_id)
        waits = isinstance(version, PolicyVersion) and version.verdict == ""
        return waits and (version.proposed_by_id == asker_of(request).pk) is is_author

    @staticmethod
    def _before(version: PolicyVersion) -> rulebooks.Rulebook | None:
        """What a draft is compared with: the rulebook that holds now."""
        return rulebooks.in_force(version.company_id, now=clock.db_now()) if version.verdict == "" else None


def _list() -> str:
    return reverse("admin:refunds_policyversion_changelist")


def _facts(version: PolicyVersion) -> list[tuple[Text, Text]]:
    return [
        (_("Drafted by"), f"{version.proposed_by} · {moment(version.proposed_at)}"),
        (_("Holds from"), moment(version.in_force_from)),
        (_("Because"), version.note or NOTHING),
    ]


def _standing_of(version: PolicyVersion) -> str:
    if version.verdict == "":
        return "waits"
    if version.verdict != Verdict.CONFIRMED:
        return str(version.verdict)
    now = clock.db_now()
    if version.in_force_from > now:
        return "coming"
    is_newest = rulebooks.in_force(version.company_id, now=now).version_id == version.pk
    return "in_force" if is_newest else "past"
