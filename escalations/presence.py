"""Who has which case before them."""

from datetime import timedelta
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, Now, NullIf, Trim

from escalations.models import Escalation, Viewing
from waops.models import User

FRESH = timedelta(seconds=30)
"""A page that is open says so more often than that."""

# Rows of yesterday go along; those that another such statement deletes at this moment are left to it.
LOOK = """
    WITH seen AS (
        INSERT INTO waops.escalations_viewing (escalation_id, user_id, seen_at)
        VALUES (%(case)s, %(user)s, pg_catalog.statement_timestamp())
        ON CONFLICT (escalation_id, user_id) DO UPDATE SET seen_at = EXCLUDED.seen_at
    ),
    gone AS (
        DELETE FROM waops.escalations_viewing WHERE id IN (
            SELECT id FROM waops.escalations_viewing
            WHERE seen_at < pg_catalog.statement_timestamp() - interval '1 day'
              AND (escalation_id, user_id) <> (%(case)s, %(user)s)
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
    )
    SELECT COALESCE(
        NULLIF(pg_catalog.btrim(pg_catalog.concat(person.first_name, ' ', person.last_name)), ''), person.username
    )
    FROM waops.escalations_viewing AS viewing
    JOIN waops.waops_user AS person ON person.id = viewing.user_id
    WHERE viewing.escalation_id = %(case)s
      AND viewing.user_id <> %(user)s
      AND viewing.seen_at > pg_catalog.statement_timestamp() - %(fresh)s * interval '1 second'
    ORDER BY viewing.seen_at DESC
"""


def look(escalation_id: UUID, user: User) -> list[str]:
    """Note that this person has the case's page open; names of the others who have, in one round trip."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"case": escalation_id, "user": user.pk, "fresh": FRESH.total_seconds()})
        return [name for (name,) in cursor.fetchall()]


def leave(escalation_id: UUID, user: User) -> None:
    Viewing.objects.filter(escalation_id=escalation_id, user=user).delete()


def with_viewers(cases: QuerySet[Escalation], user: User) -> QuerySet[Escalation]:
    """Adds `viewers`: names of the others who have the case's page open."""
    full_name = Trim(Concat("user__first_name", Value(" "), "user__last_name"))
    looking = (
        Viewing.objects.filter(escalation_id=OuterRef("pk"), seen_at__gt=Now() - FRESH)
        .exclude(user=user)
        .order_by("-seen_at")
        .values_list(Coalesce(NullIf(full_name, Value("")), "user__username"))
    )
    return cases.annotate(viewers=ArraySubquery(looking))
