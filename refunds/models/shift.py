"""What one person of a store leaves for the next, and who has read it and taken over."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import clock
from stores.models import Store, User
from stores.models.append_only import append_only


class ShiftNote(models.Model):
    """A few words for whoever works in the store next. `press` is the key of the page: pressed twice, it is still one note."""

    id = models.UUIDField(primary_key=True, default=clock.new_id, editable=False)
    store = models.ForeignKey(Store, verbose_name=_("store"), on_delete=models.PROTECT, related_name="shift_notes")
    text = models.CharField(_("note"), max_length=500)
    left_by = models.ForeignKey(User, verbose_name=_("left by"), on_delete=models.PROTECT, related_name="+")
    left_at = models.DateTimeField(_("left"), default=clock.db_now)
    press = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("note for the next shift")
        verbose_name_plural = _("notes for the next shift")
        constraints = [
            models.UniqueConstraint(fields=["left_by", "press"], name="shift_note_once_per_press"),
            models.CheckConstraint(condition=~Q(text=""), name="shift_note_says_something"),
        ]
        indexes = [models.Index(fields=["store", "-left_at"], name="shift_note_newest")]
        triggers = append_only("shift_note")

    def __str__(self) -> str:
        return f"{self.store.code} · {self.left_by}"


class TakeOver(models.Model):
    """That another person has read a note and taken over; the first who says so."""

    note = models.OneToOneField(ShiftNote, on_delete=models.PROTECT, related_name="take_over")
    taken_by = models.ForeignKey(User, verbose_name=_("taken over by"), on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(_("taken over"), default=clock.db_now)

    class Meta:
        verbose_name = _("taking over of a shift")
        verbose_name_plural = _("takings over of shifts")
        triggers = [
            pgtrigger.Trigger(
                name="shift_is_taken_over_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                IF EXISTS (SELECT FROM refunds_shiftnote WHERE id = NEW.note_id AND left_by_id = NEW.taken_by_id) THEN
                    RAISE EXCEPTION 'nobody takes over from herself' USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            *append_only("take_over"),
        ]

    def __str__(self) -> str:
        return f"{self.note} → {self.taken_by}"
