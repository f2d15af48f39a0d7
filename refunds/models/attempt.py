"""Calls that may move money: the intent, committed before the call, and the answer, if one came. Both append-only."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores.models import KeySet
from stores.models.append_only import append_only


class Attempt(models.Model):
    """The intent to call Vipps once, committed before the call.

    `refunded_before_minor` is what Vipps said was refunded already, read under the same claim: a consistent answer shows
    exactly our amount more.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(_("attempt"))
    generation = models.PositiveSmallIntegerField()
    provider_key = models.CharField(_("idempotency key"), max_length=40)
    fence = models.PositiveIntegerField()
    key_set = models.ForeignKey(KeySet, on_delete=models.PROTECT, related_name="+")
    key_version = models.PositiveIntegerField()
    msn = models.CharField("MSN", max_length=10)
    amount_minor = models.BigIntegerField(_("amount"))
    refunded_before_minor = models.BigIntegerField()
    intended_at = models.DateTimeField(_("intended"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint(fields=["refund", "number"], name="attempt_number_once")]
        indexes = [models.Index(fields=["provider_key"], name="attempt_provider_key")]
        triggers = append_only("attempt")

    def __str__(self) -> str:
        return f"{self.provider_key} #{self.number}"


class Answer(models.Model):
    """What came back for one attempt, in our words (`kind`) and Vipps' (`status`, `code`, `trace_id`)."""

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="answer")
    kind = models.CharField(_("kind"), max_length=30)
    status = models.PositiveSmallIntegerField("HTTP", null=True, blank=True)
    code = models.CharField(_("Vipps' code"), max_length=20, blank=True)
    trace_id = models.CharField(_("trace id"), max_length=80, blank=True)
    took_ms = models.PositiveIntegerField(_("milliseconds"))
    answered_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        triggers = append_only("answer")

    def __str__(self) -> str:
        return f"{self.kind} {self.status or ''}"
