"""Norwegian bokmål is whole: every text of every package and template is translated, and compiled as it stands.

To bring it up to date: `django-admin makemessages -l nb --no-wrap --add-location file --ignore "tests/*"`, translate what
is new, then `pybabel compile -d hq/locale -D django`.
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
FOLDER = PROJECT / "hq" / "locale" / "nb" / "LC_MESSAGES"
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


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (FOLDER / "django.po").open("rb") as source:
        return read_po(source, locale="nb")


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _first(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def test_every_text_is_translated(catalogue: Catalog) -> None:
    whole = {(message.context, _first(message.id)) for message in _messages(catalogue) if _is_whole(message)}
    wanted = {**dict(_texts_of_python()), **dict(_texts_of_templates())}
    assert len(wanted) > 300
    missing = {key: str(path.relative_to(PROJECT)) for key, path in wanted.items() if key not in whole}
    assert missing == {}


def _is_whole(message: Message) -> bool:
    return not message.fuzzy and all(_as_list(message.string))


def test_nothing_is_translated_that_nobody_says(catalogue: Catalog) -> None:
    said = {key for key, _path in [*_texts_of_python(), *_texts_of_templates()]}
    assert [message.id for message in _messages(catalogue) if (message.context, _first(message.id)) not in said] == []
    assert list(catalogue.obsolete) == []


def test_each_translation_fills_in_the_same_facts(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        for text in _as_list(message.string):
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(_first(message.id))), message.id


def test_the_catalogue_is_compiled_as_it_stands(catalogue: Catalog) -> None:
    compiled = FOLDER / "django.mo"
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
