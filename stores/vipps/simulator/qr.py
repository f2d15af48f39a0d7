"""QR v1: the one-time QR of an eCom payment. Operation: qr.

Source: Vipps QR API, POST /qr/v1. The code lives as long as the customer may take to open the payment.
"""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

from stores.vipps.simulator.access import Access, Denied
from stores.vipps.simulator.books import Books
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.ecom.views import URL_SECONDS
from stores.vipps.simulator.forms import BadForm, read_body, read_text, refuse_unknown
from stores.vipps.simulator.side_door import SideDoor, refusal
from stores.vipps.simulator.wire import Call, Reply, json_reply

_FORMATS = {"image/*": "svg", "image/png": "png", "image/svg+xml": "svg", "text/targetUrl": ""}
_JSON = "application/json"


class QrApi:
    def __init__(self, *, books: Books, access: Access, door: SideDoor, clock: VirtualClock) -> None:
        self._books = books
        self._access = access
        self._door = door
        self._clock = clock

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        if call.path.rstrip("/") != "/qr/v1" or call.method != "POST":
            return None
        return self._door.answer(call, lambda: self._do(call), api="qr", operation="qr")

    def _do(self, call: Call) -> Reply:
        caller = self._access.check(call.headers, now=self._clock.now(), needs_msn=False)
        if isinstance(caller, Denied):
            return caller.reply
        accepted = call.headers.get("accept", "")
        if accepted not in _FORMATS:
            return refusal(415, f"Accept must be one of {', '.join(_FORMATS)}.", path=call.path, content_type=_JSON)
        try:
            _check_size(call.headers.get("size"))
            url = self._payment_url(call)
        except BadForm as error:
            told = ((error.name, error.reason),)
            return refusal(400, error.reason, path=call.path, fields=told, content_type=_JSON)
        left = self._seconds_left(caller.unit.msn, url)
        if left is None:
            return refusal(400, "The token of the URL is not valid.", path=call.path, content_type=_JSON)
        if left <= 0:
            return refusal(400, "The order has timed out.", path=call.path, content_type=_JSON)
        ending = _FORMATS[accepted]
        code = _token_of(url)
        shown = f"https://qr.invalid/generate/qr.{ending}?qrContent={code}" if ending else f"https://qr.invalid/28/2/01/{code}"
        return json_reply({"url": shown, "expiresIn": int(left)})

    def _payment_url(self, call: Call) -> str:
        members = read_body(call.body)
        refuse_unknown(members, frozenset({"url"}))
        return read_text(members, "url", longest=2500)

    def _seconds_left(self, msn: str, url: str) -> float | None:
        """None if no payment of this sales unit has this address."""
        token = _token_of(url)
        try:
            told = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        except ValueError:
            return None
        owner, _, order_id = told.partition("/")
        payment = self._books.find(msn, order_id) if owner == msn else None
        if payment is None or payment.api != "ecom" or payment.state == "AUTHORIZED":
            return None
        return payment.events[0].at + URL_SECONDS - self._clock.now()


def _token_of(url: str) -> str:
    return next(iter(parse_qs(urlsplit(url).query).get("token", [])), "")


def _check_size(size: str | None) -> None:
    if size is not None and (not size.isdecimal() or not 100 <= int(size) <= 2000):
        raise BadForm("Size", "The value must be from 100 to 2000.")
