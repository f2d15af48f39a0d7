"""The address on the customer's paper; short, because it is a QR."""

from django.urls import path

from refunds.follow import door

urlpatterns = [path("<str:token>", door.follow, name="follow")]
