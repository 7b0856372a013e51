from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")

    def ready(self) -> None:
        from conversations import checks, doctor, hot_statements  # noqa: F401 checks registers the system checks
        from conversations.message_counts import MessageCounts
        from conversations.preflight import TRIALS, refuse_hidden_rows, refuse_taken_names
        from conversations.repair import DuplicateMessages, recount
        from conversations.turns import PART
        from waops.access import readers
        from waops.database import replica
        from waops.dbops import hot_statements as hot
        from waops.dbops import periodic, retention
        from waops.dbops.doctor import diagnosis
        from waops.dbops.repairs.command import REPAIRS, RowsWord
        from waops.dbops.repairs.schema import RECOVERIES
        from waops.schema import preflight

        readers.OF_BUSINESSES["conversations"] = frozenset()
        replica.APPS.add("conversations")
        retention.KEPT.append(
            retention.Kept("turns", _("Finished turns"), "conversations.Turn", "ended_at", 30, least=7)
        )
        diagnosis.ALWAYS.append(doctor.examine)
        preflight.TRIALS.extend(TRIALS)
        preflight.CONDITIONS += [refuse_hidden_rows, refuse_taken_names]
        RECOVERIES.append(recount)
        hot.STATEMENTS.extend(hot_statements.STATEMENTS)
        hot.SAMPLES.append(hot_statements.SAMPLE)
        REPAIRS.extend((RowsWord(MessageCounts), RowsWord(DuplicateMessages)))
        periodic.PARTS.append(PART)
