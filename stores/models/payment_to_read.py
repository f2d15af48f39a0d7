"""That a payment is to be read at Vipps and brought into the index: one row a payment, for as long as it waits."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.store import SalesUnit


class PaymentToRead(models.Model):
    """The row is the work: whoever finds it due may try to claim it; once it is read, it is deleted.

    `asks` counts how often Vipps told of the payment, so that what is told while it is read makes it read again. Not due
    while `due_at` is empty: it was given up, and `problem` says why.
    """

    sales_unit = models.ForeignKey(
        SalesUnit, verbose_name=_("sales unit"), on_delete=models.PROTECT, related_name="payments_to_read"
    )
    reference = models.CharField(_("reference"), max_length=64, db_collation="C")
    asked_at = models.DateTimeField(_("first told of"), default=clock.db_now)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, default=clock.db_now)
    asks = models.PositiveIntegerField(default=1)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    nudged_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(_("what went wrong last"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("payment to read")
        verbose_name_plural = _("payments to read")
        constraints = [models.UniqueConstraint(fields=["sales_unit", "reference"], name="payment_to_read_once")]
        indexes = [models.Index(fields=["due_at"], name="payment_to_read_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return self.reference
