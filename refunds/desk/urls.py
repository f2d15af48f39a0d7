"""The desk's addresses."""

from django.urls import path

from refunds.desk import (
    approvals_page,
    confirm_page,
    elsewhere_page,
    lock_page,
    look_up_page,
    order_page,
    pin_page,
    receipt_page,
    refund_page,
    release_page,
    search_page,
    shift_page,
    stores_page,
    under_way_page,
)

app_name = "desk"
urlpatterns = [
    path("", search_page.find, name="find"),
    path("stores/", stores_page.choose, name="stores"),
    path("stores/names/", search_page.store_names, name="store-names"),
    path("orders/<uuid:order_id>/", order_page.show, name="order"),
    path("orders/<uuid:order_id>/confirmed/", order_page.confirmed, name="confirmed"),
    path("orders/<uuid:order_id>/amount/", order_page.check_amount, name="amount"),
    path("orders/<uuid:order_id>/confirm/", confirm_page.confirm, name="confirm"),
    path("orders/<uuid:order_id>/refund/", confirm_page.refund, name="request"),
    path("orders/<uuid:order_id>/release/", release_page.release, name="release"),
    path("look-ups/", look_up_page.ask, name="ask-vipps"),
    path("look-ups/<uuid:question_id>/", look_up_page.show, name="look-up"),
    path("look-ups/<uuid:question_id>/progress/", look_up_page.progress, name="look-up-progress"),
    path("refunds/<uuid:refund_id>/", refund_page.show, name="refund"),
    path("refunds/<uuid:refund_id>/progress/", refund_page.progress, name="progress"),
    path("refunds/<uuid:refund_id>/decision/", refund_page.decide, name="decide"),
    path("refunds/<uuid:refund_id>/receipt/", receipt_page.receipt, name="receipt"),
    path("refunds/<uuid:refund_id>/allow/", refund_page.allow_here, name="allow-here"),
    path("elsewhere/", elsewhere_page.show, name="elsewhere"),
    path("elsewhere/seen/", elsewhere_page.seen, name="elsewhere-seen"),
    path("under-way/", under_way_page.show, name="under-way"),
    path("approvals/", approvals_page.show, name="approvals"),
    path("approvals/count/", approvals_page.count, name="approvals-count"),
    path("today/", refund_page.today, name="today"),
    path("shift/", shift_page.show, name="shift"),
    path("shift/notes/", shift_page.leave, name="shift-note"),
    path("shift/notes/<uuid:note_id>/taken/", shift_page.take, name="shift-taken"),
    path("pin/", pin_page.choose, name="pin"),
    path("lock/", lock_page.lock, name="lock"),
    path("locked/", lock_page.locked, name="locked"),
    path("leave/", lock_page.leave, name="leave"),
]
