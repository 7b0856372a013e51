"""Fill the demo desk using the desk's own procedures, so that its lists, claims and history show something."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from escalations.annotations import unclaimed, with_conversation, with_open_rows
from escalations.models import ClosingOutcome, Event
from escalations.procedures import claim, hand_over, note, resolve, snooze
from escalations.queries import open_escalations
from waops.access.people import User
from waops.dbops.terminal import OperationsCommand, Subcommand

LEASE = timedelta(days=30)
"""Length of the demo's claims: no one renews them, and a newcomer may look later."""

IS_DEMO = """
    SELECT count(*) > 0 AND bool_and(account.email LIKE '%.example')
    FROM public.profiles JOIN auth.users AS account USING (id)
"""
"""Whether every business is demo data, whose owners have addresses that cannot exist."""

Act = Callable[[list[UUID]], object]


class Desk(Subcommand):
    name = "desk"
    help = "Lets two demo accounts claim, snooze, hand over and resolve escalations of the demo data."

    def run(self, command: OperationsCommand, **options: Any) -> bool:
        if not (settings.EMBEDDED_POSTGRES or settings.DEBUG):
            raise CommandError(_("This creates demo data and must not run on a real database."))
        people = User.objects.filter(username__in=("support", "support2"), is_active=True).order_by("username")
        if len(people) == 2 and is_demo() and not Event.objects.exists():
            with transaction.atomic():
                work(*people)
        command.stdout.write(_("Entries in the desk's history: %(count)s.") % {"count": Event.objects.count()})
        return False


def is_demo() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IS_DEMO)
        return bool(cursor.fetchone() == (True,))


def ordinary_escalations() -> Iterator[list[UUID]]:
    """Ids of unclaimed escalations one by one, longest waiting first, of customers with a conversation and no other
    escalation.
    """
    escalations = with_open_rows(with_conversation(unclaimed(open_escalations())))
    for escalation in escalations.filter(Q(instance__isnull=False, conversation_id__isnull=False, open_rows=1)):
        yield [escalation.pk]


def work(first: User, second: User) -> None:
    """Leave the desk as in the middle of a day: the oldest mostly done, some claimed or snoozed, the rest untouched."""

    def done(user: User, code: str, text: str) -> Act:
        return lambda ids: resolve(ids, user, outcomes.get(code), text)

    escalations = ordinary_escalations()
    outcomes = ClosingOutcome.objects.in_bulk()
    evening = timezone.now() + timedelta(hours=6)
    day: tuple[Act | None, ...] = (
        done(first, "answered", "Answered on WhatsApp; the customer is content."),
        done(second, "answered", "اتصلت بالعميل وأجبت عن سؤاله، ولم يبق شيء مطلوب."),
        done(first, "no-reply", "Called twice and left a message."),
        lambda ids: claim(ids, first, lease=LEASE),
        done(second, "sold", "أرسلت رابط الدفع، وتم الشراء."),
        done(first, "passed-on", "The shop has to decide, and will write itself."),
        lambda ids: snooze(ids, first, evening),
        done(second, "answered", "أرسلت للعميل الموعد وعنوان الفرع."),
        None,
        lambda ids: claim(ids, second, lease=LEASE),
        done(first, "answered", "Sent the price list again."),
        lambda ids: hand_over(ids, second, first, lease=LEASE),
        done(second, "unwanted", "رسالة إعلانية، لا تحتاج إلى رد."),
        None,
        done(first, "sold", "Ordered by phone; the shop has the address."),
        lambda ids: snooze(ids, second, None),
        None,
        lambda ids: (
            claim(ids, first, lease=LEASE),
            note(ids, first, "Asked the shop; it answers before 5 pm. The customer knows."),
        ),
        None,
        lambda ids: claim(ids, second, lease=LEASE),
        done(second, "answered", "شرحت طريقة الاستبدال، وشكرنا العميل."),
    )
    for act, ids in zip(day, escalations, strict=False):
        if act:
            act(ids)


PART = Desk()
