"""The transport for real use: requests underneath, and nothing left to its defaults."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
import urllib3

from stores.vipps.connections import Passage, WatchedAdapter, passage
from stores.vipps.errors import NotSent, Unsure, VippsError
from stores.vipps.exchange import (
    CONNECT_SECONDS,
    MAX_BODY_BYTES,
    READ_SECONDS,
    TOTAL_SECONDS,
    Deadline,
    Request,
    Response,
    Transport,
)
from stores.vipps.wsgi_transport import WsgiTransport

__all__ = [
    "MAX_BODY_BYTES",
    "TOTAL_SECONDS",
    "Deadline",
    "Request",
    "RequestsTransport",
    "Response",
    "Transport",
    "WsgiTransport",
]

_CHUNK = 64 * 1024


class RequestsTransport:
    """Keeps connections open and shares them between threads; make one per process, after any fork.

    Verifies TLS, follows no redirect, keeps no cookie, ignores proxies and netrc of the environment, takes at most
    `MAX_BODY_BYTES`. Plain http is only spoken to this machine and to `plain_http_hosts` (a simulator next door).
    """

    def __init__(
        self,
        *,
        pool_maxsize: int = 16,
        ca_bundle: str | None = None,
        plain_http_hosts: Collection[str] = (),
    ) -> None:
        self._plain_http_hosts = frozenset(plain_http_hosts)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_bundle or True
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        adapter = WatchedAdapter(pool_connections=4, pool_maxsize=pool_maxsize, max_retries=0, pool_block=False)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        """Raises NotSent or Unsure, as `Transport` says."""
        self._check_target(request)
        deadline.check_may_write(request.operation)
        with passage(request.operation, deadline) as current:
            answer = self._attempt(request, current)
        if isinstance(answer, VippsError):
            # Raised only here, outside any `except`: the library's exceptions hold the request with all its keys.
            raise answer
        return answer

    def close(self) -> None:
        self._session.close()

    def _attempt(self, request: Request, current: Passage) -> Response | VippsError:
        try:
            with self._session.request(
                request.method,
                request.base_url + request.path,
                headers=dict(request.headers),
                data=request.body,
                timeout=(min(CONNECT_SECONDS, max(0.001, current.deadline.remaining)), READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return _read(answer, current)
        except VippsError as error:
            return error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return _judge(error, current)

    def _check_target(self, request: Request) -> None:
        target = urlsplit(request.base_url + request.path)
        base = urlsplit(request.base_url)
        if (target.scheme, target.netloc) != (base.scheme, base.netloc) or base.path or base.query or base.username:
            raise NotSent(request.operation, detail="the call would leave the configured host")
        host = base.hostname or ""
        if base.scheme == "https" and host:
            return
        if base.scheme == "http" and (_is_this_machine(host) or host in self._plain_http_hosts):
            return
        raise NotSent(request.operation, detail="https is required for this host")


def _read(answer: requests.Response, current: Passage) -> Response | VippsError:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        return Unsure(current.operation, status=answer.status_code, detail="the answer is compressed, unasked")
    body = bytearray()
    for chunk in answer.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            answer.raw.close()
            return Unsure(current.operation, status=answer.status_code, detail="the answer is too large")
        if current.deadline.remaining <= 0:
            answer.raw.close()
            return Unsure(current.operation, status=answer.status_code, detail="the answer took too long")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=bytes(body))


def _judge(error: Exception, current: Passage) -> VippsError:
    """Only the flag set at the socket proves that nothing was written; the library's class names do not."""
    told = type(error).__name__
    if current.has_written:
        return Unsure(current.operation, detail=f"no answer after sending: {told}")
    return NotSent(current.operation, detail=f"nothing was sent: {told}")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
