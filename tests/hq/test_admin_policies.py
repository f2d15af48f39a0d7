"""Headquarters' pages of the limits: drafted by Hanne, put into force by Finn, and by nobody alone."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from refunds import rulebooks
from refunds.models import AskerRole, Measure, PolicyVersion, Reason, Tier, Verdict
from refunds.rules import Rule
from stores import clock, people
from stores.models import Company, Role, User
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.policies import drafted, finn, in_force
from tests.refunds.reviewing import at_hq

LIST = "/hq/refunds/policyversion/"
LIMIT = Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK")


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


def page_of(version: PolicyVersion, verb: str = "change") -> str:
    return f"{LIST}{version.pk}/{verb}/"


class _Form(HTMLParser):
    """Collects what a browser would send of a page's form as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, value = said.get("name") or "", said.get("value") or ""
        if tag == "input" and name and (said.get("type") != "checkbox" or "checked" in said):
            self.sent[name] = "on" if said.get("type") == "checkbox" else value
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in said or self.select not in self.sent):
            self.sent[self.select] = value
        elif tag == "textarea":
            self.area = name
            self.sent[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.select = self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area] += data.strip()


def fields_of(html: str) -> dict[str, str]:
    form = _Form()
    form.feed(html)
    return form.sent


def opened(client: Client, url: str) -> dict[str, str]:
    answer = client.get(url)
    assert answer.status_code == 200
    return fields_of(answer.content.decode())


def test_a_draft_begins_with_what_holds_now(chain: Chain, hanne: Client, settings: Any) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 123_450}
    sent = opened(hanne, f"{LIST}draft/")
    assert (sent["rules-0-above"], sent["rules-0-currency"], sent["rules-0-measure"]) == ("1234,50", "NOK", "refund")
    assert [sent[f"reasons-{number}-code"] for number in range(6)] == [reason.value for reason in Reason]
    assert sent["reasons-0-label_en"] == "Goods returned"
    assert sent["reasons-5-needs_words"] == "on"


def test_two_people_change_the_limits_by_their_pages(chain: Chain, hanne: Client) -> None:
    sent = opened(hanne, f"{LIST}draft/")
    sent |= {
        "note": "The season begins",
        "rules-0-above": "2 500,50",
        "rules-0-currency": "NOK",
        "rules-0-measure": "cashier",
        "rules-0-role": "cashier",
        "rules-0-store": str(chain.oslo.pk),
        "rules-0-older_than_days": "30",
        "rules-0-reason": "goodwill",
        "rules-0-without_receipt": "on",
        "rules-0-allowed_by": "headquarters",
        "reasons-6-code": "recall",
        **{f"reasons-6-label_{language}": "Recall" for language in ("en", "nb", "da", "sv", "fi")},
        "reasons-1-DELETE": "on",
    }
    answer = hanne.post(f"{LIST}draft/", sent)
    version = PolicyVersion.objects.get()
    assert answer["Location"] == page_of(version)
    page = unescape(hanne.get(page_of(version)).content.decode()).replace("\u00a0", " ")
    assert f"More than NOK 2,500.50 by one cashier in 24 hours, asked for by a cashier, in {chain.oslo}" in page
    assert "paid more than 30 days ago, because of “Goodwill”, without a receipt" in page
    assert f"{page_of(version, 'put_into_force')}" not in page
    assert hanne.get(page_of(version, "put_into_force")).status_code == 403

    other = at_headquarters(finn(chain))
    confirm = opened(other, page_of(version, "put_into_force"))
    assert other.post(page_of(version, "put_into_force"), confirm).status_code == 302
    version.refresh_from_db()
    assert (version.verdict, version.decided_by) == (Verdict.CONFIRMED, finn(chain))
    book = rulebooks.in_force(chain.company.pk, now=clock.db_now())
    assert book.rules == (
        Rule(
            measure=Measure.CASHIER,
            above_minor=250_050,
            allowed_by=Tier.HEADQUARTERS,
            currency="NOK",
            role=AskerRole.CASHIER,
            store_id=chain.oslo.pk,
            older_than_days=30,
            reason="goodwill",
            without_receipt=True,
        ),
    )
    codes = [reason.code for reason in book.reasons]
    assert codes == ["returned", "wrong_price", "not_delivered", "goodwill", "other", "recall"]
    for verb in ("put_into_force", "reject", "change_draft", "withdraw"):
        for client in (hanne, other):
            assert client.get(page_of(version, verb)).status_code == 403, verb


def test_what_was_changed_after_it_was_read_is_not_put_into_force(chain: Chain, hanne: Client) -> None:
    version = drafted(chain, LIMIT)
    other = at_headquarters(finn(chain))
    confirm = opened(other, page_of(version, "put_into_force"))
    changed = opened(hanne, page_of(version, "change_draft")) | {"rules-0-above": "9 000 000"}
    assert hanne.post(page_of(version, "change_draft"), changed).status_code == 302
    answer = other.post(page_of(version, "put_into_force"), confirm)
    assert (answer.status_code, "read it again before you decide" in answer.content.decode()) == (422, True)
    assert opened(other, page_of(version, "put_into_force")) != confirm
    version.refresh_from_db()
    assert version.verdict == ""


def test_the_second_person_sees_what_is_new_and_what_falls_away(chain: Chain) -> None:
    in_force(chain, LIMIT, Rule(measure=Measure.REFUND, above_minor=0, older_than_days=90))
    version = drafted(chain, LIMIT, Rule(measure=Measure.ORDER, above_minor=1_000, currency="NOK"))
    answer = at_headquarters(finn(chain)).get(page_of(version, "put_into_force"))
    rows = [[str(cell).replace("\u00a0", " ") for cell in row] for row in answer.context["page"].table.rows]
    assert [(row[0], row[2]) for row in rows] == [
        ("More than NOK 500.00 in one refund", "as now"),
        ("More than NOK 10.00 of one order in 24 hours", "new"),
        ("Every refund, paid more than 90 days ago", "falls away"),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"note": ""}, "This field is required."),
        ({"in_force_from": "soon"}, "Enter a valid date/time."),
        ({"rules-0-above": "25o"}, "Write an amount such as 250 or 250,50."),
        ({"rules-0-above": "250"}, "a limit above zero, and a sum, names its currency"),
        ({"rules-0-measure": "galaxy"}, "Select a valid choice."),
        ({"rules-0-older_than_days": "400"}, "less than or equal to 365"),
        ({"rules-0-role": "cashier", "rules-0-reason": "boredom"}, "not among this version’s reasons"),
        ({"reasons-0-label_fi": ""}, "This field is required."),
        ({"reasons-0-code": "Returned!"}, "2 to 20 small letters"),
    ],
)
def test_what_is_wrong_stands_on_the_page_and_nothing_is_saved(
    chain: Chain, hanne: Client, wrong: dict[str, str], said: str
) -> None:
    sent = opened(hanne, f"{LIST}draft/") | {"note": "Limits"} | wrong
    answer = hanne.post(f"{LIST}draft/", sent)
    assert answer.status_code == 422
    assert said.replace("’", "'") in unescape(answer.content.decode())
    assert not PolicyVersion.objects.exists()


def test_drafting_and_deciding_ask_for_a_fresh_proof(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    hanne, other = at_headquarters(chain.hanne, seconds_ago=3600), at_headquarters(finn(chain), seconds_ago=3600)
    for client, url in ((hanne, f"{LIST}draft/"), (other, page_of(version, "put_into_force"))):
        assert client.get(url)["Location"].startswith("/accounts/2fa/reauthenticate/")
    version.refresh_from_db()
    assert version.verdict == ""


def test_a_draft_is_rejected_with_words_or_withdrawn_by_its_author(chain: Chain, hanne: Client) -> None:
    first, second = drafted(chain, LIMIT), drafted(chain, LIMIT)
    other = at_headquarters(finn(chain))
    assert other.post(page_of(first, "reject"), {"note": ""}).status_code == 422
    assert other.post(page_of(first, "reject"), {"note": "Too low"}).status_code == 302
    assert hanne.post(page_of(second, "withdraw")).status_code == 302
    assert [version.verdict for version in PolicyVersion.objects.order_by("number")] == ["rejected", "withdrawn"]


def test_an_auditor_sees_every_version_and_changes_none(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    ola = at_headquarters(at_hq(chain, "ola", Role.AUDITOR))
    for url in (LIST, page_of(version)):
        page = ola.get(url).content.decode()
        assert "draft/" not in page
        assert "put_into_force" not in page
    verbs = ("change_draft", "put_into_force", "reject", "withdraw")
    for url in (f"{LIST}draft/", *(page_of(version, verb) for verb in verbs)):
        assert ola.post(url).status_code == 403, url


def test_the_list_says_how_each_version_stands(chain: Chain, hanne: Client) -> None:
    in_force(chain, LIMIT)
    in_force(chain)
    in_force(chain, in_force_from=clock.db_now() + timedelta(days=3))
    drafted(chain, LIMIT)
    page = hanne.get(LIST).content.decode()
    words = r"Policy (\d)<.*?>\s*(waits for a second person|in force|to come|was in force)\s*<"
    found = dict(re.findall(words, page, re.DOTALL))
    assert found == {"4": "waits for a second person", "3": "to come", "2": "in force", "1": "was in force"}
    waiting = hanne.get(LIST, {"standing": "waiting"}).content.decode()
    assert ("Policy 4" in waiting, "Policy 3" in waiting) == (True, False)


def test_the_first_screen_counts_drafts_that_wait(chain: Chain, hanne: Client) -> None:
    drafted(chain, LIMIT)
    counts = {str(kind.title): kind.count for kind in hanne.get("/hq/").context["work"]}
    assert counts["Limits for a second person"] == 1


def test_another_chains_limits_are_not_shown(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    stranger = User.objects.create(username="stranger")
    people.join_headquarters(stranger, Company.objects.create(name="Other"), role=Role.FINANCE, by=chain.by)
    client = at_headquarters(stranger)
    assert f"{LIST}{version.pk}/" not in client.get(LIST).content.decode()
    assert client.post(page_of(version, "put_into_force"), {"digest": "x"}).status_code in (403, 404)


def test_a_date_is_headquarters_own_time(chain: Chain, hanne: Client) -> None:
    sent = opened(hanne, f"{LIST}draft/") | {"note": "Later", "in_force_from": "2030-07-01T06:30"}
    assert hanne.post(f"{LIST}draft/", sent).status_code == 302
    version = PolicyVersion.objects.get()
    assert f"{timezone.localtime(version.in_force_from):%Y-%m-%d %H:%M %z}" == "2030-07-01 06:30 +0200"
    assert opened(hanne, page_of(version, "change_draft"))["in_force_from"] == "2030-07-01T06:30"
