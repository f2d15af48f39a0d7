"""A link that nobody can guess: the same each time, for one purpose, under a key of the web's own."""

import uuid

import pytest
from pytest_django import Settings

from stores import links
from stores.errors import Misconfigured

REFUND = uuid.UUID("12345678-1234-5678-1234-567812345678")


def test_a_token_leads_back_to_its_subject_and_is_the_same_each_time() -> None:
    token = links.token_for(REFUND, purpose="follow")
    assert links.subject_of(token, purpose="follow") == REFUND
    assert links.token_for(REFUND, purpose="follow") == token
    assert len(token) == links.TOKEN_LENGTH


def test_no_other_spelling_of_it_leads_anywhere() -> None:
    token = links.token_for(REFUND, purpose="follow")
    for at in range(len(token)):
        for other in "A_-z":
            changed = token[:at] + other + token[at + 1 :]
            if changed != token:
                assert links.subject_of(changed, purpose="follow") is None
    for wrong in ("", token[:-1], f"{token}A", f"{token}=", token.upper(), "é" * 43, " " * 43, "." * 43, "\0" * 43):
        assert links.subject_of(wrong, purpose="follow") is None


def test_a_token_is_for_one_purpose_and_one_subject() -> None:
    token = links.token_for(REFUND, purpose="follow")
    assert links.subject_of(token, purpose="approve") is None
    assert links.token_for(uuid.UUID(int=1), purpose="follow")[22:] != token[22:]


def test_a_new_key_of_the_web_ends_every_link(settings: Settings) -> None:
    token = links.token_for(REFUND, purpose="follow")
    settings.WEB_SEAL_KEY = "another key of the web, long enough for this"
    assert links.subject_of(token, purpose="follow") is None
    settings.WEB_SEAL_KEY = ""
    with pytest.raises(Misconfigured):
        links.token_for(REFUND, purpose="follow")
