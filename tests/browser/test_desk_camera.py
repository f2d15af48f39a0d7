"""Scanning with the camera: offered only where the browser reads codes, and switched off again whatever comes of it."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Chain

pytestmark = pytest.mark.browser

# Headless Chromium on Linux has neither a camera nor a reader of barcodes: both are played.
CAMERA = """
    window.tracks = [];
    navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement("canvas");
        const draw = canvas.getContext("2d");
        setInterval(() => draw.fillRect(0, 0, Math.random() * 99, 99), 50);
        const stream = canvas.captureStream();
        window.tracks.push(...stream.getTracks());
        return stream;
    };
    window.BarcodeDetector = class {
        static getSupportedFormats = async () => ["qr_code", "unknown"];
        detect = async () => (window.code ? [{ rawValue: window.code }] : []);
    };
"""
NO_CAMERA = CAMERA + "navigator.mediaDevices.getUserMedia = async () => { throw new Error('denied'); };"


def running(desk: Page) -> list[str]:
    states: list[str] = desk.evaluate("window.tracks.map((track) => track.readyState)")
    return states


def test_without_a_reader_there_is_no_button(desk: Page) -> None:
    assert desk.evaluate("'BarcodeDetector' in window") is False
    expect(desk.locator("[data-camera]")).to_be_hidden()


def test_a_code_before_the_camera_is_searched_for_and_the_camera_stops(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    desk.context.add_init_script(CAMERA)
    desk.goto("/desk/")
    expect(desk.get_by_role("button", name="Camera")).to_be_visible()
    desk.keyboard.press("F7")
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.wait_for_function("window.tracks.length === 1")
    assert running(desk) == ["live"]
    desk.evaluate("window.code = 'BGO-20261101-7741'")
    desk.wait_for_url(f"**/desk/orders/{order.public_id}/")


def test_closing_it_stops_the_camera_and_the_cursor_is_back(chain: Chain, desk: Page) -> None:
    desk.context.add_init_script(CAMERA)
    desk.goto("/desk/")
    desk.keyboard.press("F7")
    desk.wait_for_function("window.tracks.length === 1")
    desk.keyboard.press("Escape")
    expect(desk.locator("dialog.camera")).to_be_hidden()
    expect(desk.locator("#q")).to_be_focused()
    assert running(desk) == ["ended"]


def test_a_camera_that_may_not_be_used_is_said(chain: Chain, desk: Page) -> None:
    desk.context.add_init_script(NO_CAMERA)
    desk.goto("/desk/")
    desk.get_by_role("button", name="Camera").click()
    expect(desk.get_by_role("dialog").get_by_role("alert")).to_contain_text("Type the number instead")
    desk.get_by_role("button", name="Close").click()
    expect(desk.locator("#q")).to_be_focused()
