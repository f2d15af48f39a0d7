"""What was handed to a customer about a refund, and how often it was printed."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores import clock
from stores.models import Store
from stores.models.append_only import never_deleted


class PaperKind(models.TextChoices):
    """A receipt says that money was given back; the other two never do."""

    RECEIPT = "receipt", _("refund receipt")
    RELEASE = "release", _("confirmation of a release")
    REQUEST = "request", _("confirmation of a request")


class Paper(models.Model):
    """One paper of a refund. Every print of it after the first is a copy and says so.

    Receipts are numbered in one unbroken row for each store that hands them out (`serial`); the others bear the refund's own
    name only. `last_press` is the key of the page whose press made the last print: pressed twice, it is still one print.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(_("kind"), max_length=10, choices=PaperKind.choices)
    store = models.ForeignKey(Store, verbose_name=_("store"), on_delete=models.PROTECT, related_name="papers")
    serial = models.PositiveIntegerField(_("number"), null=True, blank=True)
    prints = models.PositiveSmallIntegerField(_("prints"), default=0)
    printed_at = models.DateTimeField(_("last printed"), null=True, blank=True)
    last_press = models.CharField(max_length=32, blank=True)
    issued_at = models.DateTimeField(_("issued"), default=clock.db_now)

    class Meta:
        verbose_name = _("paper")
        verbose_name_plural = _("papers")
        constraints = [
            models.UniqueConstraint(fields=["refund", "kind"], name="paper_once_per_kind"),
            models.UniqueConstraint(fields=["store", "serial"], name="receipt_number_once_per_store"),
            models.CheckConstraint(
                condition=Q(kind=PaperKind.RECEIPT, serial__isnull=False) | ~Q(kind=PaperKind.RECEIPT) & Q(serial=None),
                name="only_receipts_are_numbered",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="paper_is_immutable", fields=["refund", "kind", "store", "serial", "issued_at"]),
            pgtrigger.Protect(
                name="paper_forgets_no_print",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__prints__lt=pgtrigger.F("old__prints")),
            ),
            *never_deleted("paper"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}".strip()

    @property
    def number(self) -> str:
        """ "OSL-000123"; empty for what is not numbered."""
        return f"{self.store.code}-{self.serial:06d}" if self.serial is not None else ""

    @property
    def copies(self) -> int:
        """How many prints say that they are copies."""
        return max(0, self.prints - 1)
