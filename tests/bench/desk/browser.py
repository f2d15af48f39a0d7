"""A cashier's browser as far as it costs the server: signed in, one line kept open, each form with the page's token."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from django.conf import settings

from tests.bench.desk.visits import Visit

_SECONDS = 60.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One look: the status of the page that came at last, 0 for none, and the seconds until all of it was there."""

    page: str
    status: int
    seconds: float


class Browser:
    """Goes where it is sent on to, and keeps the cookies that it is given."""

    def __init__(self, port: int, *, session: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        self._cookies = {settings.SESSION_COOKIE_NAME: session}
        self._token = ""

    def open(self, visit: Visit) -> Seen:
        body = None if visit.fields is None else urlencode({**visit.fields, "csrfmiddlewaretoken": self._token})
        began = time.perf_counter()
        try:
            status, where = self._ask("GET" if body is None else "POST", visit.path, body)
            if where:
                status, _where = self._ask("GET", where, None)
        except (OSError, http.client.HTTPException):
            self._line.close()
            status = 0
        return Seen(page=visit.page, status=status, seconds=time.perf_counter() - began)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        text = answer.read().decode()
        for given in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(given).items()}
        token = _TOKEN.search(text)
        self._token = token[1] if token else self._token
        return answer.status, answer.headers.get("Location", "")
