"""Pictures of every page of the desk, for people to look at: `PICTURES=folder python -m pytest -n 0 tests/browser/pictures.py`.

`ONLY` names a few scenes, `LOOKS` a few of the looks below.
"""

import os
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from stores.models import User
from tests.conftest import Chain
from tests.refunds.desk_pages import signed_in
from tests.refunds.desk_scenes import Scene, every_scene

pytestmark = [pytest.mark.browser, pytest.mark.skipif("PICTURES" not in os.environ, reason="PICTURES names no folder")]

LOOKS = {
    "till": ("en-GB", "light", 1024, 768, 1.0),
    "till-dark": ("nb-NO", "dark", 1024, 768, 1.0),
    "till-nb": ("nb-NO", "light", 1024, 768, 1.0),
    "till-da": ("da-DK", "light", 1024, 768, 1.0),
    "till-sv": ("sv-SE", "light", 1024, 768, 1.0),
    "till-fi": ("fi-FI", "light", 1024, 768, 1.0),
    "phone-fi": ("fi-FI", "light", 320, 640, 1.0),
    "phone": ("nb-NO", "light", 320, 640, 1.0),
    "phone-dark": ("en-GB", "dark", 320, 640, 1.0),
    "zoom": ("en-GB", "light", 512, 384, 2.0),
    "print": ("nb-NO", "light", 794, 1123, 1.0),
}
"""Language, scheme, width, height, and device pixels: 200 % zoom is half the width in pixels twice as large."""


def enter(page: Page, address: str, who: User, *, with_proof: bool = False) -> None:
    """Sign in without the form: what is looked at is what comes after it."""
    client = signed_in(who, with_proof=with_proof)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])


def go(page: Page, scene: Scene) -> None:
    """Open the page of that scene, through the form where it stands behind one."""
    page.goto(scene.path)
    if scene.key:
        page.keyboard.press(scene.key)
        page.wait_for_url(f"**{scene.path}{scene.to}")
    if scene.typed is None:
        return
    page.fill("#amount", scene.typed["amount"])
    page.check(f"input[name=reason][value={scene.typed['reason']}]", force=True)
    page.locator("form button.primary").first.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("look", os.environ.get("LOOKS", ",".join(LOOKS)).split(","))
def test_take_pictures(look: str, chromium: Browser, live_server: LiveServer, chain: Chain) -> None:
    folder = Path(os.environ["PICTURES"]) / look
    folder.mkdir(parents=True, exist_ok=True)
    language, scheme, width, height, pixels = LOOKS[look]
    wanted = [name for name in os.environ.get("ONLY", "").split(",") if name]
    for scene in every_scene(chain):
        if wanted and scene.name not in wanted:
            continue
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme="dark" if scheme == "dark" else "light",
            device_scale_factor=pixels,
            base_url=live_server.url,
        )
        page = context.new_page()
        enter(page, live_server.url, scene.who, with_proof=scene.with_proof)
        go(page, scene)
        if look == "print":
            page.emulate_media(media="print")
        page.screenshot(path=folder / f"{scene.name}.png", full_page=True)
        context.close()
