from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    name = "usage"
    verbose_name = _("AI quota")

    def ready(self) -> None:
        from usage import checks, doctor, hot_statements  # noqa: F401 checks registers the system checks
        from usage.periodic import PARTS, UsageCounts
        from usage.recovery import TRIALS, count_again
        from waops.access import readers
        from waops.database import replica
        from waops.dbops import hot_statements as hot
        from waops.dbops import periodic, retention, role
        from waops.dbops.doctor import diagnosis
        from waops.dbops.repairs.command import REPAIRS
        from waops.dbops.repairs.schema import RECOVERIES
        from waops.schema import preflight

        readers.OF_BUSINESSES["usage"] = frozenset({"price"})
        readers.LIMITS[:] = ["usage.AccessLimit"]
        replica.APPS.add("usage")
        replica.PAGES.update({"usage_profile_change", "usage_profile_export", "usage_profile_export_one"})
        retention.KEPT.append(
            retention.Kept("alerts", _("Quota alerts and their messages"), "usage.Alert", "at", 730, least=62)
        )
        role.WRITES["profiles"] = ("UPDATE",)
        preflight.TRIALS.extend(TRIALS)
        RECOVERIES.append(count_again)
        diagnosis.ALWAYS.append(doctor.examine)
        hot.STATEMENTS.extend(hot_statements.STATEMENTS)
        REPAIRS.append(UsageCounts())
        periodic.PARTS.extend(PARTS)
