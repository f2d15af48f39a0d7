"""The hand-over between shifts in a real browser: to the page, a note, and taking over, all by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from refunds.models import ShiftNote, TakeOver
from tests.conftest import Chain

pytestmark = pytest.mark.browser


def test_kari_takes_over_and_leaves_a_note_without_a_mouse(chain: Chain, desk: Page) -> None:
    left = ShiftNote.objects.create(store=chain.oslo, text="The roll is nearly at its end.", left_by=chain.mona, press="m")
    desk.keyboard.press("F10")
    expect(desk.get_by_role("heading", name="From the last shift to the next")).to_be_visible()
    expect(desk.get_by_role("button", name="I have read it and take over")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("taken over by Kari")).to_be_visible()
    assert TakeOver.objects.get().note == left
    desk.get_by_label("What the next person has to know").focus()
    desk.keyboard.type("1 new roll, under till 2.")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("nobody has taken over yet")).to_be_visible()
    assert ShiftNote.objects.get(left_by=chain.kari).text == "1 new roll, under till 2."
    desk.keyboard.press("Escape")
    expect(desk.locator("#q")).to_be_focused()
