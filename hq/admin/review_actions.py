"""The buttons of a refund in review: ask Vipps again, propose an end, and the second person's yes or no."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from hq.admin import review_log
from hq.admin.asking import actor_of, asker_of
from hq.admin.base import HqAdmin
from hq.admin.showing import page_of
from hq.admin.verb_page import Text, VerbForm, VerbPage, verb_page
from refunds import notes, review
from refunds.models import ENDINGS, Ending, Kind, Refund, ReviewProposal, State
from stores.access import Right

NOTHING_READ = _("Vipps has not been asked since the refund came into review, or not lately: go back and ask it first.")


class ProposalNoteForm(VerbForm):
    """What a person says beside her decision."""

    note = forms.CharField(
        label=_("Why"),
        max_length=notes.LONGEST_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=_("Whom you asked and what you found. It is written in the trail beside your name."),
    )


class ProposeForm(ProposalNoteForm):
    """How it ended; Vipps' log decides whether that can be."""

    ends_as = forms.ChoiceField(label=_("How did it end?"), widget=UnfoldAdminRadioSelectWidget())
    field_order = ("ends_as", "note")

    def __init__(self, data: Any = None, *, kind: Kind) -> None:
        super().__init__(data)
        field: Any = self.fields["ends_as"]
        field.choices = [(ending.value, _how(ending, kind)) for ending in ENDINGS[kind]]


def _how(ending: Ending, kind: str) -> Text:
    """How it ended, in the words of its kind."""
    return _("not released") if ending == Ending.DECLINED and kind == Kind.RELEASE else ending.label


class ReviewActions(HqAdmin):
    """For the refund's page; every verb decides again for itself."""

    def has_ask_vipps_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_review(request, object_id) is not None or self._is_asked_in_general(request, object_id)

    def has_propose_end_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        refund = self._in_review(request, object_id)
        if refund is None:
            return self._is_asked_in_general(request, object_id)
        return not self._is_involved(request, refund) and review_log.open_proposal(refund) is None

    def has_decide_end_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        refund = self._in_review(request, object_id)
        if refund is None:
            return self._is_asked_in_general(request, object_id)
        proposal = review_log.open_proposal(refund)
        is_other = proposal is not None and proposal.proposed_by_id != asker_of(request).pk
        return is_other and not self._is_involved(request, refund)

    def has_withdraw_end_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        refund = self._in_review(request, object_id)
        if refund is None:
            return self._is_asked_in_general(request, object_id)
        proposal = review_log.open_proposal(refund)
        return proposal is not None and proposal.proposed_by_id == asker_of(request).pk

    @action(description=_("Ask Vipps again"), permissions=["ask_vipps"], icon="visibility")
    def ask_vipps(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)

        def act(form: VerbForm) -> Any:
            review.look_again(refund.pk, asker=asker_of(request), by=actor_of(request))
            return _("A worker asks Vipps now. Load this page again in a few seconds.")

        page = VerbPage(
            title=_("Ask Vipps again about %(refund)s") % {"refund": refund},
            explanation=_(
                "The payment and its event log are read anew. If the log plainly shows this refund, it is refunded at once; "
                "else what it shows is kept for the two people who decide."
            ),
            button=_("Ask Vipps"),
            back=page_of(refund),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    @action(description=_("Propose an end"), permissions=["propose_end"], icon="gavel", variant=ActionVariant.PRIMARY)
    def propose_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)

        def act(form: ProposeForm) -> Any:
            asked = {"ends_as": form.cleaned_data["ends_as"], "note": form.cleaned_data["note"]}
            review.propose_end(refund.pk, **asked, asker=asker_of(request), by=actor_of(request))
            return _("Proposed. Another person has to confirm it.")

        page = self._page(
            refund,
            title=_("Propose how %(refund)s ended") % {"refund": refund},
            explanation=_("Nothing moves until another person confirms. Both names and the note stand in the trail."),
            button=_("Propose"),
        )
        kind = Kind(refund.kind)
        return verb_page(self, request, page, form_of=lambda data: ProposeForm(data, kind=kind), act=act)

    @action(description=_("Confirm the end"), permissions=["decide_end"], icon="check", variant=ActionVariant.SUCCESS)
    def confirm_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)
        proposal = self._proposal(refund)

        def act(form: VerbForm) -> Any:
            review.confirm_end(proposal.pk, asker=asker_of(request), by=actor_of(request))
            return _("%(refund)s has ended: %(how)s.") % {"refund": refund, "how": how}

        how = _how(Ending(proposal.ends_as), refund.kind)
        is_declined = proposal.ends_as == Ending.DECLINED
        page = self._page(
            refund,
            title=_("Confirm how %(refund)s ended") % {"refund": refund},
            explanation=_("It is free again: it can be asked for once more, and would then be done.")
            if is_declined
            else _("It counts as done, and the order can be used again."),
            button=_("Confirm: %(how)s") % {"how": how},
            proposal=proposal,
            is_dangerous=is_declined,
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    @action(description=_("Reject the proposal"), permissions=["decide_end"], icon="close", variant=ActionVariant.DANGER)
    def reject_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)
        proposal = self._proposal(refund)

        def act(form: ProposalNoteForm) -> Any:
            note = form.cleaned_data["note"]
            review.reject_proposal(proposal.pk, note=note, asker=asker_of(request), by=actor_of(request))
            return _("Rejected. The refund stays in review.")

        page = self._page(
            refund,
            title=_("Reject the proposal for %(refund)s") % {"refund": refund},
            explanation=_("The refund stays in review, and a new end can be proposed."),
            button=_("Reject the proposal"),
            proposal=proposal,
        )
        return verb_page(self, request, page, form_of=ProposalNoteForm, act=act)

    @action(description=_("Withdraw the proposal"), permissions=["withdraw_end"], icon="undo")
    def withdraw_end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund: Refund = self.row(request, object_id)
        proposal = self._proposal(refund)

        def act(form: VerbForm) -> Any:
            review.withdraw_proposal(proposal.pk, asker=asker_of(request), by=actor_of(request))
            return _("Withdrawn. The refund stays in review.")

        page = VerbPage(
            title=_("Withdraw your proposal for %(refund)s") % {"refund": refund},
            explanation=_("The refund stays in review, and a new end can be proposed."),
            button=_("Withdraw the proposal"),
            back=page_of(refund),
        )
        return verb_page(self, request, page, form_of=VerbForm, act=act)

    def _page(self, refund: Refund, *, proposal: ReviewProposal | None = None, **texts: Any) -> VerbPage:
        snapshot = review_log.snapshot_of(refund)
        facts = review_log.facts_of(refund, snapshot)
        if proposal is not None:
            facts = [
                (_("Proposed"), _how(Ending(proposal.ends_as), refund.kind)),
                (_("By"), f"{proposal.proposed_by} · {review_log.moment(proposal.proposed_at)}"),
                (_("Because"), proposal.note),
                *facts,
                *(review_log.counted_in(proposal, snapshot) if snapshot else []),
            ]
        return VerbPage(
            **texts,
            back=page_of(refund),
            needs_fresh_proof=True,
            facts=facts,
            warning="" if snapshot else NOTHING_READ,
            table=review_log.table_of(refund, snapshot) if snapshot else None,
        )

    def _proposal(self, refund: Refund) -> ReviewProposal:
        proposal = review_log.open_proposal(refund)
        if proposal is None:
            raise Http404
        return proposal

    def _in_review(self, request: HttpRequest, object_id: str | None) -> Refund | None:
        if object_id is None or not self.may(request, Right.SETTLE_REVIEW):
            return None
        refund = self.get_object(request, object_id)
        return refund if isinstance(refund, Refund) and refund.state == State.REVIEW else None

    def _is_asked_in_general(self, request: HttpRequest, object_id: str | None) -> bool:
        """Unfold asks about a button without naming a row too."""
        return object_id is None and self.may(request, Right.SETTLE_REVIEW)

    @staticmethod
    def _is_involved(request: HttpRequest, refund: Refund) -> bool:
        return asker_of(request).pk in (refund.requested_by_id, refund.approved_by_id)
