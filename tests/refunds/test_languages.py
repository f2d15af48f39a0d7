"""Five languages at the desk: whole, kept with the person, and money and time as people there write them."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from refunds.desk import wording
from refunds.desk.amounts import parse_amount
from stores.models import User
from tests.conftest import PASSWORD, Chain
from tests.hq.headquarters import at_headquarters
from tests.hq.test_locale import texts
from tests.refunds.desk_pages import signed_in, text_of
from tests.refunds.desk_scenes import every_scene
from tests.refunds.test_desk_pages import open_scene

LANGUAGES = [code for code, _name in settings.LANGUAGES]


def sentences() -> list[str]:
    """Every text of the code that could not stand on a page by chance: three words or more, nothing to fill in."""
    plain = [text for _context, text in texts() if not any(sign in text for sign in "%{<")]
    return [text for text in plain if text.count(" ") >= 2]


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_page_of_the_desk_has_an_english_sentence_left(chain: Chain, language: str) -> None:
    """Whatever module it comes from: so the list of what all must see misses nothing that a cashier meets."""
    english = sentences()
    assert len(english) > 500
    for scene in every_scene(chain):
        page = open_scene(scene, signed_in(scene.who, language=language, with_proof=scene.with_proof))
        body = page.content.decode()
        assert f'<html lang="{language}">' in body, scene.name
        said = unescape(body)  # titles and labels too
        assert [text for text in english if text in said] == [], scene.name


@pytest.mark.parametrize(("language", "money", "typed", "when"), [
    ("en", "NOK 1,250.50", "1250.50", "4 Nov 2026, 09:05"),
    ("nb", "1 250,50 kr", "1250,50", "4. nov. 2026, 09:05"),
    ("da", "1.250,50 NOK", "1250,50", "4. nov. 2026, 09.05"),
    ("sv", "1 250,50 Nkr", "1250,50", "4 nov. 2026, 09:05"),
    ("fi", "1 250,50 NOK", "1250,50", "4.11.2026, 9.05"),
])  # fmt: skip
def test_money_and_time_are_written_as_people_there_do(language: str, money: str, typed: str, when: str) -> None:
    with translation.override(language), timezone.override(UTC):
        assert wording.money(125_050, "NOK").replace("\xa0", " ") == money
        assert wording.typed_money(125_050) == typed
        assert parse_amount(wording.typed_money(125_050)) == 125_050
        assert parse_amount(money.replace("Nkr", "kr")) == 125_050
        assert wording.day_and_time(datetime(2026, 11, 4, 9, 5, tzinfo=UTC)) == when


@pytest.mark.parametrize(("language", "currency", "written"), [
    ("da", "DKK", "250,00 kr."),
    ("sv", "SEK", "250,00 kr"),
    ("fi", "EUR", "250,00 €"),
    ("nb", "NOK", "250,00 kr"),
])  # fmt: skip
def test_each_markets_own_currency_has_its_own_sign(language: str, currency: str, written: str) -> None:
    with translation.override(language):
        assert wording.money(25_000, currency).replace("\xa0", " ") == written


def test_the_choice_goes_with_the_person_and_not_with_the_till(chain: Chain) -> None:
    till = Client(headers={"accept-language": "en"})
    till.post("/accounts/login/", {"login": "kari", "password": PASSWORD})
    till.post("/i18n/setlang/", {"language": "fi", "next": "/desk/"})
    assert "Etsi asiakkaan ostos" in text_of(till.get("/desk/"))
    till.post("/accounts/logout/")
    till.post("/accounts/login/", {"login": "mona", "password": PASSWORD})
    till.post("/i18n/setlang/", {"language": "sv", "next": "/desk/"})
    till.post("/accounts/logout/")
    till.post("/accounts/login/", {"login": "kari", "password": PASSWORD})
    assert "Etsi asiakkaan ostos" in text_of(till.get("/desk/")), "Mona's Swedish is not hers"
    assert "Sök kundens order" in text_of(signed_in(chain.mona).get("/desk/")), "on another till too"


def test_the_sign_in_page_has_the_switch_and_a_stranger_changes_nobodys_choice(chain: Chain) -> None:
    stranger = Client(headers={"accept-language": "da"})
    assert "Log ind på Refund Hub" in text_of(stranger.get("/accounts/login/"))
    stranger.post("/i18n/setlang/", {"language": "fi", "next": "/accounts/login/"})
    assert "Kirjaudu Refund Hubiin" in text_of(stranger.get("/accounts/login/"))
    assert not User.objects.exclude(language="").exists()


def test_nonsense_is_no_language(chain: Chain) -> None:
    kari = signed_in(chain.kari)
    kari.post("/i18n/setlang/", {"language": "xx", "next": "/desk/"})
    chain.kari.refresh_from_db()
    assert chain.kari.language == ""
    User.objects.filter(pk=chain.kari.pk).update(language="xx")
    assert kari.get("/desk/").status_code == 200


def test_headquarters_speaks_english_to_whom_it_is_not_whole_for(chain: Chain) -> None:
    hanne = at_headquarters(chain.hanne)
    hanne.post("/i18n/setlang/", {"language": "da", "next": "/hq/"})
    assert '<html lang="en"' in hanne.get("/hq/").content.decode()
    hanne.post("/i18n/setlang/", {"language": "nb", "next": "/hq/"})
    page = hanne.get("/hq/").content.decode()
    assert '<html lang="nb"' in page
    assert 'value="nb"' in page
    assert 'value="da"' not in page
