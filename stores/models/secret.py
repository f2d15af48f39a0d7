"""Every sealed value of the system lies in this one table."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores import clock


class Secret(models.Model):
    """One sealed value, bound to its row: it opens only under the very context it was sealed for (RFC 9180 `info`).

    `sealed` is HPKE's encapsulated key and ciphertext; `vault_key` names the key pair it was sealed to.
    """

    table = models.CharField(_("table"), max_length=40)
    row_id = models.CharField(_("row"), max_length=40)
    field = models.CharField(_("field"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    environment = models.CharField(_("environment"), max_length=10)
    subject = models.CharField(_("MSN or partner id"), max_length=40)
    vault_key = models.CharField(_("vault key"), max_length=40)
    sealed = models.BinaryField()
    fingerprint = models.CharField(_("fingerprint"), max_length=8)
    created_at = models.DateTimeField(_("sealed at"), default=clock.db_now)

    class Meta:
        verbose_name = _("sealed value")
        verbose_name_plural = _("sealed values")
        constraints = [
            models.UniqueConstraint(fields=["table", "row_id", "field", "version"], name="one_secret_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.table}/{self.row_id}/{self.field} v{self.version}"
