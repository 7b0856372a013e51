"""The doctor's checks of replies: the connection to the WhatsApp gateway, and replies with an unknown result."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalations.replies import gateway
from waops.database.fetch import fetch, fetch_value
from waops.dbops.doctor.section import Section, problem
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.reading import exist

SECONDS = 3.0
MOST = 50
"""Most numbers that the gateway is asked about."""

NUMBERS = """
    SELECT instance_name::text, status::text FROM public.whatsapp_instances
    WHERE pg_catalog.lower(status) = 'connected' ORDER BY instance_name LIMIT %s
"""
UNKNOWN = """
    SELECT pg_catalog.count(*) FROM waops.escalations_reply
    WHERE state IN ('sending', 'unknown') AND begun_at < pg_catalog.statement_timestamp() - %s * interval '1 second'
"""
NOT_STORED = (
    "SELECT pg_catalog.count(*) FROM waops.escalations_reply WHERE state IN ('sent', 'arrived') AND message_id IS NULL"
)


COLUMNS = (
    Column("number", gettext_lazy("WhatsApp number"), Kind.NAME),
    Column("database", gettext_lazy("In the database"), Kind.NAME),
    Column("gateway", gettext_lazy("At the gateway"), Kind.NAME),
)


@dataclass(frozen=True)
class NumberState:
    number: str
    database: str
    gateway: str = ""


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    if not exist(connection, "waops.escalations_reply"):
        return section
    section.findings += _unknown(connection)
    if not gateway.is_set():
        section.figures.append(
            Figures(
                "gateway",
                _("WhatsApp gateway"),
                COLUMNS,
                unavailable=_("Replies are off: the gateway's address and key are not set."),
                remedy="EVOLUTION_API_URL=https://… EVOLUTION_API_KEY=…",
                folded=True,
            )
        )
        return section
    has_numbers = exist(connection, "public.whatsapp_instances")
    rows = fetch(connection, NumberState, NUMBERS, [MOST]) if has_numbers else []
    found = gateway.examine([row.number for row in rows], SECONDS)
    states = found.states or {}
    numbers = [replace(row, gateway=states.get(row.number, "")) for row in rows]
    section.figures.append(
        Figures(
            "gateway",
            _("WhatsApp gateway %(address)s, version %(version)s")
            % {"address": settings.EVOLUTION_API_URL, "version": found.version or "?"},
            COLUMNS,
            numbers,
            folded=True,
        )
    )
    section.findings += _findings(found, numbers)
    return section


def _unknown(connection: BaseDatabaseWrapper) -> list[Finding]:
    unknown = fetch_value(connection, UNKNOWN, [settings.EVOLUTION_API_TIMEOUT + 10])
    lost = fetch_value(connection, NOT_STORED)
    return [
        *problem(
            "replies.unknown",
            "waops.escalations_reply",
            unknown,
            _("replies with an unknown outcome: %(count)s") % {"count": unknown},
            _("These customers get no further replies until someone checks WhatsApp and decides at the desk."),
        ),
        *problem(
            "replies.not_stored",
            "waops.escalations_reply",
            lost,
            _("replies sent but missing from their conversation: %(count)s") % {"count": lost},
            _("The database refused to store them, so the AI does not know about them. See the log."),
        ),
    ]


def _findings(found: gateway.Connection, numbers: list[NumberState]) -> list[Finding]:
    address = settings.EVOLUTION_API_URL
    if found.problem or not found.version:
        return [
            Finding(
                "gateway.silent",
                Severity.WARNING,
                address,
                _("the WhatsApp gateway does not answer like Evolution API (%(problem)s)")
                % {"problem": found.problem or _("no version")},
                _("Replies to customers fail."),
            )
        ]
    if any(number.gateway in ("401", "403") for number in numbers):
        return [
            Finding(
                "gateway.key",
                Severity.WARNING,
                "EVOLUTION_API_KEY",
                _("the WhatsApp gateway rejects the key"),
                _("Replies to customers fail."),
            )
        ]
    closed = [number.number for number in numbers if number.gateway not in ("", gateway.OPEN)]
    return problem(
        "gateway.closed",
        "public.whatsapp_instances",
        len(closed),
        _("numbers connected in the database but not at the gateway: %(names)s") % {"names": ", ".join(closed[:5])},
        _("Neither the AI nor staff can reach their customers until the business reconnects them."),
    )
