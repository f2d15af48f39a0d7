"""Addresses under /api/v1/ for orders."""

from django.urls import path

from stores.api.look_ups import LookUpsView, LookUpView
from stores.api.views import OrdersView, OrderView, SyncPositionView

urlpatterns = [
    path("orders", OrdersView.as_view(), name="api-orders"),
    path("orders/sync-position", SyncPositionView.as_view(), name="api-sync-position"),
    path("orders/look-ups", LookUpsView.as_view(), name="api-look-ups"),
    path("orders/look-ups/<str:look_up_id>", LookUpView.as_view(), name="api-look-up"),
    path("orders/<str:order_id>", OrderView.as_view(), name="api-order"),
]
