"""The refunds app: registers its trail events when Django is ready."""

from django.apps import AppConfig

from refunds import events
from stores.events import register


class RefundsConfig(AppConfig):
    """The path money walks."""

    name = "refunds"
    label = "refunds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(*events.REFUND_EVENTS)
