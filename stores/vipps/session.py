"""A session with Vipps: one sales unit, one key set, and every header that a call must carry.

Source: Vipps knowledge base, HTTP headers. The session is bound to its MSN for ever: with partner keys the header
alone chooses whose money moves. One without an MSN speaks for no sales unit, and only calls that move nothing take it.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from stores.vipps.errors import NotSent, OurDefect, TokenUnavailable, Unauthorized, Unsure, VippsError
from stores.vipps.exchange import TOTAL_SECONDS, Deadline, Request, Response, Transport
from stores.vipps.problems import error_from, trace_id_of
from stores.vipps.reading import Unreadable, read_json
from stores.vipps.token_calls import AnyCredentials, subscription_headers, token_request
from stores.vipps.tokens import AccessToken, TokenCache, read_token
from stores.vipps.types import SystemHeaders

logger = logging.getLogger("stores.vipps")

_MSN = re.compile(r"[0-9]{4,10}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,50}", re.ASCII)
_NO_HEADERS: Mapping[str, str] = {}
_TOKEN_REFUSED = (400, 401, 403)


class VippsSession:
    """Makes calls as one sales unit. Safe to share between threads; holds opened keys, so keep it briefly."""

    def __init__(
        self,
        *,
        base_url: str,
        msn: str | None,
        credentials: AnyCredentials,
        cache_key: str,
        transport: Transport,
        tokens: TokenCache,
        system: SystemHeaders,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises ValueError for an MSN or base URL that cannot be one. `base_url` is scheme and host, no path.

        `msn` None: a partner for all its units (webhooks), or accounting keys.
        """
        if msn is not None and not _MSN.fullmatch(msn):
            raise ValueError("an MSN is 4 to 10 digits")
        base = urlsplit(base_url)
        if base.scheme not in ("https", "http") or not base.hostname or base.path.strip("/") or base.query:
            raise ValueError("a base URL is https://host, without a path")
        self.msn = msn
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._cache_key = cache_key
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._now = now
        self._fixed_headers = {
            **({} if msn is None else {"Merchant-Serial-Number": msn}),
            **subscription_headers(credentials),
            "Vipps-System-Name": system.name,
            "Vipps-System-Version": system.version,
            "Vipps-System-Plugin-Name": system.plugin_name,
            "Vipps-System-Plugin-Version": system.plugin_version,
        }

    def __repr__(self) -> str:
        return f"VippsSession(msn={self.msn!r})"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a session holds keys and is not pickled or copied")

    def ensure_token(self) -> None:
        """Has a token in hand afterwards, so that a following call need not fetch one.

        Raises TokenUnavailable, or Unauthorized when Vipps refuses the keys.
        """
        self._token(Deadline.after(TOTAL_SECONDS, clock=self._clock))

    @property
    def is_to_a_simulator(self) -> bool:
        """Whether it speaks without TLS, which the transport allows to a simulator only."""
        return urlsplit(self._base_url).scheme == "http"

    def unit(self, operation: str) -> str:
        """The MSN that this session speaks for. Raises OurDefect where it speaks for none."""
        if self.msn is None:
            raise OurDefect(operation, detail="this call needs a session that is bound to a sales unit")
        return self.msn

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        send_before: float | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        needs_unit: bool = True,
    ) -> Response:
        """The 2xx answer of one API call. Raises VippsError of the kind that the answer, or its absence, stands for.

        One deadline spans it all: the token, the call and, after a 401, one more of each with the same key.
        `send_before` is a moment of the session's clock; past it nothing is written any more. `headers` are the
        call's own, and can replace none that name who is asking. `needs_unit`: refused where the session has no MSN.
        """
        if needs_unit:
            self.unit(operation)
        if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
            raise OurDefect(operation, detail="an idempotency key is 1 to 50 visible ASCII characters")
        deadline = Deadline.after(TOTAL_SECONDS, send_before=send_before, clock=self._clock)
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        own_headers = _own_headers(headers, has_content=content is not None, idempotency_key=idempotency_key)
        token = self._token(deadline)
        response = self._send(operation, method, path, content, own_headers, token, deadline)
        if response.status == 401:
            self._tokens.drop(self._cache_key, token)
            token = self._token(deadline)
            response = self._send(operation, method, path, content, own_headers, token, deadline)
            if response.status == 401:
                self._tokens.drop(self._cache_key, token)
        if 200 <= response.status < 300:
            return response
        raise error_from(operation, response, now=self._now)

    def _send(
        self,
        operation: str,
        method: str,
        path: str,
        content: bytes | None,
        own_headers: Mapping[str, str],
        token: AccessToken,
        deadline: Deadline,
    ) -> Response:
        request = Request(
            operation=operation,
            method=method,
            base_url=self._base_url,
            path=path,
            headers={**own_headers, **self._fixed_headers, "Authorization": f"Bearer {token.value}"},
            body=content,
        )
        return self._exchange(request, deadline)

    def _token(self, deadline: Deadline) -> AccessToken:
        try:
            return self._tokens.get(
                self._cache_key,
                lambda: self._fetch_token(deadline.without_send_limit()),
                patience=max(0.0, deadline.remaining),
            )
        except TimeoutError:
            raise TokenUnavailable("token", detail="another thread was still fetching the token") from None

    def _fetch_token(self, deadline: Deadline) -> AccessToken:
        request = token_request(self._credentials, base_url=self._base_url, headers=self._fixed_headers)
        try:
            response = self._exchange(request, deadline)
        except (NotSent, Unsure) as error:
            raise TokenUnavailable("token", status=error.status, detail=error.detail) from None
        if response.status != 200:
            raise _token_error(error_from("token", response, now=self._now))
        try:
            return read_token(read_json(response.body))
        except Unreadable as error:
            raise TokenUnavailable("token", status=200, detail=f"the answer is unreadable: {error}") from None

    def _exchange(self, request: Request, deadline: Deadline) -> Response:
        started = self._clock()
        try:
            response = self._transport.send(request, deadline=deadline)
        except VippsError as error:
            self._log(request.operation, error, started)
            raise
        if 200 <= response.status < 300:
            logger.info(
                "vipps operation=%s msn=%s status=%s trace_id=%s duration_ms=%d",
                request.operation,
                self.msn,
                response.status,
                trace_id_of(response),
                (self._clock() - started) * 1000,
            )
        else:
            self._log(request.operation, error_from(request.operation, response, now=self._now), started)
        return response

    def _log(self, operation: str, error: VippsError, started: float) -> None:
        logger.info(
            "vipps operation=%s msn=%s status=%s code=%s outcome=%s trace_id=%s duration_ms=%d",
            operation,
            self.msn,
            error.status,
            error.code,
            type(error).__name__,
            error.trace_id,
            (self._clock() - started) * 1000,
        )


def _own_headers(
    headers: Mapping[str, str], *, has_content: bool, idempotency_key: str | None
) -> dict[str, str]:
    own = {"Accept": "application/json"}
    if has_content:
        own["Content-Type"] = "application/json"
    if idempotency_key is not None:
        own["Idempotency-Key"] = idempotency_key
    return own | dict(headers)


def _token_error(error: VippsError) -> VippsError:
    """Whatever the token endpoint says, the call itself was not made; only the reason differs."""
    kind = Unauthorized if error.status in _TOKEN_REFUSED else TokenUnavailable
    return kind(
        "token",
        status=error.status,
        code=error.code,
        trace_id=error.trace_id,
        detail=error.detail or "the keys were refused" if kind is Unauthorized else error.detail,
        retry_after=error.retry_after,
    )
