"""No page of the admin without the second factor of whoever needs one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from waops.sign_in.second_factor import Need, need_of

OPEN = frozenset({"admin:logout", "admin:jsi18n", "admin:second_factor", "admin:second_factor_code"})
"""Pages that lead to the code, or away."""

View = Callable[..., HttpResponse]


def gated(view: View) -> View:
    """Wraps a view that already knows who asks: sends whoever still owes a code, or a device, to that page."""

    @wraps(view)
    def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = request.resolver_match.view_name if request.resolver_match else ""
        if page in OPEN or (need := need_of(request)) is Need.NOTHING:
            return view(request, *args, **kwargs)
        name = "admin:second_factor_code" if need is Need.CODE else "admin:second_factor"
        # What was sent with POST cannot be sent again from there.
        wanted = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect(f"{reverse(name)}?{urlencode({'next': wanted})}")

    return check


def next_page(request: HttpRequest) -> str:
    """Where the person was going, if that is here; the home page otherwise."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")
