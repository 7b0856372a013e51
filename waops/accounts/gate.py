"""Require the second factor on every admin page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from waops.accounts.second_factor import Need, need_of
from waops.admin.drafts import kept_for_later

OPEN = frozenset({"admin:logout", "admin:jsi18n", "admin:second_factor", "admin:second_factor_code"})
"""Pages needed to enter the code, or to log out."""

View = Callable[..., HttpResponse]


def gated(view: View) -> View:
    """Wrap a view that already requires login: redirect people who still have to enter a code or set up a device."""

    @wraps(view)
    def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = request.resolver_match.view_name if request.resolver_match else ""
        if page in OPEN or (need := need_of(request)) is Need.NOTHING:
            return view(request, *args, **kwargs)
        name = "admin:second_factor_code" if need is Need.CODE else "admin:second_factor"
        # A POST cannot be repeated after the redirect unless the page has kept it.
        leads_back = request.method == "GET" or kept_for_later(request, view, **kwargs)
        wanted = request.get_full_path() if leads_back else reverse("admin:index")
        return redirect(f"{reverse(name)}?{urlencode({'next': wanted})}")

    return check


def next_page(request: HttpRequest) -> str:
    """The page the person was going to, if it is on this site; otherwise the home page."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")
