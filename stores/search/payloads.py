"""What a scanner or a clipboard gives, to the references in it: links, `name=value` lists, JSON, GS1, lines of a receipt."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from stores.models import reference_key
from stores.search.layouts import as_us_scanner_meant

LONGEST_PAYLOAD = 10_000
LONGEST_KEY = 64
MOST_REFERENCES = 8
"""So many are looked up at most, whatever stands in the payload."""
_LONG_WORD = 6

# Names of what a till calls the order, as they are written without anything but letters; earlier ones count more.
_OF_REFERENCES = (
    *("reference", "paymentreference", "orderreference", "vippsreference", "referanse", "ref"),
    *("orderid", "ordernumber", "orderno", "order", "ordreid", "ordrenummer", "ordrenr", "ordre"),
)
_NAMES = (
    *_OF_REFERENCES,
    *("receiptid", "receiptnumber", "receiptno", "receipt", "kvitteringsnummer", "kvitteringsnr", "kvittering"),
    *("transactionid", "transaction", "bongnr", "bong", "id", "r", "o", "q"),
)
_NOT_REFERENCES = frozenset(
    {"msn", "merchant", "merchantserialnumber", "amount", "sum", "total", "belop", "date", "dato", "time", "currency", "v"}
    | {"signature", "sig", "hash", "token", "exp", "gtin", "gln"}
)
# GS1 application identifiers whose value a shop chooses itself (GS1 General Specifications, section 3).
_GS1_OWN = ("400", "8020", "8018", "253", "251", "250", "240", "21", "10")
_GS1_OTHERS = ("00", "01", "02", "11", "12", "13", "15", "17", "37", "414", "415", "417", "3922", "8013")
_AIM = re.compile(r"^\s*\][A-Za-z][0-9A-Za-z]")
_LINK = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]{0,20}:)?//|^www\.|^[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,10}[/?]", re.ASCII)
_LINK_INSIDE = re.compile(r"https?://\S+", re.IGNORECASE)
_BRACKETED = re.compile(r"\((\d{2,4})\)([^(]{1,90})")
_SEPARATORS = re.compile(r"[\n\r\t;&|,\x1d]+")
_PAIR = re.compile(r"\"?([A-Za-zÆØÅæøå_. -]{1,40}?)\"? ?[=:#] ?\"?([^\" ][^\"]*)\"?")
_LONGEST_PAIR = 250
_WORD_BEFORE = re.compile(rf"^(?:{'|'.join(_NAMES[:-4])})\.?\s+#?(?=.*\d)", re.IGNORECASE)
_OTHER_FIGURES = re.compile(
    r"\d{1,9}[.,]\d\d|\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.(?:\d\d){1,2}|\d{1,2}:\d\d(?::\d\d)?", re.ASCII
)
"""An amount, a day or a time, which stand beside references."""
_EXTENSION = re.compile(r"\.(?:pdf|html?|php|aspx?|json)$", re.IGNORECASE)


def shown(typed: str) -> str:
    """What was typed as a person sees it: on one line, without marks that nobody sees."""
    return " ".join(_clean(typed[:LONGEST_PAYLOAD]).split())


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """Texts that may be the reference, likeliest first. `is_named`: they are called that, so nothing beside them counts."""

    texts: list[str]
    is_named: bool = False


def references_in(typed: str) -> list[str]:
    """The texts that may be the reference, likeliest first, no two of one key; none longer than a reference can be.

    What a payload itself calls a reference or an order is all there is of it: a receipt number or an amount beside it may
    be another order's reference.
    """
    text = _AIM.sub("", _clean(typed[:LONGEST_PAYLOAD])).strip()
    readings = [text, *as_us_scanner_meant(text)]
    payloads = [_in_payload(reading) for reading in readings]
    texts = [found for payload in payloads if payload.is_named for found in payload.texts]
    if not texts:
        texts = [found for payload in payloads for found in payload.texts]
        texts += [found for reading in readings for found in _in_words(reading)]
    by_key: dict[str, str] = {}
    for found in texts:
        if _may_be_one(found):
            by_key.setdefault(reference_key(found), " ".join(found.split()))
    return list(by_key.values())[:MOST_REFERENCES]


def _clean(text: str) -> str:
    """Without NUL, directional marks and their like; what separates lines and fields stays."""
    return "".join(sign for sign in text if sign in "\n\r\t\x1d" or unicodedata.category(sign)[0] not in "C")


def _in_payload(text: str, depth: int = 0) -> _Reading:
    """References in something that a machine wrote; empty for what a person types."""
    if depth > 2:
        return _Reading(texts=[])
    if _LINK.match(text):
        return _in_link(text, depth)
    if link := _LINK_INSIDE.search(text):
        return _in_link(link[0], depth)
    if text[:1] in ("{", "["):
        return _ranked(_of_json(text), depth)
    if pairs := _BRACKETED.findall(text):
        return _Reading(texts=[value for ai in _GS1_OWN for name, value in pairs if name == ai])
    parts = [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
    pairs = [(pair[1], pair[2]) for part in parts if (pair := _pair(part))]
    named = _Reading(texts=[])
    if len(pairs) > 1 or any(_name(name) in _NAMES for name, _value in pairs):
        named = _ranked(((name, _decoded(value)) for name, value in pairs), depth)
    if named.is_named:
        return named
    cells = [text for part in parts if len(parts) > 1 and _is_like_one(part) for text in (*_value_of(part), part)]
    return _Reading(texts=named.texts + cells)


def _pair(part: str) -> re.Match[str] | None:
    return _PAIR.fullmatch(" ".join(part.split())) if len(part) <= _LONGEST_PAIR else None


def _in_words(text: str) -> list[str]:
    """What a person typed: all of it, without a word like "order" before it; then its longer words by themselves."""
    without_name = _WORD_BEFORE.sub("", text)
    return [without_name, text, *_long_words(text), *_value_of(text)]


def _long_words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s/]+", text) if _is_like_one(word) and len(reference_key(word)) >= _LONG_WORD]


def _value_of(element: str) -> list[str]:
    """What stands after a GS1 application identifier, which is written without brackets in a code."""
    values = [element[len(ai) :] for ai in _GS1_OWN if element.startswith(ai)]
    return [value for value in values[:1] if _is_like_one(value)]


def _in_link(text: str, depth: int) -> _Reading:
    try:
        parts = urlsplit(text if "//" in text[:24] else f"//{text}")
        pairs = parse_qsl(parts.query.replace(";", "&"), max_num_fields=100, errors="replace")
    except ValueError:
        return _Reading(texts=[])
    path = [_EXTENSION.sub("", _decoded(segment)) for segment in (parts.path + "/" + parts.fragment).split("/") if segment]
    inner = [_in_payload(segment, depth + 1) for segment in path if "=" in segment]
    named = _ranked(((name, _decoded(value)) for name, value in pairs if _rank(name) is not None), depth)
    other = _ranked(((name, _decoded(value)) for name, value in pairs if _rank(name) is None), depth)
    if certain := next((reading for reading in (named, other, *inner) if reading.is_named), None):
        return certain
    own = [value for ai in _GS1_OWN for name, value in pairwise(path) if name == ai]
    others = {value for name, value in pairwise(path) if name in _GS1_OTHERS}
    ends = [segment for segment in reversed(path) if _is_like_one(segment) and segment not in others]
    return _Reading(texts=[*own, *named.texts, *[text for reading in inner for text in reading.texts], *ends, *other.texts])


def _ranked(pairs: Iterable[tuple[str, str]], depth: int) -> _Reading:
    """The values: those with a name that we know first, and none that is certainly something else."""
    known: list[tuple[int, str]] = []
    other: list[str] = []
    for name, value in pairs:
        if _name(name) in _NOT_REFERENCES:
            continue
        inner, rank = _in_payload(value, depth + 1), _rank(name)
        if inner.is_named:
            known += [(0, text) for text in inner.texts]
        elif rank is not None:
            known += [(rank, text) for text in inner.texts or [value, *_long_words(value)]]
        else:
            other += inner.texts or ([value] if _is_like_one(value) else [])
    known.sort(key=lambda each: each[0])
    named = [text for rank, text in known if rank < len(_OF_REFERENCES) and _may_be_one(text)]
    return _Reading(texts=named, is_named=True) if named else _Reading(texts=[text for _rank, text in known] + other)


def _rank(name: str) -> int | None:
    return _NAMES.index(_name(name)) if _name(name) in _NAMES else None


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    try:
        yield from _scalars("", json.loads(text), depth=0)
    except (ValueError, RecursionError):
        return


def _scalars(name: str, value: Any, *, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 5:
        return
    if isinstance(value, dict):
        for each, inner in value.items():
            yield from _scalars(each, inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(name, inner, depth=depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)


def _decoded(text: str) -> str:
    """Percent signs resolved, twice at most: some tills encode what is encoded already."""
    once = unquote(text, errors="replace")
    return unquote(once, errors="replace") if "%" in once else once


def _name(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalpha())


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _may_be_one(text: str) -> bool:
    return 0 < len(reference_key(text)) <= LONGEST_KEY


def _is_like_one(text: str) -> bool:
    is_long = 4 <= len(reference_key(text)) <= LONGEST_KEY
    return is_long and _has_digit(text) and not _OTHER_FIGURES.fullmatch(text)
