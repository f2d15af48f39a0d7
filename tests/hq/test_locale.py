"""Norwegian bokmål is whole; Danish, Swedish and Finnish have every text that a cashier or a customer can come to see.

To bring a catalogue up to date: translate what `test_every_text_is_translated` names as missing, with `msgid` as it stands in
the code, then `pybabel compile -d hq/locale -D django`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

PROJECT = Path(__file__).resolve().parent.parent.parent
LOCALES = PROJECT / "hq" / "locale"
WHOLE, IN_PART = "nb", ("da", "sv", "fi")
LANGUAGES = (WHOLE, *IN_PART)
SEEN_BY_ALL = (
    *("templates/_language_buttons.html", "templates/account/", "templates/allauth/", "templates/base.html"),
    *("templates/desk/", "templates/follow/", "templates/400.html", "templates/403.html", "templates/403_csrf.html"),
    *("templates/404.html", "templates/500.html", "templates/503.html"),
    *("refunds/allowing.py", "refunds/approving.py", "refunds/beside.py", "refunds/desk/", "refunds/errors.py"),
    *("refunds/following.py", "refunds/intake.py", "refunds/lines.py", "refunds/market.py", "refunds/models/refund.py"),
    *("refunds/notes.py", "refunds/overview.py", "refunds/pausing.py", "refunds/policy.py", "refunds/progress.py"),
    *("refunds/refusals.py", "refunds/release_intake.py", "refunds/release_policy.py", "refunds/telling.py"),
    *("refunds/wishes.py", "stores/access.py", "stores/discovery/questions.py", "stores/models/people.py"),
    *("stores/pins.py", "stores/search/"),
)
"""What must be complete in every language: files, or whole folders. What is only headquarters' needs bokmål alone."""
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], (1,)),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
}
TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
TEMPLATE_CALL = re.compile(rf"\bn?(?P<context>p?)gettext\((?P<texts>{TEXT}(?:,\s*{TEXT})*)")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")

Key = tuple[str | None, str]


def _texts_of_python() -> Iterator[tuple[Key, Path]]:
    for package in ("hq", "refunds", "stores"):
        for path in (PROJECT / package).rglob("*.py"):
            with path.open("rb") as source:
                for _line, text, _comments, context in extract("python", source, keywords=KEYWORDS):
                    yield (context, text[0] if isinstance(text, tuple) else text), path


def _texts_of_templates() -> Iterator[tuple[Key, Path]]:
    for path in (PROJECT / "templates").rglob("*.html"):
        python = templatize(path.read_text(), origin=str(path))
        for found in TEMPLATE_CALL.finditer(python):
            texts: tuple[str, ...] = ast.literal_eval(f"({found['texts']},)")
            yield ((texts[0], texts[1]) if found["context"] else (None, texts[0])), path


def texts() -> dict[Key, set[str]]:
    """Every text with the files that say it."""
    found: dict[Key, set[str]] = {}
    for key, path in [*_texts_of_python(), *_texts_of_templates()]:
        found.setdefault(key, set()).add(str(path.relative_to(PROJECT)))
    return found


def wanted_in(language: str) -> dict[Key, set[str]]:
    """The texts that must be there in a language, with the files that say them."""
    if language == WHOLE:
        return texts()
    return {key: paths for key, paths in texts().items() if any(path.startswith(SEEN_BY_ALL) for path in paths)}


def folder_of(language: str) -> Path:
    """Where its catalogue lies."""
    return LOCALES / language / "LC_MESSAGES"


@pytest.fixture(scope="module", params=LANGUAGES)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with (folder_of(request.param) / "django.po").open("rb") as source:
        return read_po(source, locale=request.param)


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _first(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def test_every_text_is_translated(catalogue: Catalog) -> None:
    whole = {(message.context, _first(message.id)) for message in _messages(catalogue) if _is_whole(message)}
    wanted = wanted_in(str(catalogue.locale))
    assert len(wanted) > 50
    assert {key: sorted(paths) for key, paths in wanted.items() if key not in whole} == {}


def test_what_all_must_see_is_there() -> None:
    """A file that moved would drop out of four languages without a word."""
    for path in SEEN_BY_ALL:
        assert (PROJECT / path).exists(), path


def _is_whole(message: Message) -> bool:
    return not message.fuzzy and all(_as_list(message.string))


def test_nothing_is_translated_that_nobody_says(catalogue: Catalog) -> None:
    said = texts()
    assert [message.id for message in _messages(catalogue) if (message.context, _first(message.id)) not in said] == []
    assert list(catalogue.obsolete) == []


def test_each_translation_fills_in_the_same_facts(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        for text in _as_list(message.string):
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(_first(message.id))), message.id


def test_the_catalogue_is_compiled_as_it_stands(catalogue: Catalog) -> None:
    compiled = folder_of(str(catalogue.locale)) / "django.mo"
    assert compiled.exists(), "run: pybabel compile -d hq/locale -D django"
    with compiled.open("rb") as source:
        built = {(_context(message), _first(message.id)): message.string for message in _messages(read_mo(source))}
    written = {(message.context, _first(message.id)): message.string for message in _messages(catalogue)}
    assert {key: _as_list(text) for key, text in built.items()} == {key: _as_list(text) for key, text in written.items()}, (
        "run: pybabel compile -d hq/locale -D django"
    )


def _context(message: Message) -> str | None:
    """Babel's reader of compiled catalogues leaves the context as bytes."""
    context: str | bytes | None = message.context
    return context.decode() if isinstance(context, bytes) else context


def _as_list(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)
