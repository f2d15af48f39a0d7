"""Who is calling, and may they act for this sales unit? Cross-checks token, subscription key and MSN.

Source: Vipps knowledge base, errors and HTTP headers; partner documentation, partner keys.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from stores.vipps.simulator.merchants import Holder, HolderKind, Merchants, SalesUnit
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.tokens import Tokens
from stores.vipps.simulator.wire import Reply, json_reply

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
        if holder.kind is HolderKind.ACCOUNTANT:
            return gateway(401, "Access denied: accounting keys are used with the special token endpoint.")
        return holder

    def sign_in_specially(self, headers: Mapping[str, str], body: bytes) -> Holder | Reply:
        """The special token endpoint: client id and secret by Basic authentication, no subscription key."""
        word, _, told = headers.get("authorization", "").partition(" ")
        client_id, _, client_secret = _read_basic(told).partition(":")
        holder = self._merchants.holder(client_id)
        if "ocp-apim-subscription-key" in headers or "client_credentials" not in parse_qs(body.decode("latin-1")).get(
            "grant_type", []
        ):
            return json_reply({"error": "invalid_client"}, status=400)
        if word != "Basic" or holder is None or client_secret != holder.keys.client_secret:
            return json_reply({"error": "invalid_client"}, status=401)
        if self._switches.environment == "test":
            return gateway(404, "Resource not found")
        return holder

    def identify(self, headers: Mapping[str, str], *, now: float, takes_special: bool = False) -> Holder | Denied:
        """Whose keys they are, whatever the sales unit."""
        word, _, token = headers.get("authorization", "").partition(" ")
        subscription_key = headers.get("ocp-apim-subscription-key", "")
        if takes_special and not subscription_key:
            special = self._tokens.holder(token, now=now, is_special=True) if word == "Bearer" else None
            if special is not None:
                return special
        if not self._merchants.knows_subscription(subscription_key):
            return Denied(reply=_unknown_subscription(subscription_key))
        holder = self._tokens.holder(token, now=now) if word == "Bearer" else None
        if holder is None:
            return Denied(reply=gateway(401, "Unauthorized. Access token is missing or invalid."))
        if holder.is_partner and self._switches.environment == "test":
            refusal = gateway(401, "Access denied: partner keys are not available in the test environment.")
            return Denied(reply=refusal, keys=holder.keys.name)
        if subscription_key not in holder.keys.subscription_keys:
            refusal = gateway(401, "Unauthorized. The subscription key is not the token's.")
            return Denied(reply=refusal, keys=holder.keys.name)
        return holder

    def check(
        self, headers: Mapping[str, str], *, now: float, needs_msn: bool = True, takes_inactive: bool = False
    ) -> Caller | Denied:
        """Who is calling for which sales unit. Unless the MSN is needed, a unit's own keys stand for it."""
        holder = self.identify(headers, now=now)
        if isinstance(holder, Denied):
            return holder
        name = holder.keys.name
        msn = headers.get("merchant-serial-number", "")
        if not msn and not needs_msn and holder.kind is HolderKind.UNIT:
            msn = holder.name
        if msn not in holder.msns or not _MSN.fullmatch(msn):
            return Denied(reply=_invalid_msn(msn, holder), keys=name)
        unit = self._merchants.units.get(msn)
        if unit is None or not (unit.is_active or takes_inactive):
            return Denied(reply=gateway(403, f"Invalid MSN: {msn}. The sales unit is not active."), keys=name)
        return Caller(keys=name, subscription_key=headers["ocp-apim-subscription-key"], unit=unit)


def _read_basic(told: str) -> str:
    try:
        return base64.b64decode(told, validate=True).decode()
    except ValueError:
        return ""


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
