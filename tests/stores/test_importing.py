"""Orders from a CSV file: the same outcomes as over REST, and a file is refused whole only for its shape."""

import pytest

from stores.errors import Invalid
from stores.importing import import_orders
from stores.models import Order
from tests.conftest import Chain
from tests.till import YESTERDAY

HEADER = "reference,amount_minor,currency,paid_at,receipt_number\n"
PAID = YESTERDAY.isoformat()


def imported(chain: Chain, text: str) -> list[tuple[int, str, str, str]]:
    found = import_orders(text.encode(), system=chain.systems["BGO"], by=chain.by)
    return [(outcome.index, outcome.outcome.value, outcome.code, outcome.field) for outcome in found]


def test_each_row_has_its_outcome(chain: Chain) -> None:
    text = HEADER + "".join(
        (
            f"BER-10042,25000,NOK,{PAID},R-7\n",
            f"BER-10043,250.00,NOK,{PAID},\n",
            "BER-10044,100,NOK,yesterday,\n",
            "BER-10045,100\n",
            f"BER 10046,100,NOK,{PAID},\n",
            f"BER-10047,١٠٠,NOK,{PAID},\n",
        )
    )
    assert imported(chain, text) == [
        (0, "created", "", ""),
        (1, "refused", "invalid_amount", "amount_minor"),
        (2, "refused", "invalid_paid_at", "paid_at"),
        (3, "refused", "wrong_columns", ""),
        (4, "refused", "invalid_reference", "reference"),
        (5, "refused", "invalid_amount", "amount_minor"),
    ]
    order = Order.objects.get()
    assert (order.reference, order.claimed_minor, order.receipt_number) == ("BER-10042", 25_000, "R-7")


def test_a_spreadsheets_file_is_read_too(chain: Chain) -> None:
    text = f"\ufeffreference;amount_minor;currency;paid_at\r\nBER-10042;25000;NOK;{PAID}\r\n"
    assert imported(chain, text) == [(0, "created", "", "")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "wrong_columns"),
        (HEADER.encode(), "empty_file"),
        (b"reference,amount_minor\nBER-1,1\n", "wrong_columns"),
        (HEADER.strip().encode() + b",msn\n", "wrong_columns"),
        (HEADER.encode() + b"\xff\n", "not_utf8"),
        (HEADER.encode() + b'"BER-1\n', "not_csv"),
    ],
)
def test_a_file_that_is_no_list_of_orders_is_refused_whole(chain: Chain, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        import_orders(content, system=chain.systems["BGO"], by=chain.by)
    assert refused.value.code == code
    assert Order.objects.count() == 0
