"""Change several businesses: a preview, and then exactly what the preview showed."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage import changes, quota, resets, rollup
from usage.batches import InterruptedChangeError, Outcome, Result
from usage.forms import Operation, OverviewForm
from usage.quota import Business, Planned
from usage.requests import require, valid
from waops.database import moments
from waops.database.errors import first_line

logger = logging.getLogger(__name__)

PREVIEWED = 100
"""Most businesses listed in a preview; further ones are only counted."""
NAMED = 20
"""Most businesses named in a message; further ones are only counted."""
SENT = ("scope", "kind", "number", "until", "reason", "id", "list")
SALT = "usage.operation"
PREVIEW_SECONDS = 3_600


def bulk_change(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The preview of a bulk change, and the change of exactly what the preview showed."""
    require(request, "usage.change_quota")
    back = f"{reverse('admin:usage_profile_changelist')}?{request.POST.get('list', '')}"
    if "plan" in request.POST:
        return _apply(request, back, context)
    form = Operation(request.POST, auto_id="bulk_%s")
    try:
        ids = set(Operation.ids(request.POST.getlist("id")))
    except ValueError:
        ids = set()
    if form.is_valid() and form.cleaned_data["kind"] == Operation.Kind.RESET:
        require(request, "usage.reset_quota")
    if form.is_valid() and form.cleaned_data["scope"] == "selected" and not ids:
        form.add_error("scope", _("Select at least one business, or choose all on the list."))
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
        return redirect(back)
    values = form.cleaned_data
    rollup.refresh()
    now = timezone.now()
    if values["scope"] == "all":
        query = valid(OverviewForm(QueryDict(request.POST.get("list", ""))), request)
        chosen = quota.choose(now, **query.filters).rows
    else:
        chosen = quota.load(now, ids)
    steps = [(one, _after(one, values)) for one in chosen]
    changing = [(one, after) for one, after in steps if after is not None]
    listed = changing[:PREVIEWED]
    planned = {one.id: _planned(one, after, values["kind"], now) for one, after in listed}
    judged = {one.id: one for one in quota.load(now, planned, planned)}
    plan = {
        "kind": values["kind"],
        "number": values["number"],
        "until": values["until"].isoformat() if values["until"] else None,
        "reason": values["reason"],
        "key": str(uuid4()),
        "businesses": {str(one.id): _expected(one, values["kind"]) for one, _ in changing},
    }
    context |= {
        "title": _("Preview of the change"),
        "kind_label": dict(Operation.KINDS)[values["kind"]],
        "values": values,
        "steps": [(one, after, judged.get(one.id, one)) for one, after in listed],
        "more": max(0, len(changing) - PREVIEWED),
        "changing": len(changing),
        "left_alone": len(steps) - len(changing),
        "plan": signing.dumps(plan, salt=SALT, compress=True),
        # The complete form, so that the preview can be shown again after logging in again.
        "sent": [(name, value) for name, values in request.POST.lists() if name in SENT for value in values],
        "back": back,
    }
    return TemplateResponse(request, "usage/bulk.html", context)


def _apply(request: HttpRequest, back: str, context: dict[str, Any]) -> HttpResponseBase:
    try:
        plan = signing.loads(request.POST["plan"], salt=SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature:
        messages.error(request, _("This preview is out of date. Nothing was changed: start again."))
        return redirect(back)
    if plan["kind"] == Operation.Kind.RESET:
        require(request, "usage.reset_quota")
    if plan["kind"] == Operation.Kind.TOP_UP and datetime.fromisoformat(plan["until"]) <= timezone.now():
        messages.error(request, _("The top-up would end immediately: its last day is over. Nothing was changed."))
        return redirect(back)
    try:
        results = _change(plan, request.user)
    except InterruptedChangeError as error:
        logger.error("A bulk change of businesses was interrupted: %s: %s", error, first_line(error.__cause__ or error))
        context |= {
            "title": _("The change was interrupted"),
            "changed": _count(error.done, Outcome.CHANGED, Outcome.ALREADY),
            "left": error.left,
            "plan": request.POST["plan"],
            "list": request.POST.get("list", ""),
            "back": back,
        }
        return TemplateResponse(request, "usage/bulk_interrupted.html", context, status=503)
    changed = _count(results, Outcome.CHANGED)
    messages.success(
        request,
        ngettext("%(count)s business was changed.", "%(count)s businesses were changed.", changed) % {"count": changed},
    )
    if already := _count(results, Outcome.ALREADY):
        text = ngettext(
            "%(count)s business had already been changed by your first submission.",
            "%(count)s businesses had already been changed by your first submission.",
            already,
        )
        messages.info(request, text % {"count": already})
    refused = [str(one.business) for one in results if one.outcome in (Outcome.MOVED, Outcome.DISABLED)]
    busy = [str(one.business) for one in results if one.outcome is Outcome.BUSY]
    if refused:
        messages.warning(
            request,
            _("Skipped because someone else changed them in the meantime: %(names)s") % {"names": _named(refused)},
        )
    if gone := _count(results, Outcome.GONE):
        text = ngettext("%(count)s business no longer exists.", "%(count)s businesses no longer exist.", gone)
        messages.warning(request, text % {"count": gone})
    if busy:
        messages.warning(
            request,
            _("Not changed because another transaction has locked them; try again later: %(names)s")
            % {"names": _named(busy)},
        )
    return redirect(back)


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    if more := len(names[NAMED:]):
        shown += " " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
    return shown


def _count(results: list[Result], *outcomes: Outcome) -> int:
    return sum(result.outcome in outcomes for result in results)


def _change(plan: dict[str, Any], actor: Any) -> list[Result]:
    """Raises InterruptedChangeError."""
    expected = {UUID(pk): value for pk, value in plan["businesses"].items()}
    kind, number, reason, key = plan["kind"], plan["number"], plan["reason"], UUID(plan["key"])
    if kind == Operation.Kind.RESET:
        resets_before = {pk: moments.parse(value) if value else None for pk, value in expected.items()}
        return resets.reset_counters(resets_before, actor, reason, key)
    if kind == Operation.Kind.TOP_UP:
        return changes.top_up(expected, number, datetime.fromisoformat(plan["until"]), actor, reason, key)
    add = kind == Operation.Kind.ADD
    limits = {pk: (limit, limit + number if add else number) for pk, limit in expected.items()}
    return changes.set_limits(limits, actor, reason, key)


def _after(one: Business, values: dict[str, Any]) -> int | None:
    """The limit after the change (for a reset: the counter); None if this business is skipped."""
    match values["kind"]:
        case Operation.Kind.RESET:
            return 0 if one.used else None
        case Operation.Kind.LIMIT:
            return int(values["number"]) if values["number"] != one.limit else None
        case Operation.Kind.TOP_UP if one.limit <= 0:
            return None
    after = one.limit + int(values["number"])
    return after if after <= changes.HIGHEST_LIMIT else None


def _planned(one: Business, after: int, kind: str, now: datetime) -> Planned:
    if kind == Operation.Kind.RESET:
        return Planned(one.limit, after, reset=now)
    return Planned(after, one.used)


def _expected(one: Business, kind: str) -> int | str | None:
    if kind == Operation.Kind.RESET:
        return one.last_reset.isoformat() if one.last_reset else None
    return one.limit
