"""How people end what machines may not: a proposal by one, the verdict by another, and what Vipps showed them."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from refunds.models.observation import Observation
from refunds.models.refund import Kind, Refund
from stores import clock
from stores.models import Order, User
from stores.models.append_only import never_deleted


class Ending(models.TextChoices):
    """How a review may end; the words are the refund's states."""

    REFUNDED = "refunded", pgettext_lazy("state of a refund", "refunded")
    RELEASED = "released", pgettext_lazy("state of a refund", "released")
    DECLINED = "declined", _("not refunded")


ENDINGS = {Kind.REFUND: (Ending.REFUNDED, Ending.DECLINED), Kind.RELEASE: (Ending.RELEASED, Ending.DECLINED)}
"""How a review of each kind may end."""


class Verdict(models.TextChoices):
    """What became of a proposal; empty while it waits."""

    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")


_WAITS = Q(verdict="", decided_by=None, decided_at=None)
_WITHDRAWN = Q(verdict=Verdict.WITHDRAWN, decided_by=None, decided_at__isnull=False)
_JUDGED = Q(verdict__in=[Verdict.CONFIRMED, Verdict.REJECTED], decided_by__isnull=False, decided_at__isnull=False) & ~Q(
    decided_by=F("proposed_by")
)
_IS_DECIDED = ~pgtrigger.Q(old__verdict="")


class Proposal(models.Model):
    """What one person proposes and another decides. A withdrawn one has no decider: only the proposer withdraws."""

    note = models.CharField(_("note"), max_length=500)
    proposed_by = models.ForeignKey(User, verbose_name=_("proposed by"), on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("proposed"), default=clock.db_now)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices, blank=True)

    class Meta:
        abstract = True


class ReviewProposal(Proposal):
    """That a refund in review is to end so, with the two readings of Vipps that it rests on."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="proposals")
    ends_as = models.CharField(_("ends as"), max_length=10, choices=Ending.choices)
    payment = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="+")
    log = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("proposal to end a review")
        verbose_name_plural = _("proposals to end a review")
        constraints = [
            models.UniqueConstraint(fields=["refund"], condition=Q(verdict=""), name="one_open_proposal_per_refund"),
            models.CheckConstraint(condition=_WAITS | _WITHDRAWN | _JUDGED, name="review_ends_by_two_people"),
            models.CheckConstraint(condition=~Q(note=""), name="review_proposal_says_why"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="review_proposal_is_immutable",
                fields=["refund", "ends_as", "payment", "log", "note", "proposed_by", "proposed_at"],
            ),
            pgtrigger.Protect(name="review_verdict_is_final", operation=pgtrigger.Update, condition=_IS_DECIDED),
            *never_deleted("review_proposal"),
        ]

    def __str__(self) -> str:
        return f"{self.refund} · {self.get_ends_as_display()}"


class HoldLift(Proposal):
    """That an order may be refunded again, where nothing in review holds it any longer."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="hold_lifts")
    hold_reason = models.CharField(_("why on hold"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("proposal to lift a hold")
        verbose_name_plural = _("proposals to lift a hold")
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(verdict=""), name="one_open_lift_per_order"),
            models.CheckConstraint(condition=_WAITS | _WITHDRAWN | _JUDGED, name="hold_is_lifted_by_two_people"),
            models.CheckConstraint(condition=~Q(note=""), name="hold_lift_says_why"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="hold_lift_is_immutable", fields=["order", "hold_reason", "note", "proposed_by", "proposed_at"]
            ),
            pgtrigger.Protect(name="hold_lift_verdict_is_final", operation=pgtrigger.Update, condition=_IS_DECIDED),
            *never_deleted("hold_lift"),
        ]

    def __str__(self) -> str:
        return str(self.order.reference)


class LookRequest(models.Model):
    """That Vipps is to be asked again about a refund in review. The row is the work; `answered_at` ends it.

    The web opens no keys, so a worker or the sweep does it. `problem` is why it could not, in the words of answers.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="look_requests")
    asked_by = models.ForeignKey(User, verbose_name=_("asked by"), on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"), default=clock.db_now)
    nudged_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    problem = models.CharField(_("what went wrong"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("question to Vipps")
        verbose_name_plural = _("questions to Vipps")
        constraints = [
            models.UniqueConstraint(fields=["refund"], condition=Q(answered_at=None), name="one_open_look_per_refund")
        ]
        indexes = [models.Index(fields=["asked_at"], name="look_due", condition=Q(answered_at=None))]
        triggers = [
            pgtrigger.ReadOnly(name="look_request_is_immutable", fields=["refund", "asked_by", "asked_at"]),
            *never_deleted("look_request"),
        ]

    def __str__(self) -> str:
        return str(self.refund)
