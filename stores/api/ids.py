"""Ids over REST say what they are: `ord_`, `ref_` or `lku_`, and 32 hexadecimal digits."""

import re
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from stores.errors import NotFound

_ID = re.compile(r"(?P<kind>[a-z]{3})_(?P<hex>[0-9a-f]{32})", re.ASCII)
ORDER = "ord"
REFUND = "ref"
LOOK_UP = "lku"


def shown_id(kind: str, row_id: UUID) -> str:
    """The id as REST shows it."""
    return f"{kind}_{row_id.hex}"


def read_id(kind: str, shown: str) -> UUID:
    """The id behind. Raises NotFound: an id of another shape names nothing."""
    parts = _ID.fullmatch(shown)
    if parts is None or parts["kind"] != kind:
        raise NotFound(_("There is nothing with this id."))
    return UUID(hex=parts["hex"])
