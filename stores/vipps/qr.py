"""The QR API v1: a one-time code for a payment that was started through eCom or Recurring.

Source: Vipps QR API v1, OpenAPI description. A payment made through ePayment needs none of this: its user flow QR
answers with the picture's address at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stores.vipps.errors import OurDefect
from stores.vipps.reading import LONGEST_ADDRESS, Unreadable, read_text
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, unreadable


class Picture(StrEnum):
    """What the code's address leads to."""

    ANY = "image/*"
    PNG = "image/png"
    SVG = "image/svg+xml"
    TARGET_URL = "text/targetUrl"


@dataclass(frozen=True, kw_only=True, slots=True)
class OneTimeQr:
    """The address of the picture, which anybody may open; `expires_in` seconds to scan it."""

    url: str
    expires_in: int
    trace_id: str | None = None


class Qr:
    """Every method raises VippsError. An order that has timed out is OurDefect (400) with Vipps' words."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def one_time(self, landing_url: str, *, picture: Picture = Picture.SVG, size: int | None = None) -> OneTimeQr:
        """A code for the address that eCom's initiate answered with. `size` in pixels, 100 to 2000, only for PNG."""
        operation = "qr_one_time"
        if not landing_url.startswith("https://") or len(landing_url) > LONGEST_ADDRESS:
            raise OurDefect(operation, detail="a code is made for an https address of Vipps'")
        if size is not None and (picture is not Picture.PNG or not 100 <= size <= 2000):
            raise OurDefect(operation, detail="a size is 100 to 2000 pixels, and for PNG only")
        headers = {"Accept": picture.value} | ({} if size is None else {"Size": str(size)})
        # The 200 is JSON whatever was asked for: Accept chooses what stands behind the address in it.
        response = self._session.call(operation, "POST", "/qr/v1", body={"url": landing_url}, headers=headers)
        members, trace_id = answer_of(operation, response)
        try:
            expires_in = members.get("expiresIn")
            if type(expires_in) is not int or expires_in < 0:
                raise Unreadable("expiresIn is not a number of seconds")
            return OneTimeQr(url=read_text(members, "url", longest=LONGEST_ADDRESS), expires_in=expires_in, trace_id=trace_id)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None
