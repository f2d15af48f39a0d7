"""The trail: one hash chain per store and one for headquarters; who did what, in order, and provably so."""

from stores.audit.reading import facts_of, sentence_of, timeline_of
from stores.audit.verifying import BadRow, Verification, verify
from stores.audit.writing import Subject, record, record_about_order

__all__ = [
    "BadRow",
    "Subject",
    "Verification",
    "facts_of",
    "record",
    "record_about_order",
    "sentence_of",
    "timeline_of",
    "verify",
]
