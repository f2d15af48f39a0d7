"""When Vipps says no the cashier hears it in her words, with what to do next: every documented refusal, in every language."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from refunds.models import State
from refunds.progress import progress_of
from refunds.refusals import OF_REFUNDS, OF_RELEASES, Refusal, refusal_of_refund, refusal_of_release
from stores.vipps.codes import CODES, CodeMeaning
from stores.vipps.ecom_codes import ECOM_CODES
from stores.vipps.errors import Misconfigured, Refused
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import signed_in, text_of

OWN_OUTCOMES = {
    *("refunded_elsewhere", "exceeds_captured", "not_captured", "other_currency", "failed_at_vipps"),
    *("payment_not_found", "store_misconfigured", "refused", "misconfigured", "settled_by_people"),
}
"""What the hub itself calls an end of a refund that came to nothing (`deciding`, `review`)."""
OWN_OUTCOMES_OF_RELEASES = {
    *("captured_meanwhile", "captured_in_part", "nothing_reserved", "other_currency", "failed_at_vipps"),
    *("payment_not_found", "store_misconfigured", "refused", "misconfigured", "settled_by_people"),
}


def documented() -> Iterator[str]:
    """The outcome of each code of Vipps' two lists that says a definite no."""
    tables: tuple[dict[str, CodeMeaning], ...] = (CODES, ECOM_CODES)
    for table in tables:
        for code, row in table.items():
            if issubclass(row.error, Refused | Misconfigured):
                yield f"vipps_{code}"


def test_every_documented_refusal_has_its_words_and_nothing_else_has() -> None:
    codes = set(documented())
    assert len(codes) > 70
    assert set(OF_REFUNDS) == codes | OWN_OUTCOMES
    assert set(OF_RELEASES) == codes | OWN_OUTCOMES_OF_RELEASES


ALL: list[tuple[str, Refusal]] = [
    *((f"refund {outcome}", refusal) for outcome, refusal in OF_REFUNDS.items()),
    *((f"release {outcome}", refusal) for outcome, refusal in OF_RELEASES.items()),
]


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_each_says_what_happened_and_what_to_do_in_whole_sentences(language: str) -> None:
    with translation.override(language):
        for outcome, refusal in ALL:
            for words in (str(refusal.what), str(refusal.next_step)):
                assert words.endswith("."), outcome
                assert words[0].isupper(), outcome


@pytest.mark.parametrize(("told", "other"), [(refusal_of_refund, "refunded"), (refusal_of_release, "released")])
def test_a_code_that_nobody_has_named_yet_goes_to_headquarters(told: object, other: str) -> None:
    assert callable(told)
    refusal = told("vipps_9999")
    assert f"nothing was {other}" in str(refusal.what)
    assert "headquarters" in str(refusal.next_step)


@pytest.mark.parametrize(
    ("code", "what", "next_step"),
    [
        ("6150", "Less is left of the payment at Vipps", "Then refund a smaller amount."),
        ("6220", "older than 365 days", "Settle with the customer in another way"),
        ("5100", "its sales unit is not set up for it", "Ask headquarters to set the store right at Vipps"),
    ],
)
def test_the_desk_says_what_happened_and_what_to_do_next(chain: Chain, code: str, what: str, next_step: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code=code))
    refund = run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.DECLINED
    said = text_of(signed_in(chain.kari).get(f"/desk/refunds/{refund.pk}/"))
    assert what in said
    assert next_step in said
    assert progress_of(refund).explanation.endswith(str(progress_of(refund).next_step))
