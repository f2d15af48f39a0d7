"""The trail keeps fixed English and is read in the reader's language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from refunds import approving, execution, telling
from refunds.events import BreakerOpened, RefundsPaused, RefundsResumed
from refunds.gateway import Meaning
from refunds.models import Refund
from stores import access, actors, audit
from stores.events import RegistrationDeleted, TrailEvent
from stores.models import Entry
from tests.conftest import Chain
from tests.refunds.asking import ask

REFUNDS = Path(telling.__file__).parent


def _texts_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "{tail}" for part in node.values)
        yield re.sub(r"(\{tail\})+", "{tail}", "".join(parts))


def _written_reasons() -> Iterator[str]:
    """What the machine gives as `because`: as a keyword, as a variable of that name, or second or third in a call."""
    for path in sorted(REFUNDS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for given in _given(node):
                yield from _texts_of(given)


def _given(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.keyword(arg="because"):
            return [node.value]
        case ast.Assign(targets=[ast.Name(id="because" | "late")]):
            return [node.value]
        case ast.Call(func=ast.Name(id="_move" | "_move_all" | "_look_again" | "_step_back")):
            return node.args[1:]
    return []


def test_every_reason_the_machine_writes_has_norwegian_words() -> None:
    written = {text.replace("{tail}", "X") for text in _written_reasons()}
    assert len(written) > 20
    with translation.override("nb"):
        assert {text for text in written if telling.because_in_words(text) == text} == set()


def test_every_meaning_of_an_answer_has_norwegian_words() -> None:
    with translation.override("nb"):
        assert [meaning for meaning in Meaning if telling.code_in_words(meaning) == meaning.value] == []


@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("unsure (HTTP 500)", "uklart svar (HTTP 500)"),
        ("the payment could not be read: unsure", "betalingen kunne ikke leses: uklart svar"),
        (
            "Vipps refunded it although the hub had ended it: Vipps confirmed our amount",
            "Vipps refunderte den selv om huben hadde avsluttet den: Vipps bekreftet beløpet vårt",
        ),
        ("words of a later version", "words of a later version"),
    ],
)
def test_what_varies_stays_as_it_was_written(because: str, told: str) -> None:
    with translation.override("nb"):
        assert telling.because_in_words(because) == told


def _trail_of(refund: Refund) -> list[str]:
    with translation.override("nb"):
        told = [audit.sentence_of(entry) for entry in audit.timeline_of("refund", str(refund.pk))]
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in told]


def test_the_trail_of_a_refund_is_norwegian_to_norwegians_and_its_text_is_not_touched(chain: Chain) -> None:
    refund = ask(chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_050, who=chain.kari, store=chain.oslo).refund
    execution.run_until_rest(refund.pk, by=actors.hub("worker"))
    kept = list(Entry.objects.order_by("id").values_list("canonical", "hash"))
    told = _trail_of(refund)
    assert told[0].endswith("tatt i retur i Nordlys Oslo (OSL): Varer i retur")
    assert "på 100,50 kr ble godtatt" in told[0]
    assert told[-1].endswith("på 100,50 kr gikk fra sendes til refundert (T7): Vipps bekreftet beløpet vårt")
    assert list(Entry.objects.order_by("id").values_list("canonical", "hash")) == kept
    assert any('"because":"Vipps confirmed our amount"' in canonical for canonical, _hash in kept)


def test_what_a_person_wrote_is_not_translated(chain: Chain, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 1}
    refund = ask(chain.sold(chain.bergen, "BGO-1000-1", 25_000), 10_050, who=chain.kari, store=chain.oslo).refund
    by = access.actor_for(chain.hanne, store=None)
    approving.reject_refund(refund.pk, note="withdrawn", asker=chain.hanne, by=by)
    assert _trail_of(refund)[-1].endswith(": withdrawn")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (RefundsPaused(scope="everything", subject="", reason="Feil"), "Refusjoner ble satt på pause (alle refusjoner): Feil"),
        (
            RefundsResumed(scope="cashier", subject="Kari", reason="Rettet"),
            "Refusjoner går videre (det én person ber om: Kari): Rettet",
        ),
        (
            BreakerOpened(subject="Vipps", failures=10, problem="unsure (HTTP 500)"),
            "Etter 10 feil på rad får Vipps være i fred: uklart svar (HTTP 500)",
        ),
        (
            RegistrationDeleted(subject="123456", provider_id="w1", because="it had ended here"),
            "Webhook w1 for 123456 ble slettet hos Vipps: den var avsluttet her",
        ),
    ],
)
def test_what_stops_refunds_and_what_the_hub_deletes_is_told_in_norwegian(event: TrailEvent, told: str) -> None:
    with translation.override("nb"):
        assert str(event.sentence).format_map(event.shown(event.facts())) == told


def test_every_end_that_the_hub_gives_a_registration_has_norwegian_words() -> None:
    source = "".join(path.read_text() for path in sorted((REFUNDS.parent / "stores").rglob("regist*/*.py")))
    given = re.findall(r'self\._delete\([^"\n]*"([^"]+)"\)', source)
    assert len(given) >= 3
    with translation.override("nb"):
        for because in given:
            event = RegistrationDeleted(subject="123456", provider_id="w1", because=because)
            assert event.shown(event.facts())["because"] != because
