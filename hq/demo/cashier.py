"""A cashier at the desk, over HTTP: she signs in, searches, reads, fills in and presses, as a browser would."""

import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests

from hq.demo.errors import DemoFailed
from hq.demo.pages import Form, Page, read_page

_SECONDS = 30.0
_LOOK_EVERY = 0.15


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a refund ended in the cashier's eyes; the tones are the desk's: done, no, unsure, waiting."""

    refund_id: str
    tone: str
    headlines: tuple[str, ...]
    seconds: float


class Cashier:
    """One browser with one session. Raises DemoFailed where a page is not what it should be."""

    def __init__(self, hub_url: str) -> None:
        self._url = hub_url
        self._session = requests.Session()
        self._session.trust_env = False

    def sign_in(self, username: str, password: str) -> None:
        """Through the page that everybody uses."""
        at, page = self._get("/accounts/login/")
        landed, _page = self._submit(at, _form(page, "/accounts/login/"), login=username, password=password)
        if not urlsplit(landed).path.startswith("/desk/"):
            raise DemoFailed(f"{username} could not sign in; the desk sent her to {landed}.")

    def choose_pin(self, pin: str, *, password: str) -> None:
        """For the till: the page asks for the password once more before it takes one."""
        at, page = self._get("/desk/pin/")
        if urlsplit(at).path != "/desk/pin/":
            at, page = self._submit(at, page.forms[-1], password=password)
        self._submit(at, _form(page, "/desk/pin/"), pin=pin, again=pin)

    def find(self, typed: str, *, reference: str, store: str) -> str:
        """Search for what was typed; the order's page, opened at once or chosen by reference and store."""
        at, page = self._get("/desk/", q=typed)
        if "/orders/" in at:
            return at
        for link in page.links:
            if "/desk/orders/" in link.href and reference in link.text and store in link.text:
                return urljoin(at, link.href)
        raise DemoFailed(f"The desk does not find {reference} of {store} by “{typed}”.")

    def refund(self, order_url: str, *, amount: str, reason: str, within: float) -> Seen:
        """Ask for a refund, confirm it, and look until it has ended or `within` seconds are over."""
        at, page = self._get(order_url)
        at, page = self._submit(at, _form(page, "/confirm/"), amount=amount, reason=reason)
        form = _form(page, "/refund/")
        started = time.monotonic()
        at, page = self._submit(at, form)
        if "/desk/refunds/" not in at:
            raise DemoFailed(f"The desk did not take the refund: {' '.join(page.problems) or at}")
        headlines = [page.headline]
        while page.is_waiting and time.monotonic() - started < within:
            time.sleep(_LOOK_EVERY)
            _at, page = self._get(at)
            if page.headline != headlines[-1]:
                headlines.append(page.headline)
        return Seen(
            refund_id=urlsplit(at).path.rstrip("/").rpartition("/")[2],
            tone=page.tone,
            headlines=tuple(headlines),
            seconds=round(time.monotonic() - started, 2),
        )

    def _get(self, path: str, **asked: str) -> tuple[str, Page]:
        return self._read(self._session.get(urljoin(self._url, path), params=asked, timeout=_SECONDS))

    def _submit(self, at: str, form: Form, **typed: str) -> tuple[str, Page]:
        return self._read(self._session.post(urljoin(at, form.action), data={**form.fields, **typed}, timeout=_SECONDS))

    def _read(self, answer: requests.Response) -> tuple[str, Page]:
        page = read_page(answer.text)
        if not answer.ok:
            said = " ".join(page.problems) or answer.reason
            raise DemoFailed(f"{urlsplit(answer.url).path} answered {answer.status_code}: {said}")
        return answer.url, page


def _form(page: Page, action_ends: str) -> Form:
    for form in page.forms:
        if form.action.endswith(action_ends):
            return form
    raise DemoFailed(f"The page has no form that goes to {action_ends}: {' '.join(page.problems)}")
