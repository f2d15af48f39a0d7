"""The refunds app: registers its trail events when Django is ready."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from refunds import events
from stores.events import register


class RefundsConfig(AppConfig):
    """The path money walks."""

    name = "refunds"
    label = "refunds"
    verbose_name = _("Refunds")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(*events.REFUND_EVENTS)
