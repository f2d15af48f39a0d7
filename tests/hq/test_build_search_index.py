"""The trigram index: built where PostgreSQL can, and said plainly where it cannot."""

import pytest
from django.core.management import call_command
from django.db import connection

from stores.search import find_orders
from stores.search.fragments import TRIGRAM_INDEX
from tests.conftest import Chain


def _one(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else None


@pytest.mark.django_db(transaction=True)
def test_fragments_are_found_with_and_without_the_index(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 10_000)
    can = _one("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'") is not None
    try:
        call_command("build_search_index")
        call_command("build_search_index")
        said = capsys.readouterr().out
        assert ("The trigram index stands." in said) is can
        assert (_one(f"SELECT to_regclass('{TRIGRAM_INDEX}')") is not None) is can
        found = find_orders("1101-77", asker=chain.kari)
        assert [hit.order.pk for hit in found.hits] == [order.pk]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {TRIGRAM_INDEX}")
