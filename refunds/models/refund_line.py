"""Which of the goods a refund is for: so many of one line of what was bought. No line goes back more often than it was sold."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from refunds.models.refund import Refund
from stores.models import OrderLine
from stores.models.append_only import append_only

# The line's row is locked first: of two refunds at once the second sees the first, whatever the code before it looked at.
_NOT_TWICE = """
SELECT quantity, order_id INTO sold, order_of_line FROM stores_orderline WHERE id = NEW.line_id FOR NO KEY UPDATE;
SELECT order_id, state INTO order_of_refund, state_of_refund FROM refunds_refund WHERE id = NEW.refund_id;
IF order_of_line IS DISTINCT FROM order_of_refund THEN
    RAISE EXCEPTION 'a refund gives back lines of its own order' USING ERRCODE = 'check_violation';
END IF;
IF state_of_refund NOT IN ('awaiting_approval', 'queued') THEN
    RAISE EXCEPTION 'lines are named when a refund is asked for' USING ERRCODE = 'check_violation';
END IF;
SELECT coalesce(sum(other.quantity), 0) INTO taken
FROM refunds_refundline AS other JOIN refunds_refund AS refund ON refund.id = other.refund_id
WHERE other.line_id = NEW.line_id AND refund.state NOT IN ('declined', 'rejected', 'cancelled');
IF taken + NEW.quantity > sold THEN
    RAISE EXCEPTION 'a line goes back at most as often as it was sold' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""
_VARIABLES = [
    *(("sold", "numeric"), ("taken", "numeric")),
    *(("order_of_line", "bigint"), ("order_of_refund", "bigint"), ("state_of_refund", "text")),
]


class RefundLine(models.Model):
    """So many of one line. It counts while the refund is under way and once it is done; one that came to nothing frees it."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refund_lines")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)

    class Meta:
        verbose_name = _("line of a refund")
        verbose_name_plural = _("lines of a refund")
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="refund_line_gives_something_back"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refund_line_not_twice",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=_VARIABLES,
                func=_NOT_TWICE,
            ),
            *append_only("refund_line"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.line}"
