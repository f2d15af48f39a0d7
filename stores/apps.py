"""The stores app: registers its trail events when Django is ready."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from stores import events


class StoresConfig(AppConfig):
    """The ground."""

    name = "stores"
    label = "stores"
    verbose_name = _("Stores")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        events.register(*events.STORE_EVENTS)
