"""The digits by which a person shows a till that it is she."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.people import User


class TillPin(models.Model):
    """Hashed, and the hash sealed: who has stolen the database has nothing to try six digits against.

    `wrong` counts the wrong ones given since the last right one; until `closed_until` none is looked at.
    """

    user = models.OneToOneField(
        User, verbose_name=_("person"), on_delete=models.PROTECT, primary_key=True, related_name="till_pin"
    )
    sealed = models.TextField(_("sealed hash"))
    chosen_at = models.DateTimeField(_("chosen"), default=clock.db_now)
    wrong = models.PositiveSmallIntegerField(_("wrong in a row"), default=0)
    closed_until = models.DateTimeField(_("closed until"), null=True, blank=True)

    class Meta:
        verbose_name = _("PIN")
        verbose_name_plural = _("PINs")

    def __str__(self) -> str:
        return str(self.user)
