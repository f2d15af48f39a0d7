"""The hq app: headquarters' windows; it owns no tables."""

from django.apps import AppConfig


class HqConfig(AppConfig):
    """The roof."""

    name = "hq"
    label = "hq"
