"""Webhooks v1: register, list, delete. Operations: register, list_webhooks, delete_webhook; deliver for what goes out.

Source: Vipps Webhooks API. The simulator also takes plain HTTP and any port where the address is this machine's, because
that is where receivers under test are.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from stores.vipps.simulator.access import Access, Denied
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.forms import BadForm, read_body, read_text, refuse_unknown
from stores.vipps.simulator.merchants import Holder, HolderKind
from stores.vipps.simulator.problems import gateway, problem
from stores.vipps.simulator.side_door import SideDoor
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.webhooks.notices import Notices
from stores.vipps.simulator.webhooks.registrations import KNOWN_EVENTS, Owner, Registrations, TooMany
from stores.vipps.simulator.wire import Call, Reply, json_reply

_PATH = re.compile(r"/webhooks/v1/webhooks(?:/([0-9a-fA-F-]{1,64}))?")
_PORTS = (80, 443, 8080)


class WebhooksApi:
    def __init__(
        self,
        *,
        registrations: Registrations,
        notices: Notices,
        access: Access,
        door: SideDoor,
        clock: VirtualClock,
        switches: Switches,
    ) -> None:
        self._registrations = registrations
        self._notices = notices
        self._access = access
        self._door = door
        self._clock = clock
        self._switches = switches
        self._number = 0

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _PATH.fullmatch(call.path)
        operation = {
            ("POST", False): "register",
            ("GET", False): "list_webhooks",
            ("DELETE", True): "delete_webhook",
        }.get((call.method, bool(found and found[1])))
        if found is None or operation is None:
            return None
        return self._door.answer(call, lambda: self._do(call, operation, found[1]), api="webhooks", operation=operation)

    def _do(self, call: Call, operation: str, registration_id: str | None) -> Reply:
        self._number += 1
        owner = self._owner(call)
        if isinstance(owner, Reply):
            return owner
        if operation == "list_webhooks":
            found = self._registrations.of(owner)
            return json_reply({"webhooks": [{"id": each.id, "url": each.url, "events": each.events} for each in found]})
        if operation == "delete_webhook":
            return self._delete(call, owner, registration_id or "")
        try:
            return self._register(call, owner)
        except BadForm as error:
            return problem(400, path=call.path, number=self._number, field=(error.name, error.reason))
        except TooMany as error:
            told = ("events", f"There are too many registrations for {error.event}.")
            return problem(400, path=call.path, number=self._number, field=told)

    def _owner(self, call: Call) -> Owner | Reply:
        """Partner keys without an MSN stand for all the partner's sales units."""
        now = self._clock.now()
        holder = self._access.identify(call.headers, now=now)
        if isinstance(holder, Holder) and holder.kind is HolderKind.ACCOUNTANT:
            return gateway(403, "Accounting keys cannot be used with this API.")
        if isinstance(holder, Holder) and holder.is_partner and not call.headers.get("merchant-serial-number"):
            return Owner(kind="partner", name=holder.name)
        caller = self._access.check(call.headers, now=now)
        return caller.reply if isinstance(caller, Denied) else Owner(kind="unit", name=caller.unit.msn)

    def _register(self, call: Call, owner: Owner) -> Reply:
        members = read_body(call.body)
        refuse_unknown(members, frozenset({"url", "events"}))
        url = read_text(members, "url", longest=2048)
        _check_address(urlsplit(url))
        events = members.get("events")
        if not isinstance(events, list) or not events or not all(event in KNOWN_EVENTS for event in map(str, events)):
            raise BadForm("events", "The value must be a list of known events.")
        made = self._registrations.add(
            url,
            tuple(dict.fromkeys(str(event) for event in events)),
            owner,
            most=self._switches.webhooks_per_event,
            looks_like=self._switches.secrets_look_like,
        )
        return json_reply({"id": made.id, "secret": made.secret}, status=201)

    def _delete(self, call: Call, owner: Owner, registration_id: str) -> Reply:
        found = self._registrations.by_id.get(registration_id.lower())
        if found is None or found.owner != owner:
            told = ("id", "There is no such webhook.")
            return problem(400, path=call.path, number=self._number, field=told)
        self._registrations.remove(found.id)
        self._notices.drop(found.id)
        return Reply(status=204)


def _check_address(url: SplitResult) -> None:
    try:
        port = url.port
    except ValueError:
        raise BadForm("url", "The port is not valid.") from None
    if _is_this_machine(url.hostname or "") and url.scheme in ("http", "https"):
        return
    if url.scheme != "https" or not url.hostname:
        raise BadForm("url", "The value must be an https address.")
    if port not in (None, *_PORTS):
        raise BadForm("url", f"The port must be one of {', '.join(map(str, _PORTS))}.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
