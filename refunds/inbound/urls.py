"""The address under /hooks/ that Vipps is given, one per registration."""

from django.urls import path

from refunds.inbound.door import receive

urlpatterns = [path("vipps/<str:token>", receive, name="vipps-hook")]
