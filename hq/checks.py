"""What must be set before a process may start; an unsafe start is refused with the sentence that mends it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connection

from stores import vault
from stores.errors import Misconfigured

KEY_SETTINGS = {
    "SECRET_KEY": ("web", "worker", "sweep", "beat", "command"),
    "VAULT_PUBLIC_KEYS": ("web", "worker", "sweep", "command"),
    "FINGERPRINT_KEY": ("web", "worker", "sweep", "command"),
    "WEB_SEAL_KEY": ("web",),
}
"""Which process cannot work without which key; no process needs to be given more."""

HOW_TO_SET = {
    "VAULT_PUBLIC_KEYS": (
        "set VAULT_PUBLIC_KEYS or VAULT_PUBLIC_KEYS_FILE; make a pair with manage.py vault_keys, "
        "and give the private half to the worker and the sweep only"
    ),
}
OPENERS = ("worker", "sweep")
"""The processes that may open keys."""
# By hand: checks are registered before there are models. The index's name is stores.search's.
_TRIGRAMS = """
SELECT to_regclass('stores_order') IS NOT NULL,
       EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('order_ref_key_trigram') AND indisvalid),
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
"""


def keys_are_set(process: str) -> list[CheckMessage]:
    """The keys this process needs are there, differ from each other, and can be read."""
    missing = [
        Error(f"{name} is missing: {HOW_TO_SET.get(name, f'set {name} or {name}_FILE')}.", id="hub.E001")
        for name, processes in KEY_SETTINGS.items()
        if process in processes and not _value_of(name)
    ]
    return [*missing, *_rings_can_be_read(), *_keys_differ()]


def only_openers_hold_the_private_key(process: str) -> list[CheckMessage]:
    """The web and beat can seal and not open; the worker and the sweep are of no use without opening."""
    holds = bool(settings.VAULT_PRIVATE_KEYS)
    if process in ("web", "beat") and holds:
        return [
            Error(
                f"The {process} process holds VAULT_PRIVATE_KEYS: take it away from this process; "
                "only the worker and the sweep may open keys.",
                id="hub.E002",
            )
        ]
    if process in OPENERS and not holds:
        return [
            Error(
                f"The {process} cannot open keys: set VAULT_PRIVATE_KEYS or VAULT_PRIVATE_KEYS_FILE for it.",
                id="hub.E003",
            )
        ]
    return []


def nothing_is_mailed() -> list[CheckMessage]:
    """An error page sent by mail would carry what the log must not."""
    if settings.ADMINS or settings.MANAGERS:
        return [Error("ADMINS and MANAGERS must be empty: error pages are not sent by mail.", id="hub.E004")]
    return []


def no_play_beside_production() -> list[CheckMessage]:
    """DEBUG and DEMO open doors that must be shut where real money moves."""
    switches = [name for name in ("DEBUG", "DEMO") if getattr(settings, name)]
    if not switches or not _has_production():
        return []
    return [
        Error(f"{name} is on and the database holds production sales units: switch {name} off.", id="hub.E005")
        for name in switches
    ]


def fragments_are_indexed() -> list[CheckMessage]:
    """Without the trigram index a fragment is found only where it stands in one of the newest orders."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGRAMS)
        has_orders, is_indexed, can_be = cursor.fetchone() or (False, False, False)
    if is_indexed or not has_orders:
        return []
    told = "There is no trigram index: fragments of references are found among the newest 60,000 orders only."
    hint = "Run manage.py build_search_index." if can_be else "This PostgreSQL has no pg_trgm."
    return [Warning(told, hint=hint, id="hub.W002")]


def _has_production() -> bool:
    units = apps.get_model("stores", "SalesUnit")
    try:
        return bool(units._default_manager.filter(environment="production").exists())
    except ProgrammingError:  # before the first migration there is no table, and so nothing to protect
        return False


def _value_of(name: str) -> str:
    """Django itself refuses to give an empty SECRET_KEY, in words that do not say how to set one."""
    try:
        return str(getattr(settings, name))
    except ImproperlyConfigured:
        return ""


def _rings_can_be_read() -> list[CheckMessage]:
    try:
        vault.check_rings()
    except Misconfigured as refusal:
        return [Error(str(refusal.sentence), id="hub.E006")]
    return []


def _keys_differ() -> list[CheckMessage]:
    values = [value for name in (*KEY_SETTINGS, "VAULT_PRIVATE_KEYS") if (value := _value_of(name))]
    if len(set(values)) == len(values):
        return []
    return [Error("Two of the hub's keys are the same: give each its own value.", id="hub.E007")]


@register(Tags.security)
def check_settings(app_configs: Sequence[Any] | None, **_options: object) -> list[CheckMessage]:
    """Runs with every management command that runs checks."""
    return [
        *keys_are_set(settings.PROCESS),
        *only_openers_hold_the_private_key(settings.PROCESS),
        *nothing_is_mailed(),
    ]


@register(Tags.security, Tags.database)
def check_database(
    app_configs: Sequence[Any] | None, databases: Iterable[str] | None = None, **_options: object
) -> list[CheckMessage]:
    """Runs with migrate and with `check --database default`."""
    return [*no_play_beside_production(), *fragments_are_indexed()] if databases and "default" in databases else []


@register(Tags.security, deploy=True)
def check_public_address(app_configs: Sequence[Any] | None, **_options: object) -> list[CheckMessage]:
    """Runs with `check --deploy`: refunds work without notices of Vipps, only slower, so no process is refused for it."""
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    told = "PUBLIC_URL is not an https address: the hub registers no webhooks at Vipps, and hears of nothing by itself."
    return [Warning(told, hint="Set PUBLIC_URL to the address under which Vipps reaches the hub.", id="hub.W001")]


def refuse_unsafe_start(process: str) -> None:
    """For processes whose server runs no checks (granian, Celery, the sweep): raises ImproperlyConfigured.

    Asks the database only where DEBUG or DEMO is on.
    """
    found = [
        *keys_are_set(process),
        *only_openers_hold_the_private_key(process),
        *nothing_is_mailed(),
        *no_play_beside_production(),
    ]
    if found:
        raise ImproperlyConfigured("The hub does not start. " + " ".join(str(message.msg) for message in found))
