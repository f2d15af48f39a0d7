"""Nudges to be published after commit; the sweep publishes what a dead broker left behind."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores import clock


class Outbox(models.Model):
    """That somebody should look at a refund. A row without `published_at` is due; losing one loses nothing."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="nudges")
    written_at = models.DateTimeField(_("written"), default=clock.db_now)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("nudge")
        verbose_name_plural = _("nudges")
        indexes = [
            models.Index(fields=["written_at"], name="outbox_due", condition=models.Q(published_at__isnull=True))
        ]

    def __str__(self) -> str:
        return str(self.refund_id)


class Heartbeat(models.Model):
    """When a part that works without being asked last worked; an outside monitor watches it."""

    name = models.CharField(max_length=30, primary_key=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
