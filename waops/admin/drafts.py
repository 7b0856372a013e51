"""Redirect from addresses that only accept forms to the page with the form.

People get there from the address bar, after a change of language or after logging in again. Previews, and pages that
use `typed_before`, show again what was typed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.urls import reverse

SESSION_KEY = "drafts"
LONGEST = 50_000
"""Longest form kept, in characters: anyone can send one before logging in."""

View = Callable[..., HttpResponseBase]


def sent_from(
    page: str | Callable[..., str], *, confirmed_by: str = "", keeps_typed: bool = False
) -> Callable[[View], View]:
    """Decorator for a view that accepts only POST. `page` is the name of the page with the form, or a
    function that returns its address from the address's arguments.

    `confirmed_by` names the field that a preview's own form has and the first form lacks. Without that field nothing is
    changed, and the form is kept in the session until it is confirmed.

    `keeps_typed`: the page uses `typed_before`, so a form sent after the session ended is kept for it.
    """

    def address(kwargs: dict[str, Any]) -> str:
        return reverse(page) if isinstance(page, str) else page(**kwargs)

    def decorate(view: View) -> View:
        @wraps(view)
        def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                if confirmed_by in request.POST:
                    _drafts(request).pop(request.path, None)
                elif confirmed_by:
                    keep(request, request.path, confirmed_by)
                return view(request, *args, **kwargs)
            if request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
            draft = _drafts(request).get(request.path) if confirmed_by else None
            if draft is None:
                return HttpResponseRedirect(address(kwargs))
            request.POST = QueryDict(draft)
            request.method = "POST"
            return view(request, *args, **kwargs)

        def keep_for_later(request: HttpRequest, **kwargs: Any) -> bool:
            if confirmed_by:
                return keep(request, request.path, confirmed_by)
            return keeps_typed and keep(request, address(kwargs))

        check.keep_for_later = keep_for_later  # type: ignore[attr-defined]
        return check

    return decorate


def kept_for_later(request: HttpRequest, view: View, **kwargs: Any) -> bool:
    """Keep a form whose sender's session has ended; False if no page would show it again."""
    keep_for_later = getattr(view, "keep_for_later", None)
    return keep_for_later is not None and request.method == "POST" and keep_for_later(request, **kwargs)


def typed_before(request: HttpRequest) -> QueryDict:
    """A form that was sent from this page after the session had ended, the first time the page is shown again."""
    drafts: dict[str, str] = request.session.get(SESSION_KEY) or {}
    if request.path not in drafts:
        return QueryDict()
    return QueryDict(request.session.pop(SESSION_KEY)[request.path])


def keep(request: HttpRequest, address: str, confirmed_by: str = "") -> bool:
    """Keep an unconfirmed form for the page of that address, unless it is too long."""
    sent = request.POST.copy()
    for name in (confirmed_by, "csrfmiddlewaretoken"):
        sent.pop(name, None)
    draft = sent.urlencode()
    if len(draft) > LONGEST:
        return False
    request.session[SESSION_KEY] = {address: draft}
    return True


def _drafts(request: HttpRequest) -> dict[str, str]:
    drafts: dict[str, str] = request.session.get(SESSION_KEY) or {}
    if drafts and request.method == "POST":
        request.session.modified = True
    return drafts
