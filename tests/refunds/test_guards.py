"""What the database itself refuses, whoever asks: the guards that no code of ours can forget."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from refunds.models import Refund, State
from tests.conftest import Chain
from tests.refunds.asking import ask, run


def test_the_database_refuses_a_second_refund_of_an_order_in_flight(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-9200", 100_000)
    one, two = (ask(order, amount, who=chain.kari, store=chain.oslo).refund for amount in (10_000, 11_000))
    Refund.objects.filter(pk=one.pk).update(state=State.UNKNOWN)
    with pytest.raises(IntegrityError, match="one_in_flight"), transaction.atomic():
        Refund.objects.filter(pk=two.pk).update(state=State.SENDING)


@pytest.mark.parametrize(
    "statement", ["UPDATE refunds_ledgerentry SET amount_minor = amount_minor + 1", "DELETE FROM refunds_ledgerentry"]
)
def test_the_database_refuses_to_change_or_remove_a_ledger_entry(chain: Chain, statement: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-9201", 100_000)
    assert run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
