"""Refunds made elsewhere, as headquarters looks at them: the ledger's own lines, and who has seen to each."""

from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from refunds.models.ledger import EntryKind, LedgerEntry
from stores import clock
from stores.models import User
from stores.models.append_only import append_only

OUTSIDE = (EntryKind.EXTERNAL, EntryKind.ORPHAN)


class OutsideRefunds(models.Manager["OutsideRefund"]):
    """Only the lines for money that the hub did not move, as far as it did not turn out to be its own."""

    def get_queryset(self) -> models.QuerySet["OutsideRefund"]:
        own = LedgerEntry.objects.filter(
            order=OuterRef("order"), psp_reference=OuterRef("psp_reference"), kind=EntryKind.RECOGNISED
        )
        return super().get_queryset().filter(~Exists(own), kind__in=OUTSIDE)


class OutsideRefund(LedgerEntry):
    """A line of the ledger for money that left Vipps without the hub: the portal, an old till, a hub restored too far back."""

    objects: ClassVar[OutsideRefunds] = OutsideRefunds()

    class Meta:
        proxy = True
        verbose_name = _("refund made elsewhere")
        verbose_name_plural = _("refunds made elsewhere")

    def __str__(self) -> str:
        return f"{self.order.reference} · {self.psp_reference}"


class Acknowledgement(models.Model):
    """That a person has found out whose refund it was. The ledger's line itself never changes."""

    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, primary_key=True, related_name="acknowledgement")
    person = models.ForeignKey(User, verbose_name=_("seen to by"), on_delete=models.PROTECT, related_name="+")
    note = models.CharField(_("note"), max_length=300)
    at = models.DateTimeField(_("when"), default=clock.db_now)

    class Meta:
        verbose_name = _("acknowledgement")
        verbose_name_plural = _("acknowledgements")
        triggers = append_only("acknowledgement")

    def __str__(self) -> str:
        return f"{self.person}: {self.note}"
