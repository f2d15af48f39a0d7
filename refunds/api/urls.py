"""Addresses under /api/v1/ for refunds; included last, since what nobody else serves ends here."""

from django.urls import path, re_path

from refunds.api.bulk import RefundsBulkView
from refunds.api.releases import ReleasesView
from refunds.api.views import ReasonsView, RefundableView, RefundByKeyView, RefundsView, RefundView, UnknownView

urlpatterns = [
    path("refunds", RefundsView.as_view(), name="api-refunds"),
    path("refunds/bulk", RefundsBulkView.as_view(), name="api-refunds-bulk"),
    path("refunds/by-key/<path:key>", RefundByKeyView.as_view(), name="api-refund-by-key"),
    path("refunds/<str:refund_id>", RefundView.as_view(), name="api-refund"),
    path("reasons", ReasonsView.as_view(), name="api-reasons"),
    path("releases", ReleasesView.as_view(), name="api-releases"),
    path("orders/<str:order_id>/refundable", RefundableView.as_view(), name="api-refundable"),
    # The empty pattern matches every address; ".*" would let one with a line break in it through.
    re_path("", UnknownView.as_view(), name="api-unknown"),
]
