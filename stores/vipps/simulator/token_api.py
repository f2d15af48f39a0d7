"""The two token endpoints: the standard one, and the special one for accounting keys.

Source: Vipps Access Token API.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from stores.vipps.simulator.access import Access
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.faults import KEEPS_FROM_APPLYING, FaultBook, FaultKind
from stores.vipps.simulator.limits import RateLimits
from stores.vipps.simulator.spoiling import hinder, spoil_reply
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.tokens import Tokens
from stores.vipps.simulator.wire import UTF8_JSON, Call, Reply, json_reply


class TokenApi:
    def __init__(
        self,
        *,
        access: Access,
        tokens: Tokens,
        faults: FaultBook,
        limits: RateLimits,
        clock: VirtualClock,
        switches: Switches,
        calls: Counter[str],
    ) -> None:
        self._access = access
        self._tokens = tokens
        self._faults = faults
        self._limits = limits
        self._clock = clock
        self._switches = switches
        self._calls = calls

    def answer(self, call: Call, operation: str) -> Reply:
        """`operation`: "token" or "special_token"."""
        self._calls[operation] += 1
        number = self._calls[operation]
        fault = self._faults.take(operation, api="token", msn=call.headers.get("merchant-serial-number"), reference=None)
        if fault is not None and fault.kind in KEEPS_FROM_APPLYING:
            return hinder(fault, path=call.path, number=number)
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return json_reply({"error": fault.code or "invalid_request"}, status=fault.status or 400)
        reply = self._standard(call) if operation == "token" else self._special(call)
        if reply.status == 200:
            reply = replace(reply, content_type=UTF8_JSON)
        return spoil_reply(reply, fault, path=call.path, number=number)

    def _standard(self, call: Call) -> Reply:
        now, limit = self._clock.now(), self._switches.tokens_per_minute
        if limit is not None:
            throttled = self._limits.throttle(("token", call.headers.get("client_id", "")), limit=limit, now=now)
            if throttled is not None:
                return throttled
        holder = self._access.sign_in(call.headers)
        if isinstance(holder, Reply):
            return holder
        return self._tokens.issue(holder.keys, now=now, seconds=self._switches.token_seconds)

    def _special(self, call: Call) -> Reply:
        holder = self._access.sign_in_specially(call.headers, call.body)
        if isinstance(holder, Reply):
            return holder
        return self._tokens.issue_special(holder.keys, now=self._clock.now())
