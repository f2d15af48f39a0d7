"""Order Management v3 categories and images. Operations: post_image, add_category, list_categories, get_category,
drop_category.

Source: Vipps Order Management API. v3's links are their own list here; v2's single category does not show among them.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

from stores.vipps.simulator.access import Access, Denied
from stores.vipps.simulator.books import Books
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.forms import BadForm, read_body, read_text, refuse_unknown
from stores.vipps.simulator.side_door import SideDoor, refusal
from stores.vipps.simulator.wire import Call, Reply, json_reply

CATEGORIES = ("GENERAL", "RECEIPT", "ORDER_CONFIRMATION", "DELIVERY", "TICKET", "BOOKING")
_IMAGES = "/order-management/v1/images"
_LINKS = re.compile(r"/order-management/v3/categories(?:/([0-9a-fA-F-]{36}))?", re.ASCII)
_NAME = re.compile(r"[0-9A-Za-z\-_.]{1,128}", re.ASCII)
_LARGEST_IMAGE = 2 * 1024 * 1024
_JSON = "application/json"


class OrderLinksApi:
    def __init__(self, *, books: Books, access: Access, door: SideDoor, clock: VirtualClock) -> None:
        self._books = books
        self._access = access
        self._door = door
        self._clock = clock
        self._images: set[tuple[str, str]] = set()
        self._links: dict[str, tuple[str, dict[str, Any]]] = {}
        self._made = 0
        books.restores("image", lambda record: self._images.add((record["msn"], record["id"])))
        books.restores("link", lambda record: self._put(record["msn"], record["link"]))
        books.restores("link_gone", lambda record: self._links.__delitem__(record["id"]))

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _LINKS.fullmatch(call.path)
        operation = {
            ("POST", False): "add_category",
            ("GET", False): "list_categories",
            ("GET", True): "get_category",
            ("DELETE", True): "drop_category",
        }.get((call.method, bool(found and found[1])))
        if call.path == _IMAGES and call.method == "POST":
            operation = "post_image"
        elif found is None:
            return None
        if operation is None:
            return None
        link_id = found[1].lower() if found and found[1] else ""
        return self._door.answer(call, lambda: self._do(call, operation, link_id), api="orders", operation=operation)

    def _do(self, call: Call, operation: str, link_id: str) -> Reply:
        caller = self._access.check(call.headers, now=self._clock.now())
        if isinstance(caller, Denied):
            return caller.reply
        msn = caller.unit.msn
        try:
            if operation == "post_image":
                return self._post_image(call, msn)
            if operation == "add_category":
                return self._add(call, msn)
        except BadForm as error:
            return refusal(400, error.reason, path=call.path, fields=((error.name, error.reason),), content_type=_JSON)
        if operation == "list_categories":
            wanted = call.query.get("orderId")
            mine = [link for owner, link in self._links.values() if owner == msn and wanted in (None, link["orderId"])]
            return json_reply({"categories": mine})
        owner, link = self._links.get(link_id, ("", {}))
        if owner != msn:
            return refusal(404, "The category was not found.", path=call.path, content_type=_JSON)
        if operation == "get_category":
            return json_reply(link)
        del self._links[link_id]
        self._books.keep("link_gone", id=link_id)
        return Reply()

    def _post_image(self, call: Call, msn: str) -> Reply:
        members = read_body(call.body)
        refuse_unknown(members, frozenset({"imageId", "src", "type"}))
        image_id = _name(members, "imageId")
        source = read_text(members, "src", longest=2 * _LARGEST_IMAGE)
        if members.get("type") != "base64" or not _is_picture(source):
            raise BadForm("src", "The value must be a PNG or JPEG of at most 2 MB, written as Base64.")
        if (msn, image_id) in self._images:
            return refusal(409, "The image is there already.", path=call.path, content_type=_JSON)
        self._images.add((msn, image_id))
        self._books.keep("image", msn=msn, id=image_id)
        return json_reply({"imageId": image_id})

    def _add(self, call: Call, msn: str) -> Reply:
        members = read_body(call.body)
        refuse_unknown(members, frozenset({"orderId", "paymentType", "type", "url", "imageId"}))
        _name(members, "orderId")
        if members.get("paymentType") not in ("ECOM", "RECURRING"):
            raise BadForm("paymentType", "The value must be ECOM or RECURRING.")
        if members.get("type") not in CATEGORIES:
            raise BadForm("type", f"The value must be one of {', '.join(CATEGORIES)}.")
        if urlsplit(read_text(members, "url", longest=2500)).scheme not in ("http", "https"):
            raise BadForm("url", "The value is not a URL.")
        if members.get("imageId") is not None:
            _name(members, "imageId")
        source = hashlib.sha256(f"link/{msn}/{self._made}".encode()).digest()
        link = {"categoryId": str(uuid.UUID(bytes=source[:16], version=4)), **members}
        self._put(msn, link)
        self._books.keep("link", msn=msn, link=link)
        return json_reply({"categoryId": link["categoryId"]}, status=201)

    def _put(self, msn: str, link: dict[str, Any]) -> None:
        self._made += 1
        self._links[link["categoryId"]] = (msn, link)


def _name(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadForm(name, "The value must be 1 to 128 letters, digits, hyphens, points and underlines.")
    return value


def _is_picture(source: str) -> bool:
    try:
        content = base64.b64decode(source, validate=True)
    except ValueError:
        return False
    return len(content) <= _LARGEST_IMAGE and content.startswith((b"\x89PNG", b"\xff\xd8"))
