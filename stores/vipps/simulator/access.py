"""Who is calling, and may they act for this sales unit? Cross-checks token, subscription key and MSN.

Source: Vipps knowledge base, errors and HTTP headers; partner documentation, partner keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stores.vipps.simulator.merchants import Holder, Merchants, SalesUnit
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.tokens import Tokens
from stores.vipps.simulator.wire import Reply

_MSN = re.compile(r"[0-9]{4,10}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    keys: str
    subscription_key: str
    unit: SalesUnit


@dataclass(frozen=True, kw_only=True, slots=True)
class Denied:
    """The reply, and the name of the key set if the caller got as far as showing one."""

    reply: Reply
    keys: str | None = None


class Access:
    def __init__(self, merchants: Merchants, tokens: Tokens, switches: Switches) -> None:
        self._merchants = merchants
        self._tokens = tokens
        self._switches = switches

    def sign_in(self, headers: Mapping[str, str]) -> Holder | Reply:
        """The token endpoint: three values, all of one key set."""
        holder = self._merchants.holder(headers.get("client_id", ""))
        subscription_key = headers.get("ocp-apim-subscription-key", "")
        if not subscription_key or not self._merchants.knows_subscription(subscription_key):
            return _unknown_subscription(subscription_key)
        if (
            holder is None
            or headers.get("client_secret") != holder.keys.client_secret
            or subscription_key not in holder.keys.subscription_keys
        ):
            return gateway(401, "Access denied: client_id, client_secret and subscription key do not belong together.")
        if holder.is_partner and self._switches.environment == "test":
            return gateway(401, "Access denied: partner keys are not available in the test environment.")
        return holder

    def check(self, headers: Mapping[str, str], *, now: float) -> Caller | Denied:
        subscription_key = headers.get("ocp-apim-subscription-key", "")
        if not self._merchants.knows_subscription(subscription_key):
            return Denied(reply=_unknown_subscription(subscription_key))
        word, _, token = headers.get("authorization", "").partition(" ")
        holder = self._tokens.holder(token, now=now) if word == "Bearer" else None
        if holder is None:
            return Denied(reply=gateway(401, "Unauthorized. Access token is missing or invalid."))
        name = holder.keys.name
        if subscription_key not in holder.keys.subscription_keys:
            return Denied(reply=gateway(401, "Unauthorized. The subscription key is not the token's."), keys=name)
        msn = headers.get("merchant-serial-number", "")
        if msn not in holder.msns or not _MSN.fullmatch(msn):
            return Denied(reply=_invalid_msn(msn, holder), keys=name)
        unit = self._merchants.units.get(msn)
        if unit is None:
            return Denied(reply=gateway(403, f"Invalid MSN: {msn}. The sales unit is not active."), keys=name)
        return Caller(keys=name, subscription_key=subscription_key, unit=unit)


def _unknown_subscription(subscription_key: str) -> Reply:
    fault = "invalid" if subscription_key else "missing"
    return gateway(
        401,
        f"Access denied due to {fault} subscription key. Make sure to provide a valid key for an active subscription.",
    )


def _invalid_msn(msn: str, holder: Holder) -> Reply:
    told = f"Invalid MSN: {msn}." if msn else "Invalid MSN."
    whose = "supermerchant ID" if holder.is_partner else "merchant"
    return gateway(403, f"{told} The MSN is not valid for the provided {whose}.")
