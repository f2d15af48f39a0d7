"""What holds on every page of the desk: no inline code under a strict policy, and an answer that was meant."""

import re

import pytest
from django.test import Client
from django.urls import resolve

from refunds.desk import urls
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
FRAGMENTS = {"amount", "confirmed", "progress", "under-way"}
"""Addresses that answer with a part of a page, or that only take what is sent."""
ONLY_SENT = {"request", "decide", "elsewhere-seen"}


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


def test_no_page_has_inline_code_and_each_has_the_strict_policy(scenes: list[Scene]) -> None:
    for scene in scenes:
        page = open_scene(scene, signed_in(scene.who))
        assert page.status_code == scene.status, scene.name
        assert {part.strip() for part in page["Content-Security-Policy"].split(";")} == POLICY, scene.name
        assert INLINE.findall(page.content.decode()) == [], scene.name
