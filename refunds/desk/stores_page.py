"""Choose the store to work in, for people with a role in more than one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from refunds.desk import till
from refunds.desk.door import for_people
from refunds.desk.working_store import work_in, working_store
from stores.models import Store, User


@require_http_methods(["GET", "POST"])
@for_people
def choose(request: HttpRequest, user: User, stores: tuple[Store, ...]) -> HttpResponse:
    """Her stores by name, and from there to where she wanted; any other store's id is as good as none."""
    if request.method == "POST":
        chosen = next((store for store in stores if str(store.public_id) == request.POST.get("store")), None)
        if chosen is not None:
            work_in(request, chosen)
            return redirect(till.next_of(request))
    page = {"stores": stores, "now": working_store(request, stores), "next": till.next_of(request)}
    return render(request, "desk/stores.html", page, status=400 if request.method == "POST" else 200)
