"""That an order is to be looked at at Vipps: one row an order, due or not; and the nights on which many were."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Order


class CheckReason(models.TextChoices):
    """Why somebody should look."""

    NOTICE = "notice", _("Vipps told of it")
    NIGHT = "night", _("the nightly round")
    SETTLEMENT = "settlement", _("the settlement does not fit")
    ASKED = "asked", _("headquarters asked")
    OPENED = "opened", _("a cashier opened it")
    AGAIN = "again", _("too young to be judged")


class OrderCheck(models.Model):
    """The row is the work: whoever finds it due may try to claim it. Not due while `due_at` is empty.

    `asks` counts how often somebody asked, so that what is asked while a look is under way is looked at again.
    `checked_at` is the last look that came to an end, `problem` why the last try did not.
    """

    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True, related_name="check_at_vipps")
    why = models.CharField(_("why"), max_length=12, choices=CheckReason.choices)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, default=clock.db_now)
    asks = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    nudged_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(_("last compared"), null=True, blank=True)
    problem = models.CharField(_("what went wrong last"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("check of an order")
        verbose_name_plural = _("checks of orders")
        indexes = [models.Index(fields=["due_at"], name="order_check_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return str(self.order_id)


class Night(models.Model):
    """One nightly round: when it began, and how many orders it put on the list. Begun and not ended: begun again."""

    day = models.DateField(_("day"), primary_key=True)
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    orders = models.PositiveIntegerField(_("orders"), default=0)

    class Meta:
        verbose_name = _("nightly round")
        verbose_name_plural = _("nightly rounds")

    def __str__(self) -> str:
        return self.day.isoformat()
