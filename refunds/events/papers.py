"""What was handed over to customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class PaperHandedOver(TrailEvent):
    """The first print of a receipt, or of the confirmation of a release or a request."""

    name = "paper.handed_over"
    sentence = _("Refund {refund}: {paper} {number} was handed over ({form}).")
    refund: str
    paper: str
    number: str
    form: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "paper": telling.choice_in_words("kind", facts["paper"], model="Paper")}


@dataclass(frozen=True, kw_only=True)
class PaperCopied(PaperHandedOver):
    """A later print of the same paper; it says that it is a copy."""

    name = "paper.copied"
    sentence = _("Refund {refund}: copy {copy} of {paper} {number} was handed over ({form}).")
    copy: int
