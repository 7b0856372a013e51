from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationsConfig(AppConfig):
    name = "escalations"
    verbose_name = _("Escalations")

    def ready(self) -> None:
        from escalations import repairs, sla  # noqa: F401  (connects its signals)
        from escalations.desk.queue import home_panel
        from escalations.hot_statements import STATEMENTS
        from escalations.models import Reply
        from escalations.replies import checks  # noqa: F401  (registers itself)
        from escalations.replies import doctor as reply_doctor
        from waops.access import readers
        from waops.admin.home import Panel, register
        from waops.database import replica
        from waops.dbops import hot_statements, retention, role
        from waops.dbops.doctor import diagnosis
        from waops.dbops.repairs.command import REPAIRS, RowsWord
        from waops.schema import preflight

        readers.OF_BUSINESSES["escalations"] = frozenset(
            {"cannednote", "cannedreply", "closingoutcome", "knownreason", "slatarget", "workingday"}
        )
        replica.APPS.add("escalations")
        replica.PAGES.update(f"escalations_escalation_{page}" for page in ("export", "reports", "search"))
        replica.LIVE.add("escalations_escalation_changelist")
        replica.CHANGES_NO_LIST.add("escalations_escalation_looking")
        retention.KEPT.append(
            retention.Kept("viewings", _("Views of escalations"), "escalations.Viewing", "seen_at", 1)
        )
        retention.KEPT.append(
            retention.Kept(
                "replies",
                _("Texts of replies, emptied"),
                "escalations.Reply",
                "begun_at",
                30,
                least=1,
                text="text",
                only=Reply.TEXT_NOT_NEEDED,
            )
        )
        role.WRITES["escalated_conversations"] = ("INSERT", "UPDATE")
        # Staff replies are stored the way the service stores AI replies.
        role.WRITES["whatsapp_conversations"] = ("INSERT", "UPDATE")
        role.WRITES["whatsapp_conversation_messages"] = ("INSERT",)
        role.CALLS.append("public.store_message_with_update(uuid, text, text, text)")
        diagnosis.ALWAYS += [repairs.examine, reply_doctor.examine]
        register(
            Panel(
                name="escalations",
                permission="escalations.resolve_escalation",
                template="escalations/desk/home_panel.html",
                context=home_panel,
                order=10,
            )
        )
        hot_statements.STATEMENTS.extend(STATEMENTS)
        REPAIRS.extend((RowsWord(repairs.DuplicateEscalations), RowsWord(repairs.MissedEscalations)))
        preflight.TRIALS.extend(repairs.TRIALS)
