"""The hq app: headquarters' windows; it owns no tables."""

from django.apps import AppConfig

from hq import checks
from hq.events import HQ_EVENTS
from stores import events

__all__ = ["HqConfig", "checks"]


class HqConfig(AppConfig):
    """The roof. Importing `checks` registers them."""

    name = "hq"
    label = "hq"

    def ready(self) -> None:
        events.register(*HQ_EVENTS)
