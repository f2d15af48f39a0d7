"""The MSN lock: the only place that opens Vipps keys, and binds them to the sales unit they may speak for."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import audit, clock, credentials
from stores.actors import Actor
from stores.credentials import VippsKeys
from stores.errors import Misconfigured
from stores.events import KeysNotOpened, KeysOpened, TrailEvent
from stores.models import KeySet, KeySetKind, SalesUnit
from stores.vipps.session import VippsSession
from stores.vipps.tokens import TokenCache
from stores.vipps.transport import RequestsTransport, Transport
from stores.vipps.types import SystemHeaders

logger = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
"""How long this process may keep opened keys; they go with every call, so opening per call would only spread them."""


@dataclass(frozen=True, kw_only=True)
class _Opened:
    version: int
    keys: VippsKeys
    until: float


class _Process:
    """What one process keeps: a transport, tokens and opened keys; never in Redis, never in a task."""

    def __init__(self, transport: Transport | None = None) -> None:
        self.guard = threading.Lock()
        self.tokens = TokenCache(clock=clock.monotonic)
        self.opened: dict[int, _Opened] = {}
        self._transport = transport

    def transport(self) -> Transport:
        """Made at the first call, so after any fork."""
        with self.guard:
            if self._transport is None:
                self._transport = RequestsTransport(plain_http_hosts=settings.VIPPS_PLAIN_HTTP_HOSTS)
            return self._transport


_process = _Process()


def open_session(unit: SalesUnit, *, by: Actor, why: str) -> VippsSession:
    """A session that speaks for `unit` alone, with the keys it is bound to now.

    Opening keys is one entry in the trail, also where it fails. Raises Misconfigured: `no_keys` where none are bound or
    entered, `keys_unreadable` where this process cannot open them, `no_base_url` for an environment without a host.
    """
    key_set = KeySet.objects.select_related("company").filter(sales_units=unit.pk).first()
    if key_set is None:
        raise Misconfigured(_("The sales unit that sold this is not bound to any Vipps keys."), code="no_keys")
    _check_fit(unit, key_set)
    return _session(key_set, msn=unit.msn, by=by, why=why)


def open_partner_session(key_set: KeySet, *, by: Actor, why: str) -> VippsSession:
    """A session that speaks for no sales unit, with a partner's keys: good for registrations of webhooks, and for no money.

    Raises Misconfigured as `open_session`, and `not_a_partner` for a sales unit's own keys.
    """
    if key_set.kind != KeySetKind.PARTNER:
        raise Misconfigured(_("Keys of one sales unit speak for that unit only."), code="not_a_partner")
    return _session(key_set, msn=None, by=by, why=why)


def forget(key_set_id: int) -> None:
    """Drop the opened keys of one key set: after a 401, at a rotation, at a pause."""
    with _process.guard:
        _process.opened.pop(key_set_id, None)


def forget_all() -> None:
    """Drop every opened key and every token of this process."""
    with _process.guard:
        _process.opened.clear()
        _process.tokens = TokenCache(clock=clock.monotonic)


@contextmanager
def use_transport(transport: Transport) -> Iterator[None]:
    """Speak through `transport` until the block ends, with no keys or tokens kept from before (for tests)."""
    global _process
    before, _process = _process, _Process(transport)
    try:
        yield
    finally:
        _process = before


def _check_fit(unit: SalesUnit, key_set: KeySet) -> None:
    """A binding that the registry would not have made is not followed, wherever it came from."""
    is_its_own = key_set.kind != KeySetKind.OWN or key_set.subject == unit.msn
    if not is_its_own or (key_set.environment, key_set.company_id) != (unit.environment, unit.company_id):
        raise Misconfigured(_("The sales unit is bound to keys that are not its own."), code="keys_unreadable")


def _session(key_set: KeySet, *, msn: str | None, by: Actor, why: str) -> VippsSession:
    base_url = settings.VIPPS_BASE_URLS.get(key_set.environment, "")
    if not base_url:
        raise Misconfigured(_("No address of Vipps is set for this environment."), code="no_base_url")
    return VippsSession(
        base_url=base_url,
        msn=msn,
        credentials=_keys(key_set, by=by, why=why),
        cache_key=f"{key_set.environment}/{key_set.public_id}/{key_set.version}",
        transport=_process.transport(),
        tokens=_process.tokens,
        system=_system(),
        clock=clock.monotonic,
    )


def _keys(key_set: KeySet, *, by: Actor, why: str) -> VippsKeys:
    with _process.guard:
        kept = _process.opened.get(key_set.pk)
        if kept is not None and kept.version == key_set.version and clock.monotonic() < kept.until:
            return kept.keys
    try:
        keys = credentials.unsealed_keys(key_set)
    except Misconfigured as error:
        if error.code != "no_keys":
            logger.error("key set %s version %s could not be opened: %s", key_set.name, key_set.version, error.code)
            _record(KeysNotOpened, key_set, by=by, why=f"{why} ({error.code})")
        raise
    _record(KeysOpened, key_set, by=by, why=why)
    with _process.guard:
        until = clock.monotonic() + KEPT_SECONDS
        _process.opened[key_set.pk] = _Opened(version=key_set.version, keys=keys, until=until)
    return keys


def _record(kind: type[KeysOpened] | type[KeysNotOpened], key_set: KeySet, *, by: Actor, why: str) -> None:
    event: TrailEvent = kind(key_set=key_set.name, version=key_set.version, process=settings.PROCESS, why=why)
    with transaction.atomic():
        if kind is KeysOpened:
            KeySet.objects.filter(pk=key_set.pk).update(last_opened_at=clock.sql_now())
        audit.record(
            event,
            by=by,
            company=key_set.company,
            store=credentials.store_of_chain(key_set),
            about=credentials.subject_of(key_set),
        )


def _system() -> SystemHeaders:
    version = settings.VERSION
    return SystemHeaders(name="Refund Hub", version=version, plugin_name="refund-hub", plugin_version=version)
