"""The quota pages of the admin: thin; quota.py and business.py build what they show."""

from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from usage import business, changes, export, quota, reads, reconcile, resets, rollup
from usage.batches import Outcome, Result
from usage.charts import burn_down
from usage.forms import (
    LAST_DAY,
    LimitForm,
    NarrowForm,
    Operation,
    OverviewForm,
    ReconcileForm,
    ResetForm,
    TopUpForm,
    focus_first_error,
)
from usage.procedures import check_and_update_ai_usage
from usage.quota import Business, View
from usage.requests import BadAddressError, page_of, require, valid
from usage.rollup import EPOCH
from usage.wording import order_choices, outlook
from waops.access import personal
from waops.access.log import note_export, note_reading
from waops.access.readers import may
from waops.admin.charts import SPARK_HEIGHT, SPARK_WIDTH, bars, sparkline
from waops.admin.drafts import typed_before
from waops.admin.once import once

CHARTED_DAYS = 45


def overview_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    form = valid(OverviewForm(request.GET), request)
    freshness = rollup.refresh()
    now = timezone.now()
    filters = form.filters
    page, found = quota.page(now, form.cleaned_data["p"], **filters)
    if filters["plan"] and filters["plan"] not in found.plans:
        raise BadAddressError(400, _("There is no plan “%(plan)s”.") % {"plan": filters["plan"]})
    silent = reads.silence(one.id for one in page if one.is_in(View.OUT))
    rtl = translation.get_language_bidi()
    context |= {
        "title": _("AI quota"),
        "freshness": freshness,
        "views": [(view, view.label, found.counts[view]) for view in View],
        "filters": filters,
        "orders": order_choices(filters["order"]),
        "plans": found.plans,
        "rows": [
            {"business": one, "silence": silent.get(one.id), "trend": sparkline(one.trend, rtl=rtl)} for one in page
        ],
        "totals": found.totals,
        "page": page,
        "operation": Operation(auto_id="bulk_%s", initial={"scope": "selected", "until": _default_until(now)}),
        "spark": (SPARK_WIDTH, SPARK_HEIGHT),
        **_permissions(request),
    }
    return TemplateResponse(request, "usage/overview.html", context)


def reconcile_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Counters that differ from the recorded replies, and why; also as a file."""
    form = valid(ReconcileForm(request.GET), request)
    values = form.cleaned_data
    if values["format"]:
        require(request, "usage.export_usage")
    freshness = rollup.refresh(patience=None if values["format"] else rollup.PATIENCE)
    period = values["period"] or "running"
    differing = reconcile.reconcile() if period == "running" else reconcile.reconcile_ended()
    rows = [row for row in differing if values["all"] or not row.is_within_tolerance]
    if values["format"]:
        note_export(request, "usage.profile")
        return export.response(
            export.reconcile_rows(rows), values["format"], f"ai-quota-reconcile-{timezone.localdate()}"
        )
    context |= {
        "title": _("Counters and recorded replies"),
        "freshness": freshness,
        "page": page_of(rows, values["p"]),
        "period": period,
        "is_all": values["all"],
        "within": len(differing) - len(rows),
        "counter": sum(row.counter for row in rows),
        "replies": sum(row.replies for row in rows),
        "difference": sum(row.difference for row in rows),
        "days": reconcile.ENDED_DAYS,
        **_permissions(request),
    }
    return TemplateResponse(request, "usage/reconcile.html", context)


def business_page(
    request: HttpRequest, pk: UUID, context: dict[str, Any], bound: dict[str, Any] | None = None
) -> HttpResponseBase | None:
    """The context of a business's page; None if there is no such business.

    `bound`: the rejected form, by its name in the template.
    """
    form = valid(NarrowForm(request.GET), request)
    freshness = rollup.refresh()
    now = timezone.now()
    narrowed = form.narrowed
    page = business.load(pk, narrowed, now)
    if page is None:
        return None
    if narrowed.number and str(narrowed.number) not in page.number_names:
        raise BadAddressError(404, _("This business has no such WhatsApp number."))
    if page.replies:
        note_reading(request, "usage.profile", pk)
    one, today = page.business, timezone.localdate(now)
    is_narrowed = bool(narrowed.number or narrowed.personality is not None or narrowed.day)
    rtl = translation.get_language_bidi()
    replied = [date.fromisoformat(part.key) for part in page.days]
    first = timezone.localdate(page.start) if page.start != EPOCH else min(replied, default=today)
    days = business.every_day(page.days, min(first, today), today)
    odd, other_days = business.odd_days(page.days, days)
    per_day = [(date.fromisoformat(part.key), part.replies) for part in page.days]
    listed = sorted(days + odd, key=itemgetter(0), reverse=True)
    expected = one.last_reset.isoformat() if one.last_reset else ""
    context |= {
        "title": personal.text(one.name),
        "page": page,
        "business": one,
        "freshness": freshness,
        "narrowed": narrowed,
        "is_narrowed": is_narrowed,
        "asked_now": None if is_narrowed else check_and_update_ai_usage(pk),
        "number_name": page.number_names.get(str(narrowed.number)),
        "personality_name": page.personality_names.get(narrowed.personality or "", narrowed.personality),
        "burn_down": None if is_narrowed else burn_down(one, per_day, now, rtl=rtl),
        "day_chart": bars([(day, part.replies) for day, part in days[-CHARTED_DAYS:]], rtl=rtl),
        "days": [(day, part) for day, part in listed if narrowed.day in (None, day)],
        "other_days": None if narrowed.day else other_days,
        "hour_chart": bars(
            [(int(part.key), part.replies) for part in page.costly_hours]
            or [(hour, count) for hour, (count, _tokens) in enumerate(page.hours)],
            rtl=rtl,
        ),
        "hours": list(enumerate(page.hours)),
        **_change_forms(
            typed_before(request),
            LimitForm(initial={"expected": one.limit, "limit": one.limit}),
            TopUpForm(initial={"expected": one.limit, "until": _default_until(now, one)}),
            ResetForm(initial={"expected": expected}),
        ),
        "history_length": business.HISTORY,
        **_permissions(request),
        **(bound or {}),
    }
    return TemplateResponse(request, "usage/business.html", context, status=400 if bound else 200)


def export_overview(request: HttpRequest) -> HttpResponseBase:
    require(request, "usage.export_usage")
    form = valid(OverviewForm(request.GET), request)
    rollup.refresh(patience=None)
    found = quota.choose(**form.filters)
    note_export(request, "usage.profile")
    rows = export.overview_rows(found.rows, found.totals)
    return export.response(rows, form.cleaned_data["format"] or "csv", f"ai-quota-{timezone.localdate()}")


def export_business(request: HttpRequest, pk: UUID) -> HttpResponseBase | None:
    require(request, "usage.export_usage")
    query = request.GET.copy()
    file_format = "xlsx" if query.pop("format", ["csv"])[-1] == "xlsx" else "csv"
    form = valid(NarrowForm(query), request)
    rollup.refresh(patience=None)
    page = business.load(pk, form.narrowed)
    if page is None:
        return None
    note_export(request, "usage.profile", pk)
    return export.response(export.usage_rows(page), file_format, f"ai-usage-{pk}-{timezone.localdate()}")


def change_quota(request: HttpRequest, pk: UUID, action: str, context: dict[str, Any]) -> HttpResponseBase | None:
    """Change one business; redirects to its page, which shows the result."""
    require(request, "usage.reset_quota" if action == "reset" else "usage.change_quota")
    form: Any = {"limit": LimitForm, "top_up": TopUpForm, "reset": ResetForm}[action](request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: check the form."))
        focus_first_error(form)
        return business_page(request, pk, context, {f"{action}_form": form, "open_form": action})
    rollup.refresh()
    before = quota.load(ids=[pk])
    if not before:
        return None
    actor: Any = request.user
    values = form.cleaned_data

    def change() -> list[Result]:
        if action == "limit":
            return changes.set_limits({pk: (values["expected"], values["limit"])}, actor, values["reason"])
        if action == "top_up":
            limits = {pk: values["expected"]}
            return changes.top_up(limits, values["amount"], values["until"], actor, values["reason"])
        return resets.reset_counters({pk: values["expected"]}, actor, values["reason"])

    results = once(request, change, lambda results: results[0].outcome is Outcome.CHANGED)
    if results is None:
        messages.info(
            request,
            _("This was submitted twice and done once: %(used)s of %(limit)s are used now.")
            % {"used": before[0].used, "limit": before[0].limit},
        )
    else:
        _tell(request, results[0], before[0])
    return redirect("admin:usage_profile_change", pk)


def _tell(request: HttpRequest, result: Result, before: Business) -> None:
    if result.outcome is Outcome.CHANGED:
        after = quota.load(ids=[before.id])[0]
        messages.success(
            request,
            _("Changed: %(used)s of %(limit)s used. Before: %(before)s. Now: %(after)s.")
            % {"used": after.used, "limit": after.limit, "before": outlook(before), "after": outlook(after)},
        )
    elif result.outcome is Outcome.MOVED:
        messages.error(
            request,
            _("Not saved: someone else changed it first. The limit is now %(limit)s, and %(used)s are used.")
            % {"limit": result.limit, "used": result.used},
        )
    elif result.outcome is Outcome.DISABLED:
        messages.error(request, _("Not changed: this business is disabled. Set a limit instead of a top-up."))
    elif result.outcome is Outcome.BUSY:
        messages.error(request, _("Not changed: another transaction has locked this business. Try again in a moment."))
    elif result.outcome is Outcome.TOO_HIGH:
        messages.error(
            request,
            _("Not changed: a limit can be at most %(limit)s.")
            % {"limit": number_format(changes.HIGHEST_LIMIT, force_grouping=True)},
        )
    elif result.outcome is Outcome.UNCHANGED:
        messages.info(request, _("Nothing to change: this is already the limit."))
    else:
        messages.error(request, _("Not changed: this business no longer exists."))


def _change_forms(typed: QueryDict, *forms: Any) -> dict[str, Any]:
    """By name in the template; a form that was already filled in is kept, except for the value it changes."""
    context: dict[str, Any] = {f"{form.prefix}_form": form for form in forms}
    for form in forms:
        written = {name: typed[key] for name in form.fields if (key := form.add_prefix(name)) in typed}
        if written.pop("expected", None) is not None:
            form.initial |= written
            context["open_form"] = form.prefix
    return context


def _permissions(request: HttpRequest) -> dict[str, bool]:
    names = ("change_quota", "reset_quota", "export_usage")
    return {f"may_{name}": may(request, f"usage.{name}") for name in names}


def _default_until(now: datetime, one: Business | None = None) -> Any:
    """The last day before the reset; a week from now for several businesses, or if its time is unknown."""
    until = now + timedelta(days=7)
    if one and one.resets_on and one.resets_on > now:
        until = one.resets_on - timedelta(days=1)
    return min(max(timezone.localdate(until), timezone.localdate(now)), LAST_DAY)
