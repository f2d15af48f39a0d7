"""Access tokens that survive a restart: signed, with their own end, checked against the keys of today.

Source: Vipps Access Token API. Every value of the standard answer is a text; a special token (POST /miami/v1/token, for
accounting keys) is a token of its own kind.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from stores.vipps.simulator.merchants import Holder, Keys, Merchants
from stores.vipps.simulator.wire import Reply, json_reply

# Real tokens are longer than 1,000 characters; a caller with a smaller column should learn it here.
_FILLER = "x" * 700
_MAX_CACHED = 10_000
_SPECIAL_SECONDS = 900


class Tokens:
    def __init__(self, merchants: Merchants, *, seed: int) -> None:
        self._merchants = merchants
        self._secret = hashlib.sha256(f"tokens/{seed}".encode()).digest()
        self._read: dict[str, tuple[str, str, float, bool]] = {}

    def issue(self, keys: Keys, *, now: float, seconds: int) -> Reply:
        ends = now + seconds
        return json_reply(
            {
                "token_type": "Bearer",
                "expires_in": str(seconds),
                "ext_expires_in": str(seconds),
                "expires_on": str(int(ends)),
                "not_before": str(int(now)),
                "resource": "00000002-0000-0000-c000-000000000000",
                "access_token": self._make(keys, ends=ends, is_special=False),
            }
        )

    def issue_special(self, keys: Keys, *, now: float) -> Reply:
        token = self._make(keys, ends=now + _SPECIAL_SECONDS, is_special=True)
        return json_reply({"access_token": token, "token_type": "Bearer", "expires_in": _SPECIAL_SECONDS})

    def holder(self, token: str, *, now: float, is_special: bool = False) -> Holder | None:
        """Whose token it is; None if it is forged, over, of the other kind, or of keys that have been replaced."""
        claims = self._read.get(token) or self._verify(token)
        if claims is None or now >= claims[2] or claims[3] is not is_special:
            return None
        holder = self._merchants.holder(claims[0])
        if holder is None or _fingerprint(holder.keys) != claims[1]:
            return None
        return holder

    def _make(self, keys: Keys, *, ends: float, is_special: bool) -> str:
        claims = {"appid": keys.client_id, "key": _fingerprint(keys), "exp": ends, "special": is_special, "filler": _FILLER}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"eyJhbGciOiJIUzI1NiJ9.{payload}.{self._sign(payload)}"

    def _verify(self, token: str) -> tuple[str, str, float, bool] | None:
        parts = token.split(".")
        if len(parts) != 3 or not hmac.compare_digest(parts[2].encode(), self._sign(parts[1]).encode()):
            return None
        told = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        claims = (told["appid"], told["key"], told["exp"], told["special"])
        if len(self._read) >= _MAX_CACHED:
            self._read.clear()
        self._read[token] = claims
        return claims

    def _sign(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()


def _fingerprint(keys: Keys) -> str:
    return hashlib.sha256(keys.client_secret.encode()).hexdigest()[:16]
