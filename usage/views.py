"""The quota pages of the admin: thin; what they show is made in overview.py and business.py."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usage import business, changes, charts, export, overview, reads, resets, rollup
from usage.changes import Outcome, Result
from usage.forms import LimitForm, NarrowForm, Operation, OverviewForm, ResetForm, TopUpForm
from usage.overview import Business, View
from usage.wording import outlook

PER_PAGE = 50
PREVIEWED = 100
"""Businesses that a preview lists; the others are counted."""
SALT = "usage.operation"
PREVIEW_SECONDS = 3_600


class BadAddressError(Exception):
    """The address asks for what the page does not have."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(explanation)
        self.status, self.explanation = status, explanation


def overview_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    form = _valid(OverviewForm(request.GET), request)
    freshness = rollup.refresh()
    now = timezone.now()
    everybody = overview.load(now)
    plans = sorted({one.plan for one in everybody if one.plan})
    if form.cleaned_data["plan"] and form.cleaned_data["plan"] not in plans:
        raise BadAddressError(400, _("There is no plan “%(plan)s”.") % {"plan": form.cleaned_data["plan"]})
    chosen = overview.choose(everybody, **form.filters)
    paginator = Paginator(chosen, PER_PAGE)
    page = form.cleaned_data["p"] or (1 if form.cleaned_data["p"] is None else 0)
    if not 1 <= page <= paginator.num_pages:
        raise BadAddressError(
            404,
            _("You asked for page %(page)s, and this list ends at page %(pages)s. Search or filter to find others.")
            % {"page": page, "pages": paginator.num_pages},
        )
    shown = paginator.page(page)
    silent = reads.silence(one.id for one in shown if one.is_in(View.OUT))
    rtl = translation.get_language_bidi()
    counts = overview.count_views(everybody)
    filters = form.filters
    context |= {
        "title": _("AI quota"),
        "freshness": freshness,
        "views": [(view, view.label, counts[view]) for view in View],
        "filters": filters,
        "plans": plans,
        "rows": [
            {"business": one, "silence": silent.get(one.id), "trend": charts.sparkline(one.trend, rtl=rtl)}
            for one in shown
        ],
        "totals": overview.add_up(chosen),
        "page": shown,
        "pages": paginator.get_elided_page_range(page, on_each_side=2, on_ends=1),
        "operation": Operation(auto_id="bulk_%s", initial={"scope": "selected", "until": _default_until(now)}),
        "spark": (charts.SPARK_WIDTH, charts.SPARK_HEIGHT),
        **_permissions(request),
    }
    return TemplateResponse(request, "usage/overview.html", context)


def business_page(request: HttpRequest, pk: UUID, context: dict[str, Any]) -> HttpResponseBase | None:
    """None if there is no such business."""
    form = _valid(NarrowForm(request.GET), request)
    freshness = rollup.refresh()
    now = timezone.now()
    page = business.load(pk, form.narrowed, now)
    if page is None:
        return None
    one, today = page.business, timezone.localdate(now)
    rtl = translation.get_language_bidi()
    replied = [datetime.fromisoformat(part.key).date() for part in page.usage.days]
    first = timezone.localdate(page.start) if one.last_reset else min(replied, default=today)
    days = business.every_day(page.usage.days, min(first, today), max([today, *replied]))
    replies = [(day, part.replies) for day, part in days]
    expected = one.last_reset.isoformat() if one.last_reset else ""
    context |= {
        "title": one.name,
        "page": page,
        "business": one,
        "freshness": freshness,
        "narrowed": form.narrowed,
        "is_narrowed": bool(request.GET),
        "burn_down": None if request.GET else charts.burn_down(one, replies, now, rtl=rtl),
        "day_chart": charts.bars(replies[-45:], rtl=rtl),
        "days": days[::-1],
        "hour_chart": charts.bars([(hour, count) for hour, (count, _tokens) in enumerate(page.hours)], rtl=rtl),
        "hours": list(enumerate(page.hours)),
        "limit_form": LimitForm(initial={"expected": one.limit, "limit": one.limit}),
        "top_up_form": TopUpForm(initial={"expected": one.limit, "until": _default_until(now, one)}),
        "reset_form": ResetForm(initial={"expected": expected}),
        "now": now,
        **_permissions(request),
    }
    return TemplateResponse(request, "usage/business.html", context)


def export_overview(request: HttpRequest) -> HttpResponseBase:
    _require(request, "usage.export_usage")
    form = _valid(OverviewForm(request.GET), request)
    rollup.refresh(patience=None)
    chosen = overview.choose(overview.load(), **form.filters)
    rows = export.overview_rows(chosen, overview.add_up(chosen))
    return export.response(rows, form.cleaned_data["format"] or "csv", f"ai-quota-{timezone.localdate()}")


def export_business(request: HttpRequest, pk: UUID) -> HttpResponseBase | None:
    _require(request, "usage.export_usage")
    query = request.GET.copy()
    file_format = "xlsx" if query.pop("format", ["csv"])[-1] == "xlsx" else "csv"
    form = _valid(NarrowForm(query), request)
    rollup.refresh(patience=None)
    page = business.load(pk, form.narrowed)
    if page is None:
        return None
    return export.response(export.usage_rows(page.usage), file_format, f"ai-usage-{pk}-{timezone.localdate()}")


def change_quota(request: HttpRequest, pk: UUID, action: str) -> HttpResponseBase:
    """One change of one business; ends on its page, which says what came of it."""
    rollup.refresh()
    before = overview.load(ids=[pk])
    actor: Any = request.user
    if action == "limit":
        _require(request, "usage.change_quota")
        form: Any = LimitForm(request.POST)
        if form.is_valid():
            values = form.cleaned_data
            results = changes.set_limits({pk: (values["expected"], values["limit"])}, actor, values["reason"])
    elif action == "top_up":
        _require(request, "usage.change_quota")
        form = TopUpForm(request.POST)
        if form.is_valid():
            values = form.cleaned_data
            results = changes.top_up(
                {pk: values["expected"]}, values["amount"], values["until"], actor, values["reason"]
            )
    else:
        _require(request, "usage.reset_quota")
        form = ResetForm(request.POST)
        if form.is_valid():
            values = form.cleaned_data
            results = resets.reset_counters({pk: values["expected"]}, actor, values["reason"])
    if not form.is_valid():
        for name, errors in form.errors.items():
            label = form.fields[name].label if name in form.fields else ""
            messages.error(request, f"{label or name}: {' '.join(map(str, errors))}")
    else:
        _tell(request, results[0], before[0] if before else None)
    return redirect("admin:usage_profile_change", pk)


def bulk(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """The preview of a change of many, and the change itself, of exactly what the preview showed."""
    _require(request, "usage.change_quota")
    back = f"{reverse('admin:usage_profile_changelist')}?{request.POST.get('list', '')}"
    if "plan" in request.POST:
        return _apply(request, back)
    form = Operation(request.POST, auto_id="bulk_%s")
    try:
        ids = set(Operation.ids(request.POST.getlist("id")))
    except ValueError:
        ids = set()
    if form.is_valid() and form.cleaned_data["kind"] == Operation.Kind.RESET:
        _require(request, "usage.reset_quota")
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
        query = _valid(OverviewForm(QueryDict(request.POST.get("list", ""))), request)
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
        "steps": changing[:PREVIEWED],
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
        _require(request, "usage.reset_quota")
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


def _expected(one: Business, kind: str) -> int | str | None:
    if kind == Operation.Kind.RESET:
        return one.last_reset.isoformat() if one.last_reset else None
    return one.limit


def _tell(request: HttpRequest, result: Result, before: Business | None) -> None:
    if result.outcome is Outcome.CHANGED and before:
        after = overview.load(ids=[before.id])[0]
        messages.success(
            request,
            _("Changed: %(used)s of %(limit)s used. Before: %(before)s. Now: %(after)s.")
            % {"used": after.used, "limit": after.limit, "before": outlook(before), "after": outlook(after)},
        )
    elif result.outcome is Outcome.MOVED:
        messages.error(
            request,
            _("Not changed: somebody was faster. The limit is %(limit)s now, and %(used)s are used.")
            % {"limit": result.limit, "used": result.used},
        )
    elif result.outcome is Outcome.DISABLED:
        messages.error(request, _("Not changed: this business is disabled. Set a limit instead of a top-up."))
    elif result.outcome is Outcome.UNCHANGED:
        messages.info(request, _("Nothing to change: that is the limit already."))
    else:
        messages.error(request, _("Not changed: there is no such business any more."))


def _permissions(request: HttpRequest) -> dict[str, bool]:
    names = ("change_quota", "reset_quota", "export_usage")
    return {f"may_{name}": request.user.has_perm(f"usage.{name}") for name in names}


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _valid(form: Any, request: HttpRequest) -> Any:
    if not form.is_valid():
        raise BadAddressError(
            400,
            _("The address holds a filter, or a value of one, that this list does not know: %(query)s")
            % {"query": request.META.get("QUERY_STRING", "")[:200]},
        )
    return form


def _default_until(now: datetime, one: Business | None = None) -> Any:
    """The last day before the reset; of many, in a week."""
    until = one.resets_on - timedelta(days=1) if one else now + timedelta(days=7)
    return max(timezone.localdate(until), timezone.localdate(now))
