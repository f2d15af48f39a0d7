"""Access tokens, kept in this process only: fetched once per key set, refreshed early, forgotten on demand.

Source: Vipps Access Token API, standard authentication. Every value in the answer is a string, numbers too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from stores.vipps.reading import Unreadable, read_object, read_text

MAX_KEPT = 4096
_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.1
_LONGEST_LIFE = 7 * 24 * 3600


class AccessToken:
    """A bearer token and its life in seconds; it does not show itself."""

    __slots__ = ("life", "value")

    def __init__(self, value: str, *, life: float) -> None:
        self.value = value
        self.life = life

    def __repr__(self) -> str:
        return "AccessToken(masked)"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("access tokens are not pickled or copied")


class TokenCache:
    """One per process. `cache_key` names the key set, its version and the environment, never a secret."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._tokens: dict[str, tuple[AccessToken, float]] = {}
        self._fetching: dict[str, threading.Lock] = {}

    def get(self, cache_key: str, fetch: Callable[[], AccessToken], *, patience: float = -1) -> AccessToken:
        """The kept token, or a fetched one. Of several threads one fetches and the others wait up to `patience`
        seconds for it, then raise TimeoutError; what `fetch` raises passes through, to the one that fetched."""
        kept = self._fresh(cache_key)
        if kept is not None:
            return kept
        with self._guard:
            lock = self._fetching.setdefault(cache_key, threading.Lock())
        if not lock.acquire(timeout=patience if patience < 0 else max(patience, 0.001)):
            raise TimeoutError("another thread is still fetching the token")
        try:
            kept = self._fresh(cache_key)
            if kept is not None:
                return kept
            asked_at = self._clock()
            token = fetch()
            self._keep(cache_key, token, asked_at)
            return token
        finally:
            lock.release()

    def drop(self, cache_key: str, token: AccessToken | None = None) -> None:
        """Forgets the key set's token; with `token` only if it is still that one, so that late losers do no harm."""
        with self._guard:
            kept = self._tokens.get(cache_key)
            if kept is not None and (token is None or kept[0] is token):
                del self._tokens[cache_key]

    def _fresh(self, cache_key: str) -> AccessToken | None:
        with self._guard:
            kept = self._tokens.get(cache_key)
        return kept[0] if kept is not None and self._clock() < kept[1] else None

    def _keep(self, cache_key: str, token: AccessToken, asked_at: float) -> None:
        margin = min(max(_MARGIN_SECONDS, token.life * _MARGIN_SHARE), token.life / 2)
        with self._guard:
            while len(self._tokens) >= MAX_KEPT:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[cache_key] = (token, asked_at + token.life - margin)


def read_token(answer: Any) -> AccessToken:
    """Raises Unreadable."""
    members = read_object(answer)
    value = members.get("access_token")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not 1 <= len(value) <= 16_384:
        raise Unreadable("access_token is not a token")
    told = members.get("expires_in")
    text = str(told) if type(told) is int else read_text(members, "expires_in")
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:9]) <= _LONGEST_LIFE:
        raise Unreadable("expires_in is not a number of seconds")
    return AccessToken(value, life=float(int(text[:9])))
