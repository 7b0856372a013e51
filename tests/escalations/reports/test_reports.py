"""The desk's reports: counted and drawn correctly, exported safely, shown to the right people."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import override as in_time_zone

from escalations.models import Event
from escalations.reports import queries
from escalations.reports.queries import Period, Preset, Scope
from tests import factories, wording
from waops.admin.charts import HEIGHT, WIDTH, series_bars

PAGE = "/escalations/escalation/reports/"
MAY = Scope(Period(date(2024, 5, 1), date(2024, 5, 31)))
IN_MAY = {"first": "2024-05-01", "last": "2024-05-31"}


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(factories.staff(*groups), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def manager(db) -> Client:
    return signed_in("Managers")


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2024, 5, day, hour, minute, tzinfo=UTC)


def event(escalation, kind: Event.Kind, moment: datetime, actor=None) -> None:
    Event.objects.create(
        escalation_id=escalation.pk,
        instance_id=escalation.instance_id,
        whatsapp_number=escalation.whatsapp_number,
        kind=kind,
        at=moment,
        actor=actor,
        actor_name=actor.get_username() if actor else "",
    )


def test_median_and_ninetieth_percentile_to_claim_and_to_resolve(db) -> None:
    for minutes in range(1, 12):
        opened = at(10)
        escalation = factories.escalation(escalated_at=opened, resolved_at=opened + timedelta(hours=minutes))
        event(escalation, Event.Kind.CLAIMED, opened + timedelta(minutes=minutes))
        event(escalation, Event.Kind.CLAIMED, opened + timedelta(days=1))
        event(escalation, Event.Kind.REPLIED, opened + timedelta(minutes=2 * minutes))
    factories.escalation(escalated_at=at(11))
    factories.escalation(escalated_at=None, created_at=at(11), resolved_at=at(12))
    factories.escalation(escalated_at=at(1) - timedelta(days=40), resolved_at=at(1) - timedelta(days=30))
    totals = queries.totals(MAY)
    assert totals.opened == 12
    assert (totals.to_claim.count, totals.to_claim.median) == (11, timedelta(minutes=6))
    assert totals.to_claim.ninety == timedelta(minutes=10)
    assert (totals.to_reply.count, totals.to_reply.median) == (11, timedelta(minutes=12))
    assert (totals.to_resolve.count, totals.to_resolve.median) == (12, timedelta(hours=6))
    assert totals.to_resolve.ninety == timedelta(hours=10)


def test_a_customer_who_is_back_within_a_week_counts_as_a_repeat(db) -> None:
    def returns(days: float) -> None:
        chat = factories.conversation()
        factories.escalation(chat, escalated_at=at(1), resolved_at=at(2))
        factories.escalation(chat, escalated_at=at(2) + timedelta(days=days), resolved_at=at(30))

    returns(0.1)
    returns(6.9)
    returns(7.1)
    other_number = factories.conversation(user_phone=factories.conversation().user_phone)
    factories.escalation(other_number, escalated_at=at(3))
    totals = queries.totals(MAY)
    assert (totals.opened, totals.repeats) == (7, 2)


def test_days_and_hours_are_those_of_the_time_zone(db) -> None:
    factories.escalation(escalated_at=at(9, 22, 30), resolved_at=at(10, 23))
    with in_time_zone("Asia/Riyadh"):
        hours, days = queries.by_hour(MAY), {day.day: day for day in queries.by_day(MAY)}
    assert hours[1] == sum(hours) == 1
    assert days[date(2024, 5, 10)].opened == days[date(2024, 5, 11)].resolved == 1
    assert len(days) == 31


def test_long_periods_are_charted_by_weeks(db) -> None:
    factories.escalation(escalated_at=at(20))
    weeks = queries.by_day(Scope(Period(date(2024, 1, 3), date(2024, 12, 31))))
    assert [week.day for week in weeks if week.opened] == [date(2024, 5, 20)]
    assert weeks[0].day == date(2024, 1, 1)
    assert sum(week.opened for week in weeks) == 1


def test_by_business_and_by_person(db) -> None:
    salma, omar = factories.staff("Support"), factories.staff("Support")
    chat = factories.conversation()
    claimed = factories.escalation(chat, escalated_at=at(5), resolved_at=at(6))
    event(claimed, Event.Kind.CLAIMED, at(5), salma)
    event(claimed, Event.Kind.RESOLVED, at(6), omar)
    noted = factories.escalation(escalated_at=at(5))
    event(noted, Event.Kind.NOTED, at(5), salma)

    def opened(**scope) -> int:
        return queries.totals(Scope(MAY.period, **scope)).opened

    assert opened() == 2
    assert opened(business=chat.instance.business_id) == 1
    assert opened(person=salma.pk) == opened(person=omar.pk) == 1
    assert opened(person=factories.staff("Support").pk) == 0
    assert queries.businesses(MAY.period) == [(chat.instance.business_id, chat.instance.business.business_name)]


def test_administrators_and_former_staff_are_offered_as_persons(db) -> None:
    people = [
        factories.staff("Support"),
        factories.staff("Support", is_active=False),
        factories.staff(is_superuser=True),
    ]
    factories.staff("Operators")
    assert set(queries.people()) == set(people)


def test_presets_are_whole_days_that_follow_each_other() -> None:
    week, this, last = (preset.period() for preset in (Preset.WEEK, Preset.THIS_MONTH, Preset.LAST_MONTH))
    assert week.days == 7
    assert last.ends == this.begins
    assert Preset.TODAY.period().ends - Preset.TODAY.period().begins >= timedelta(hours=23)


# The page


def test_the_page_shows_the_numbers_with_charts_and_tables(manager) -> None:
    escalation = factories.escalation(factories.conversation(), escalated_at=at(5, 9), resolved_at=at(5, 11, 30))
    text = manager.get(PAGE, IN_MAY).content.decode()
    for shown in ("2 h 30 min", wording.ASKED_FOR_A_PERSON, escalation.instance.business.business_name, "Africa/Cairo"):
        assert shown in text
    assert text.count('role="img"') == text.count(wording.AS_A_TABLE) == 2
    assert "first=2024-05-01" in text


@pytest.mark.parametrize("language", ["en", "ar"])
def test_drawings_have_decimal_points_in_every_language(manager, language) -> None:
    for day in range(1, 29):
        factories.escalation(escalated_at=at(day))
    text = manager.get(PAGE, IN_MAY, headers={"accept-language": language}).content.decode()
    coordinates = re.findall(
        r' (?:x|y|x1|x2|y1|y2|width|height)="([^"]*)"', "".join(re.findall("<svg class=.chart.*?</svg>", text, re.S))
    )
    assert len(coordinates) > 100
    assert all(re.fullmatch(r"\d+(\.\d)?", value) for value in coordinates)


def test_right_to_left_mirrors_the_drawing() -> None:
    def boxes(*, rtl: bool) -> list[tuple[float, float, float, float]]:
        chart = series_bars(["a", "b", "c"], [5, 0, 1], [2, 3, 0], rtl=rtl)
        return [(float(bar.x), float(bar.y), float(bar.width), float(bar.height)) for bar in chart.bars]

    ltr, rtl = boxes(rtl=False), boxes(rtl=True)
    assert [x + width for x, _, width, _ in rtl] == pytest.approx([WIDTH - x for x, _, _, _ in ltr], abs=0.11)
    assert [height for *_, height in rtl] == [height for *_, height in ltr]
    assert all(0 <= x <= WIDTH - width and 0 <= y <= HEIGHT - height for x, y, width, height in ltr + rtl)


@pytest.mark.parametrize("values", [[0, 0], [1, 0], [9_999_999, 1], []])
def test_any_values_have_a_drawing(values) -> None:
    assert series_bars([str(value) for value in values], values, rtl=False).scale


@pytest.mark.parametrize(
    "query",
    [
        {"first": "2024-05-02", "last": "2024-05-01"},
        {"first": "2024-05-02"},
        {"first": "2024-01-01", "last": "2026-01-01"},
        {"first": "0001-01-01", "last": "0001-01-02"},
        {"first": "9999-12-30", "last": "9999-12-31"},
        {"first": "x", "last": "y"},
        {"period": "ever"},
        {"business": "1"},
        {"person": "9" * 30},
    ],
)
def test_a_malformed_address_is_refused_with_a_reason(manager, query) -> None:
    for address in (PAGE, f"{PAGE}escalations.csv"):
        assert manager.get(address, query).status_code == 400


@pytest.mark.parametrize("preset", Preset)
def test_each_preset_has_a_page(manager, preset) -> None:
    factories.waiting(minutes=1)
    assert manager.get(PAGE, {"period": preset.slug}).status_code == 200


def test_many_escalations_cost_as_many_queries_as_one(manager) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            manager.get(PAGE, IN_MAY)
        return len(found)

    factories.escalation(factories.conversation(), escalated_at=at(5))
    manager.get(PAGE, IN_MAY)
    one = cost()
    for _ in range(50):
        factories.escalation(factories.conversation(), escalated_at=at(5))
    assert cost() == one <= 13


# The export


def lines(response) -> list[list[str]]:
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_export_has_one_row_per_escalation(manager, monkeypatch) -> None:
    monkeypatch.setattr(queries, "CHUNK", 3)
    salma = factories.staff("Support", username="salma")
    chat = factories.conversation(factories.instance(factories.business("متجر النور")))
    factories.customer(chat.instance, chat.user_phone, name="منى")
    escalation = factories.escalation(chat, escalated_at=at(5, 9), resolved_at=at(5, 11, 30))
    event(escalation, Event.Kind.CLAIMED, at(5, 9, 30), salma)
    event(escalation, Event.Kind.REPLIED, at(5, 9, 45), salma)
    event(escalation, Event.Kind.RESOLVED, at(5, 11, 30), salma)
    for _ in range(10):
        factories.escalation(escalated_at=at(6))
    response = manager.get(f"{PAGE}escalations.csv", IN_MAY)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="escalations-2024-05-01-2024-05-31.csv"'
    headings, first, *others = lines(response)
    assert headings[:3] == ["Escalation", "Opened", "Business"]
    assert first == [
        str(escalation.pk), "2024-05-05 12:00:00", "متجر النور", chat.instance.instance_name, chat.user_phone, "منى",
        "user_request", "2024-05-05 12:30:00", "salma", "30.0",
        "2024-05-05 12:45:00", "45.0", "2024-05-05 14:30:00", "salma", "150.0", "0",
    ]  # fmt: skip
    assert len(others) == len({row[0] for row in others}) == 10


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x","y")']
)
def test_no_cell_is_a_formula(manager, name) -> None:
    chat = factories.conversation(factories.instance(factories.business(name)))
    factories.customer(chat.instance, chat.user_phone, name=name)
    factories.escalation(chat, escalated_at=at(5))
    [_, row] = lines(manager.get(f"{PAGE}escalations.csv", IN_MAY))
    assert row[2] == row[5] == f"{name[: -len(name.lstrip())]}'{name.lstrip()}"


def test_managers_export_and_support_only_looks(db) -> None:
    support = signed_in("Support")
    assert "escalations.csv" not in support.get(PAGE).content.decode()
    assert support.get(f"{PAGE}escalations.csv").status_code == 403
    assert "escalations.csv" in signed_in("Managers").get(PAGE).content.decode()
    assert signed_in().get(PAGE).status_code == 403
