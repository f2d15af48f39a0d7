"""What a browser without JavaScript sees of a page: its links, its forms, and the progress of a refund."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(kw_only=True)
class Link:
    """`text` as one reads it, white space aside."""

    href: str
    text: str = ""


@dataclass(kw_only=True)
class Form:
    """A form and what stands in its fields before anybody types."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Page:
    """`tone` and `headline` are the progress of a refund, `is_waiting` whether the page would look again by itself."""

    links: list[Link] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    tone: str = ""
    headline: str = ""
    is_waiting: bool = False
    problems: list[str] = field(default_factory=list)


def read_page(html: str) -> Page:
    """Read one page, or a fragment of one."""
    reader = _Reader()
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._link: Link | None = None
        self._in_headline = self._in_progress = False
        self._alert_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._link = Link(href=told.get("href", ""))
        elif tag == "form":
            self.page.forms.append(Form(action=told.get("action", "")))
        elif tag == "input" and self.page.forms and told.get("type") not in ("radio", "checkbox"):
            self.page.forms[-1].fields[told.get("name", "")] = told.get("value", "")
        elif tag == "section" and told.get("id") == "progress":
            self._in_progress = True
            self.page.tone = told.get("class", "").removeprefix("progress").strip()
            self.page.is_waiting = "hx-get" in told
        elif tag == "h2" and self._in_progress and not self.page.headline:
            self._in_headline = True
        if tag == "div" and (told.get("role") == "alert" or self._alert_depth):
            self._alert_depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self._link.text = " ".join(self._link.text.split())
            self.page.links.append(self._link)
            self._link = None
        elif tag == "h2":
            self._in_headline = False
        elif tag == "section":
            self._in_progress = False
        elif tag == "div" and self._alert_depth:
            self._alert_depth -= 1

    def handle_data(self, data: str) -> None:
        if self._link is not None:
            self._link.text += f" {data}"
        if self._in_headline:
            self.page.headline += data
        if self._alert_depth and data.strip():
            self.page.problems.append(data.strip())
