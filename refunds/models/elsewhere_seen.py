"""Up to when somebody has seen what other stores refunded of her store's sales."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores.models import Store, User


class ElsewhereSeen(models.Model):
    """One person's mark in one store; what was refunded after it is news to her there."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(_("seen until"))

    class Meta:
        verbose_name = _("what is seen of refunds elsewhere")
        verbose_name_plural = _("what is seen of refunds elsewhere")
        constraints = [models.UniqueConstraint(fields=["user", "store"], name="one_mark_per_person_and_store")]

    def __str__(self) -> str:
        return f"{self.user} · {self.store.code}"
