"""Play the rest of WhatsApp for the demo: replies are delivered and read, and customers answer now and then.

It plays the service too, which keeps the gateway's events in `webhook_messages` and stores what customers write.
"""

import logging
import re
import threading
from collections.abc import Callable
from functools import partial
from itertools import count

from django.conf import settings
from django.db import DatabaseError, connection

from waops.dev.gateway.server import Delivered, Gateway

logger = logging.getLogger(__name__)

EVENTS_TABLE = """
    CREATE TABLE IF NOT EXISTS public.webhook_messages (
        id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
        instance text NOT NULL,
        event text NOT NULL,
        data jsonb NOT NULL,
        received_at timestamp with time zone NOT NULL DEFAULT now()
    )
"""
EVENT = """
    INSERT INTO public.webhook_messages (instance, event, data) VALUES (%s, 'messages.update', jsonb_build_object(
        'keyId', %s::text, 'remoteJid', %s::text, 'fromMe', true, 'status', %s::text
    ))
"""
CUSTOMER_WRITES = """
    SELECT public.message_arrived(instance.id, %(number)s, %(text)s)
    FROM public.whatsapp_instances AS instance WHERE instance.instance_name = %(instance)s
"""
SERVICE_HOLDS = """
    SELECT public.store_message_with_update(
        conversation.id, 'assistant', instance.escalated_conversation_message,
        'escalated_' || (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    )
    FROM public.whatsapp_instances AS instance
    JOIN public.whatsapp_conversations AS conversation ON conversation.instance_id = instance.id
    WHERE instance.instance_name = %(instance)s AND conversation.user_phone = %(number)s
      AND instance.escalated_conversation_message <> ''
      AND EXISTS (
          SELECT FROM public.escalated_conversations AS escalation
          WHERE escalation.instance_id = instance.id AND escalation.whatsapp_number = conversation.user_phone
            AND escalation.resolved_at IS NULL
      )
"""
"""What the deployed service does with each message while an escalation is open."""

STEPS = ((0.5, "SERVER_ACK"), (1.5, "DELIVERY_ACK"), (6.0, "READ"))
ANSWER_SECONDS = 9.0
EVERY = 3
"""One in this many replies is answered by the customer."""
ANSWERS = {
    True: ("شكرًا جزيلًا لكم", "تمام، ومتى يصل الطلب؟", "حسنًا، سأنتظر"),
    False: ("Thank you so much", "Great. When will it arrive?", "OK, I will wait"),
}
ARABIC = re.compile("[\u0600-\u06ff]")

_numbers = count(1)


def start() -> Gateway:
    """Start the demo gateway, and make this process send replies through it."""
    gateway = Gateway(on_delivered=_delivered)
    gateway.start()
    _run(lambda: _execute(EVENTS_TABLE, []))
    settings.EVOLUTION_API_URL, settings.EVOLUTION_API_KEY = gateway.url, gateway.key
    settings.EVOLUTION_IS_DEMO = True
    return gateway


def _delivered(message: Delivered) -> None:
    for seconds, status in STEPS:
        event = [message.instance, message.id, f"{message.number}@s.whatsapp.net", status]
        _later(seconds, partial(_execute, EVENT, event))
    number = next(_numbers)
    if (number - 1) % EVERY == 0:
        answers = ANSWERS[bool(ARABIC.search(message.text))]
        values = {
            "instance": message.instance,
            "number": message.number,
            "text": answers[number // EVERY % len(answers)],
        }
        _later(ANSWER_SECONDS, partial(_customer_answers, values))


def _customer_answers(values: object) -> None:
    _execute(CUSTOMER_WRITES, values)
    _execute(SERVICE_HOLDS, values)


def _later(seconds: float, work: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, _run, [work])
    timer.daemon = True
    timer.start()


def _run(work: Callable[[], object]) -> None:
    try:
        work()
    except DatabaseError as error:
        logger.warning("The demo's gateway: %s", error)
    finally:
        connection.close()


def _execute(statement: str, values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)  # type: ignore[arg-type]
