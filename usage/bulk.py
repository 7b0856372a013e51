"""Changes of many businesses: the preview, and then exactly what the preview showed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage import changes, overview, resets, rollup
from usage.changes import Outcome
from usage.forms import Operation, OverviewForm
from usage.overview import Business
from usage.requests import require, valid

PREVIEWED = 100
"""Businesses that a preview lists; the others are counted."""
SALT = "usage.operation"
PREVIEW_SECONDS = 3_600


def bulk_change(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The preview of a change of many, and the change itself, of exactly what the preview showed."""
    require(request, "usage.change_quota")
    back = f"{reverse('admin:usage_profile_changelist')}?{request.POST.get('list', '')}"
    if "plan" in request.POST:
        return _apply(request, back)
    form = Operation(request.POST, auto_id="bulk_%s")
    try:
        ids = set(Operation.ids(request.POST.getlist("id")))
    except ValueError:
        ids = set()
    if form.is_valid() and form.cleaned_data["kind"] == Operation.Kind.RESET:
        require(request, "usage.reset_quota")
    if form.is_valid() and form.cleaned_data["scope"] == "selected" and not ids:
        form.add_error("scope", _("Tick at least one business, or choose all on the list."))
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
        return redirect(back)
    values = form.cleaned_data
    rollup.refresh()
    everybody = overview.load()
    if values["scope"] == "all":
        query = valid(OverviewForm(QueryDict(request.POST.get("list", ""))), request)
        chosen = overview.choose(everybody, **query.filters)
    else:
        chosen = overview.choose([one for one in everybody if one.id in ids])
    steps = [(one, _after(one, values)) for one in chosen]
    changing = [(one, after) for one, after in steps if after is not None]
    plan = {
        "kind": values["kind"],
        "number": values["number"],
        "until": values["until"].isoformat() if values["until"] else None,
        "reason": values["reason"],
        "businesses": {str(one.id): _expected(one, values["kind"]) for one, _ in changing},
    }
    context |= {
        "title": _("Preview of the change"),
        "kind_label": dict(Operation.KINDS)[values["kind"]],
        "values": values,
        "steps": [(one, after, _judged(one, after, values["kind"])) for one, after in changing[:PREVIEWED]],
        "more": max(0, len(changing) - PREVIEWED),
        "changing": len(changing),
        "left_alone": len(steps) - len(changing),
        "plan": signing.dumps(plan, salt=SALT, compress=True),
        "list": request.POST.get("list", ""),
        "back": back,
    }
    return TemplateResponse(request, "usage/bulk.html", context)


def _apply(request: HttpRequest, back: str) -> HttpResponseBase:
    try:
        plan = signing.loads(request.POST["plan"], salt=SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature:
        messages.error(request, _("This preview is out of date. Nothing was changed: start again."))
        return redirect(back)
    actor: Any = request.user
    expected = {UUID(pk): value for pk, value in plan["businesses"].items()}
    kind, number, reason = plan["kind"], plan["number"], plan["reason"]
    if kind == Operation.Kind.RESET:
        require(request, "usage.reset_quota")
        moments = {pk: datetime.fromisoformat(value) if value else None for pk, value in expected.items()}
        results = resets.reset_counters(moments, actor, reason)
    elif kind == Operation.Kind.TOP_UP:
        results = changes.top_up(expected, number, datetime.fromisoformat(plan["until"]), actor, reason)
    else:
        add = kind == Operation.Kind.ADD
        limits = {pk: (limit, limit + number if add else number) for pk, limit in expected.items()}
        results = changes.set_limits(limits, actor, reason)
    changed = sum(result.outcome is Outcome.CHANGED for result in results)
    messages.success(
        request,
        ngettext("%(count)s business was changed.", "%(count)s businesses were changed.", changed) % {"count": changed},
    )
    refused = [str(one.business) for one in results if one.outcome in (Outcome.MOVED, Outcome.DISABLED)]
    if refused:
        messages.warning(
            request,
            _("Left as they are, because somebody changed them meanwhile: %(names)s")
            % {"names": ", ".join(refused[:20])},
        )
    return redirect(back)


def _after(one: Business, values: dict[str, Any]) -> int | None:
    """The limit after the change (of a reset: the counter); None: this business is left alone."""
    match values["kind"]:
        case Operation.Kind.RESET:
            return 0 if one.used else None
        case Operation.Kind.LIMIT:
            return int(values["number"]) if values["number"] != one.limit else None
        case Operation.Kind.TOP_UP if one.limit <= 0:
            return None
    after = one.limit + int(values["number"])
    return after if after <= changes.HIGHEST_LIMIT else None


def _judged(one: Business, after: int, kind: str) -> Business:
    limit, used = (one.limit, after) if kind == Operation.Kind.RESET else (after, one.used)
    return overview.after_change(one, timezone.now(), limit=limit, used=used)


def _expected(one: Business, kind: str) -> int | str | None:
    if kind == Operation.Kind.RESET:
        return one.last_reset.isoformat() if one.last_reset else None
    return one.limit
