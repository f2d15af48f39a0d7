"""What holds on every page of the desk: no inline code under a strict policy, few questions to the database, and few bytes."""

import gzip
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from refunds.desk import urls
from stores import search
from stores.models import Order
from stores.search import find_orders
from tests.conftest import Chain
from tests.refunds.desk_pages import Page, signed_in
from tests.refunds.desk_scenes import Scene, every_scene

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
INLINE = re.compile(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:|\shx-on", re.IGNORECASE)
FRAGMENTS = {"amount", "approvals-count", "confirmed", "here", "look-up-progress", "progress", "store-names", "under-way"}
"""Addresses that answer with a part of a page, or that only take what is sent."""
ONLY_SENT = {"allow-here", "ask-vipps", "request", "decide", "elsewhere-seen", "leave", "lock", "shift-note", "shift-taken"}

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "desk"
WITHOUT_A_STORE = {
    "locked.html": "whoever goes on at a till may be somebody with other stores",
    "pin.html": "a PIN is hers in all of them",
    "stores.html": "it chooses the store",
}
"""Why the forms of these pages name none."""


def open_scene(scene: Scene, client: Client) -> Page:
    """The scene's page, as a browser without script gets it."""
    if scene.sent is not None:
        return client.post(scene.path + scene.to, scene.sent)
    if scene.typed is None:
        return client.get(scene.path)
    return client.post(f"{scene.path}confirm/", {"reason_text": "", "request_key": "a" * 32, **scene.typed})


@pytest.fixture
def scenes(chain: Chain) -> list[Scene]:
    return every_scene(chain)


def test_every_page_of_the_desk_is_looked_at(scenes: list[Scene]) -> None:
    seen = {str(resolve(scene.path.split("?")[0] + scene.to).url_name) for scene in scenes}
    typed = {"confirm"} if any(scene.typed for scene in scenes) else set()
    assert {str(pattern.name) for pattern in urls.urlpatterns} - FRAGMENTS - ONLY_SENT == seen | typed


def test_every_form_says_which_store_its_page_was_made_for() -> None:
    """So that nothing is done in the name of another that she has chosen in another tab since."""
    for template in TEMPLATES.rglob("*.html"):
        for form in re.findall(r"<form[^>]* method=\"post\".*?</form>", template.read_text(), re.DOTALL):
            assert ("desk/_works_in.html" in form) == (template.name not in WITHOUT_A_STORE), template.name


def test_who_only_looks_where_something_is_sent_finds_the_page_it_belongs_to(chain: Chain) -> None:
    """As after a change of language, at a till that was locked, or in a tab that the browser opens again."""
    thing, kari = uuid.uuid4(), signed_in(chain.kari)
    pages = {
        **dict.fromkeys(["allow-here", "decide"], f"/desk/refunds/{thing}/"),
        **dict.fromkeys(["ask-vipps", "leave", "lock"], "/desk/"),
        **dict.fromkeys(["shift-note", "shift-taken"], "/desk/shift/"),
        "elsewhere-seen": "/desk/elsewhere/",
        "request": f"/desk/orders/{thing}/",
    }
    assert pages.keys() == ONLY_SENT
    for pattern in urls.urlpatterns:
        if (name := str(pattern.name)) in ONLY_SENT:
            address = reverse(f"desk:{name}", args=[thing] * len(pattern.pattern.converters))
            assert kari.get(address).headers.get("Location") == pages[name], name


def test_no_page_has_inline_code_and_each_has_the_strict_policy(scenes: list[Scene]) -> None:
    for scene in scenes:
        page = open_scene(scene, signed_in(scene.who, with_proof=scene.with_proof))
        assert page.status_code == scene.status, scene.name
        assert {part.strip() for part in page["Content-Security-Policy"].split(";")} == POLICY, scene.name
        assert INLINE.findall(page.content.decode()) == [], scene.name


MOST_STATEMENTS = 8
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
HANDS_OVER = {"receipt"}
"""A press that writes down what was printed: more than a page, and never waited for by a queue."""


def statements(captured: CaptureQueriesContext) -> list[str]:
    """What the database was asked, without the words that begin and end a transaction."""
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(CONTROL)]


def test_no_page_asks_the_database_more_than_eight_times(
    chain: Chain, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the stages of a search, which are bounded by tests of their own."""
    searched: list[str] = []

    def counted(typed: str, **asked: Any) -> Any:
        with CaptureQueriesContext(connection) as own:
            found = find_orders(typed, **asked)
        searched.extend(statements(own))
        return found

    monkeypatch.setattr(search, "find_orders", counted)
    too_many = {}
    for scene in scenes:
        if scene.name in HANDS_OVER:
            continue
        Order.objects.update(confirmed_at=None)  # so that each order's page asks Vipps anew
        client = signed_in(scene.who, with_proof=scene.with_proof)
        searched.clear()
        with CaptureQueriesContext(connection) as captured:
            open_scene(scene, client)
        asked = len(statements(captured)) - len(searched)
        if asked > MOST_STATEMENTS:
            too_many[scene.name] = asked
    assert too_many == {}


def test_a_first_look_at_the_desk_is_small(chain: Chain, scenes: list[Scene]) -> None:
    """The page as it is sent, and what it loads as WhiteNoise keeps it: compressed."""
    for scene in scenes:
        page = open_scene(scene, signed_in(scene.who, with_proof=scene.with_proof)).content
        loaded = re.findall(rb'(?:src|href)="/static/([^"]+)"', page)
        assert loaded, scene.name
        sizes = {path.decode(): _compressed(path.decode()) for path in loaded}
        assert len(page) + sum(sizes.values()) < 60_000, (scene.name, len(page), sizes)


def _compressed(path: str) -> int:
    found = finders.find(path)
    assert isinstance(found, str), path
    content = Path(found).read_bytes()
    return len(gzip.compress(content, 9)) if path.endswith((".js", ".css", ".svg")) else len(content)
