"""How the tests read and drive the desk's pages, as a browser without JavaScript would."""

import re
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Protocol

from django.test import Client

from stores.models import Order, User


class Page(Protocol):
    """An answer of the test client, as far as the tests read it."""

    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...

    def __getitem__(self, header: str) -> str: ...


def signed_in(user: User, *, language: str = "en", with_proof: bool = False) -> Client:
    """A browser in which this person has signed in; `with_proof`: and has just given her password once more."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    if with_proof:
        session = client.session
        proof = {"method": "password", "at": time.time(), "reauthenticated": True}
        session.update({"account_authentication_methods": [proof], "account_authentication_methods_user": str(user.pk)})
        session.save()
    return client


class _Text(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(response: Page) -> str:
    """What a reader sees, on one line, with ordinary spaces."""
    reader = _Text()
    reader.feed(response.content.decode())
    return " ".join(" ".join(reader.words).replace("\u00a0", " ").split())


def hidden(response: Page, name: str) -> str:
    """The value of a hidden field. Raises AssertionError when the page has none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, f"no {name} on the page"
    return found[1]


@dataclass(frozen=True, kw_only=True)
class Till:
    """A cashier's browser at one order."""

    client: Client
    order: Order

    @property
    def path(self) -> str:
        return f"/desk/orders/{self.order.public_id}/"

    def open(self) -> Page:
        return self.client.get(self.path)

    def fill(self, amount: str, *, reason: str = "returned", reason_text: str = "", key: str = "") -> dict[str, str]:
        """What the form sends: with the key of a freshly opened page, unless one is given."""
        key = key or hidden(self.open(), "request_key")
        return {"amount": amount, "reason": reason, "reason_text": reason_text, "request_key": key}

    def confirm(self, filled: dict[str, str]) -> Page:
        return self.client.post(f"{self.path}confirm/", filled)

    def refund(self, filled: dict[str, str]) -> Page:
        return self.client.post(f"{self.path}refund/", filled)
