"""The businesses of the existing database, and what this app stores about their quota, in schema `waops`."""

from usage.models.access_limit import AccessLimit
from usage.models.alert import Alert, AlertRule, Delivery
from usage.models.change import QuotaChange, TopUp
from usage.models.outlook import Outlook
from usage.models.price import Price
from usage.models.profile import Profile
from usage.models.rollup import (
    Missed,
    PendingAnswer,
    Period,
    RollupState,
    UsageByDay,
    UsageByHour,
    UsageByPeriod,
    UsageDetail,
)

__all__ = [
    "AccessLimit",
    "Alert",
    "AlertRule",
    "Delivery",
    "Missed",
    "Outlook",
    "PendingAnswer",
    "Period",
    "Price",
    "Profile",
    "QuotaChange",
    "RollupState",
    "TopUp",
    "UsageByDay",
    "UsageByHour",
    "UsageByPeriod",
    "UsageDetail",
]
