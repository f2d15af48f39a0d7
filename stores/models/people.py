"""People and the roles they hold in stores or at headquarters."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models.store import Company, Store


class User(AbstractUser):
    """A person who signs in. Rights come from memberships alone; `is_staff` only says that the admin lets one in."""

    public_id = models.UUIDField(_("public id"), default=clock.new_id, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=5, blank=True)

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]  # AbstractUser's stub says str, Django takes lazy text
        verbose_name_plural = _("people")  # type: ignore[assignment]  # the same

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """The closed list of roles (DESIGN 5): two in a store, five at headquarters."""

    CASHIER = "cashier", _("cashier")
    MANAGER = "manager", _("manager")
    OPERATOR = "operator", _("HQ operator")
    APPROVER = "approver", _("HQ approver")
    FINANCE = "finance", _("HQ finance")
    SECURITY = "security", _("HQ security")
    AUDITOR = "auditor", _("HQ auditor")


STORE_ROLES = (Role.CASHIER, Role.MANAGER)
HQ_ROLES = (Role.OPERATOR, Role.APPROVER, Role.FINANCE, Role.SECURITY, Role.AUDITOR)


class Membership(models.Model):
    """That a person holds a role in a store, or at headquarters (`store` empty), until it is ended."""

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.PROTECT, related_name="memberships")
    company = models.ForeignKey(Company, verbose_name=_("company"), on_delete=models.PROTECT, related_name="memberships")
    store = models.ForeignKey(
        Store, verbose_name=_("store"), on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    since = models.DateTimeField(_("since"), default=clock.db_now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "store"], condition=Q(ended_at=None, store__isnull=False), name="one_role_per_store"
            ),
            models.UniqueConstraint(
                fields=["user", "company", "role"],
                condition=Q(ended_at=None, store__isnull=True),
                name="one_membership_per_hq_role",
            ),
            models.CheckConstraint(
                condition=Q(role__in=STORE_ROLES, store__isnull=False) | Q(role__in=HQ_ROLES, store__isnull=True),
                name="role_fits_its_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} · {self.store or self.company}"
