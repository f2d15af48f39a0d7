"""Tokens: fetched once, kept briefly, forgotten on demand, shown to nobody."""

import copy
import pickle
import threading
import time

import pytest

from stores.vipps.reading import Unreadable
from stores.vipps.tokens import MAX_KEPT, AccessToken, TokenCache, read_token


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_numbers_in_the_answer_are_texts() -> None:
    token = read_token({"access_token": "abc", "expires_in": "86398", "token_type": "Bearer"})
    assert (token.value, token.life) == ("abc", 86398.0)
    assert read_token({"access_token": "abc", "expires_in": 900}).life == 900.0


@pytest.mark.parametrize("told", ["", "soon", "-5", "1.5", "0", None, True, 1.5, "999999999999", "١٢"])
def test_a_life_that_is_no_number_of_seconds_is_refused(told: object) -> None:
    with pytest.raises(Unreadable):
        read_token({"access_token": "abc", "expires_in": told})


@pytest.mark.parametrize("value", ["", None, 5, "a\r\nb", "å", "x" * 20_000])
def test_a_token_that_no_header_can_carry_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        read_token({"access_token": value, "expires_in": "3600"})


@pytest.mark.parametrize(("life", "kept_until"), [(86_400.0, 77_760.0), (300.0, 240.0), (60.0, 30.0)])
def test_a_token_is_renewed_early(life: float, kept_until: float) -> None:
    hands, fetched = Hands(), []

    def fetch() -> AccessToken:
        fetched.append(hands.now)
        return AccessToken("abc", life=life)

    cache = TokenCache(clock=hands)
    cache.get("a", fetch)
    hands.now = kept_until - 1
    cache.get("a", fetch)
    assert fetched == [0.0]
    hands.now = kept_until
    cache.get("a", fetch)
    assert fetched == [0.0, kept_until]


def test_each_key_set_has_its_own_token() -> None:
    cache = TokenCache()
    assert cache.get("a/1/prod", lambda: AccessToken("one", life=3600)).value == "one"
    assert cache.get("a/2/prod", lambda: AccessToken("two", life=3600)).value == "two"


def test_of_many_threads_one_fetches() -> None:
    cache, fetched = TokenCache(), []

    def fetch() -> AccessToken:
        fetched.append(1)
        time.sleep(0.05)
        return AccessToken("abc", life=3600)

    threads = [threading.Thread(target=lambda: cache.get("a", fetch)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_waiting_for_another_threads_fetch_has_an_end() -> None:
    cache, is_fetching, may_end = TokenCache(), threading.Event(), threading.Event()

    def fetch() -> AccessToken:
        is_fetching.set()
        may_end.wait(5)
        return AccessToken("abc", life=3600)

    thread = threading.Thread(target=lambda: cache.get("a", fetch))
    thread.start()
    is_fetching.wait(5)
    with pytest.raises(TimeoutError):
        cache.get("a", fetch, patience=0.01)
    may_end.set()
    thread.join()


def test_a_failed_fetch_leaves_nothing_and_blocks_nobody() -> None:
    cache = TokenCache()

    def fail() -> AccessToken:
        raise Unreadable("no")

    with pytest.raises(Unreadable):
        cache.get("a", fail)
    assert cache.get("a", lambda: AccessToken("abc", life=3600), patience=0.01).value == "abc"


def test_a_late_loser_does_not_drop_the_new_token() -> None:
    cache = TokenCache()
    old = cache.get("a", lambda: AccessToken("old", life=3600))
    cache.drop("a", old)
    new = cache.get("a", lambda: AccessToken("new", life=3600))
    cache.drop("a", old)
    assert cache.get("a", lambda: AccessToken("newer", life=3600)) is new
    cache.drop("a")
    assert cache.get("a", lambda: AccessToken("newer", life=3600)).value == "newer"


def test_the_cache_does_not_grow_without_end() -> None:
    cache = TokenCache()
    for number in range(MAX_KEPT + 10):
        cache.get(str(number), lambda: AccessToken("abc", life=3600))
    assert len(cache._tokens) == MAX_KEPT


def test_a_token_does_not_show_itself() -> None:
    token = AccessToken("canary-token", life=3600)
    assert "canary" not in f"{token} {token!r} {[token]}"
    with pytest.raises(TypeError):
        pickle.dumps(token)
    with pytest.raises(TypeError):
        copy.deepcopy(token)
