"""The address under /hooks/ that Vipps is given, one per registration."""

from django.urls import re_path

from refunds.inbound.door import receive

urlpatterns = [re_path(r"^vipps/(?P<token>[A-Za-z0-9_-]{43})\Z", receive, name="vipps-hook")]
