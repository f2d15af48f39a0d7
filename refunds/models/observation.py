"""What a look at Vipps showed: kept, so that a decision can be checked against what it was made from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores.models import Order
from stores.models.append_only import append_only


class Source(models.TextChoices):
    """Where it was seen."""

    PAYMENT = "payment", _("the payment")
    EVENTS = "events", _("the event log")


class Observation(models.Model):
    """One reading: its facts as we understood them, and their SHA-256. Append-only."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="observations")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="observations")
    source = models.CharField(_("seen in"), max_length=10, choices=Source.choices)
    facts = models.JSONField(_("facts"))
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField(_("seen"))

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        triggers = append_only("observation")

    def __str__(self) -> str:
        return f"{self.get_source_display()} · {self.order_id}"
