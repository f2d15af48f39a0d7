"""That the database was restored: until every order touched near that time was read at Vipps again, nothing is sent."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Company, Order
from stores.models.append_only import never_deleted


class RestoreEpoch(models.Model):
    """One restore of one chain. First its orders are read, then all is quiet for a while, then it ends.

    `restored_to` is the point in time that the backup held; what was committed later is lost here and known at Vipps.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="restore_epochs")
    restored_to = models.DateTimeField(_("restored to"))
    reason = models.CharField(_("reason"), max_length=200)
    declared_at = models.DateTimeField(_("declared"), default=clock.db_now)
    declared_by = models.CharField(_("by"), max_length=160)
    quiet_until = models.DateTimeField(_("quiet until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("restore")
        verbose_name_plural = _("restores")
        constraints = [
            models.UniqueConstraint(fields=["company"], condition=Q(ended_at=None), name="one_restore_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(quiet_until__isnull=False, ended_at__gte=F("quiet_until")),
                name="a_restore_ends_after_its_quiet_time",
            ),
        ]
        triggers = never_deleted("restore_epoch")

    def __str__(self) -> str:
        return f"{self.restored_to:%Y-%m-%d %H:%M} UTC"


class RestoreLook(models.Model):
    """One order to be read at Vipps after a restore; `problem` says what kept it from being read."""

    epoch = models.ForeignKey(RestoreEpoch, on_delete=models.PROTECT, related_name="looks")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField(default=clock.db_now)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(_("what went wrong last"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("order to be read after a restore")
        verbose_name_plural = _("orders to be read after a restore")
        constraints = [models.UniqueConstraint(fields=["epoch", "order"], name="looked_at_once_per_restore")]
        indexes = [models.Index(fields=["due_at"], name="restore_look_due", condition=Q(read_at=None))]

    def __str__(self) -> str:
        return str(self.order)
