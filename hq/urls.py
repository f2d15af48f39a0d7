"""Where each door stands."""

from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView

from hq import admin, health, languages, sign_in

handler500 = "hq.failures.server_error"

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("desk/", include("refunds.desk.urls")),
    path("r/", include("refunds.follow.urls")),
    path("hq/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/setlang/", languages.choose, name="set_language"),
    path("api/", include("stores.api.docs")),
    path("api/v1/", include("stores.api.urls")),
    path("api/v1/", include("refunds.api.urls")),
    path("hooks/", include("refunds.inbound.urls")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/sweep", health.beating, {"name": "sweep"}, name="health-sweep"),
    path(
        "health/reconcile",
        health.beating,
        {"name": "reconcile", "longest": health.LONGEST_WITHOUT_A_NIGHT_SECONDS},
        name="health-reconcile",
    ),
    path("health/worker", health.beating, {"name": "worker"}, name="health-worker"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}refunds/favicon.svg")),
]
