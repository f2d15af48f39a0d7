"""One POST to a store system: to a checked address only, once, within a few seconds, and with no interest in the answer."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3

from refunds.outbound.addresses import NotPublic, Place, place_of
from refunds.outbound.trying import Tried
from stores import clock
from stores.vipps.connections import WatchedAdapter, passage
from stores.vipps.errors import VippsError
from stores.vipps.exchange import Deadline

TOTAL_SECONDS = 15.0
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 10.0


class _PinnedAdapter(WatchedAdapter):
    """Connects to the address that was checked, and asks the other side to prove the name it was found under."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, server_hostname=self._name, **kwargs)


def post(url: str, *, body: bytes, headers: Mapping[str, str], ca_bundle: str | None = None) -> Tried:
    """Send it; every way it can go is a Tried. 2xx is success; a redirect is not followed; the answer's body is not read."""
    try:
        place = place_of(url)
    except NotPublic as refusal:
        return Tried(status=None, problem=str(refusal))
    deadline = Deadline.after(TOTAL_SECONDS, clock=clock.monotonic)
    try:
        with passage("deliver", deadline):
            status = _status(place, body, headers, ca_bundle)
    except (requests.RequestException, urllib3.exceptions.HTTPError, VippsError, OSError, ValueError) as error:
        # VippsError is how the watched connection says that the time was over; the text of the others may hold addresses.
        return Tried(status=None, problem=f"no answer: {type(error).__name__}")
    return Tried(status=status, problem="" if 200 <= status < 300 else f"HTTP {status}")


def _status(place: Place, body: bytes, headers: Mapping[str, str], ca_bundle: str | None) -> int:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca_bundle or True
        session.headers.clear()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.mount(f"{place.scheme}://", _PinnedAdapter(place.host))
        with session.post(
            place.url,
            data=body,
            headers={**headers, "host": place.netloc, "connection": "close"},
            timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            return answer.status_code
