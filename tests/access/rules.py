"""Who may open and send what: one entry for every name of the URL configuration. A page without one fails the matrix.

Letters are groups: S Support, M Managers, O Operators. Administrators may do everything that anybody may.
"""

from dataclasses import dataclass, field
from typing import Any

from waops.access.readers import NOBODY


@dataclass(frozen=True)
class Rule:
    """`sees`: who gets the page; `acts`: who may send its form. `row` names what the address holds, of world.py.

    `everybodys`: about the whole service, so that a limited person is refused. `only_sends`: there is no page to get.
    `query` and `data` are what the address and the form hold. `missing` pages answer 404 to people with permission, and
    `hidden` is what a limited person gets for another business's row. `shared`: they may not send its form.
    """

    sees: str = ""
    acts: str = ""
    row: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    everybodys: bool = False
    only_sends: bool = False
    query: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    missing: bool = False
    hidden: int = 404
    shared: bool = False


@dataclass(frozen=True)
class Model:
    """A model's five pages of the admin. `changes`: who may add, change and delete; `shared` ones no limited person."""

    sees: str = ""
    changes: str = ""
    everybodys: bool = False
    shared: bool = False


EVERYBODY = "SMO"

MODELS = {
    "waops.user": Model(everybodys=True),
    "waops.installedobject": Model("O", everybodys=True),
    "waops.archivedrow": Model("O", everybodys=True),
    "waops.accessrecord": Model(everybodys=True),
    "waops.signinevent": Model(everybodys=True),
    "auth.group": Model(everybodys=True),
    "waffle.sample": Model(everybodys=True),
    "usage.accesslimit": Model(everybodys=True),
    "usage.profile": Model("MO"),
    "usage.price": Model("MO", "M", shared=True),
    "usage.alertrule": Model("MO", "M"),
    "usage.quotachange": Model("MO"),
    "usage.delivery": Model("MO"),
    "conversations.conversation": Model("SMO"),
    "conversations.message": Model("SO"),
    "conversations.aiinteraction": Model("SMO"),
    "conversations.whatsappinstance": Model("SMO"),
    "conversations.aiconfig": Model("MO"),
    "conversations.aipersonality": Model("SO"),
    "conversations.supportteamnumber": Model("O"),
    "conversations.customerprofile": Model("SO"),
    "escalations.closingoutcome": Model("M", "M", shared=True),
    "escalations.cannednote": Model("M", "M", shared=True),
    "escalations.cannedreply": Model("M", "M", shared=True),
    "escalations.closingrule": Model("M", "M"),
    "escalations.slatarget": Model("M", "M", shared=True),
    "escalations.workingday": Model("M", "M", shared=True),
}
READ_ONLY = {
    *("waops.installedobject", "waops.archivedrow", "waops.accessrecord", "waops.signinevent"),
    *("usage.profile", "usage.quotachange", "usage.delivery"),
    *(name for name in MODELS if name.startswith("conversations.")),
}
"""Not even an administrator adds, changes or deletes them."""

OPERATIONS = {
    **{
        f"admin:waops_operations_{page}": Rule("O", "O", everybodys=True)
        for page in (
            *("changelist", "checklist", "slow-queries", "indexes", "tables", "connections", "snapshots", "plans"),
            *("drift", "security", "functions", "report", "markdown"),
        )
    },
    **{
        f"admin:waops_operations_{action}": Rule("O", "O", everybodys=True, only_sends=True)
        for action in ("checklist_tick", "checklist_backup", "snapshots_take", "drift_accept")
    },
    "admin:waops_operations_functions_percent": Rule(
        "O", "O", everybodys=True, only_sends=True, data={"function": "message_arrived", "percent": "50"}
    ),
    "admin:waops_operations_functions_trace": Rule(
        "O", "O", everybodys=True, only_sends=True, data={"function": "message_arrived", "minutes": "15"}
    ),
    # Refused to everybody while OPERATIONS_ALLOW_TERMINATE is off.
    "admin:waops_operations_connections_terminate": Rule("O", "-", everybodys=True, only_sends=True),
}
ESCALATION = "escalations.escalation"
DESK = {
    "changelist": Rule("SMO", "SMO"),
    "change": Rule("SMO", "SMO", row=ESCALATION),
    "messages": Rule("SMO", "SMO", row=ESCALATION),
    "ai_context": Rule("SMO", "SMO", row=ESCALATION),
    "live": Rule("SMO", "SMO"),
    "looking": Rule("SMO", "SMO", row=ESCALATION, only_sends=True),
    "search": Rule("SMO", "SMO", query={"q": "words"}),
    "attention": Rule("SMO", "SMO"),
    "attention_count": Rule("SMO", "SMO"),
    "filters": Rule("SMO", "SMO"),
    "reports": Rule("SMO", "SMO"),
    "export": Rule("M", "M"),
    "bulk": Rule("SMO", "SM", only_sends=True, data={"action": "claim", "all": "1", "query": ""}),
    "remedy": Rule("S", "S", arguments={"kind": "missed"}, only_sends=True),
    **{
        name: Rule("SM", "SM", row=ESCALATION, only_sends=True)
        for name in ("claim", "release", "snooze", "wake", "note")
    },
    "replies": Rule("SMO", "SMO", row=ESCALATION),
    "reply": Rule("SM", "SM", row=ESCALATION, only_sends=True, data={"text": "words", "key": str(NOBODY)}),
    "decide_reply": Rule("SM", "SM", row=ESCALATION, arguments={"reply": 1}, only_sends=True, data={"arrived": "1"}),
    "escalate": Rule("S", "S", row="conversations.conversation", only_sends=True, hidden=302),
    "hand-over": Rule("SM", "SM", row=ESCALATION, only_sends=True),
    "resolve": Rule("S", "S", row=ESCALATION, only_sends=True),
    "reopen": Rule("S", "S", row="escalations.resolved", only_sends=True),
}
QUOTA = {
    "export": Rule("M", "M"),
    "export_one": Rule("M", "M", row="usage.profile"),
    "reconcile": Rule("MO", "MO"),
    "bulk": Rule("M", "M", only_sends=True),
    **{action: Rule("M", "M", row="usage.profile", only_sends=True) for action in ("limit", "top_up", "reset")},
}
CHOOSE_A_BUSINESS = {"app_label": "escalations", "model_name": "closingrule", "field_name": "business"}

RULES = {
    "admin:index": Rule(EVERYBODY, EVERYBODY),
    "admin:app_list": Rule("MO", "MO", arguments={"app_label": "usage"}),
    "admin:password_change": Rule(EVERYBODY, EVERYBODY),
    "admin:password_change_done": Rule(EVERYBODY, EVERYBODY),
    "admin:logout": Rule(EVERYBODY, EVERYBODY, only_sends=True),
    "admin:autocomplete": Rule("MO", "MO", query={**CHOOSE_A_BUSINESS, "term": "bakery"}),
    "admin:auth_user_password_change": Rule(everybodys=True, row="waops.user"),
    "admin:second_factor": Rule(EVERYBODY, EVERYBODY),
    "admin:second_factor_code": Rule(EVERYBODY, EVERYBODY, only_sends=True),  # no one here has to enter a code
    "admin:waops_user_lift_lock": Rule(everybodys=True, row="waops.user", only_sends=True),
    "admin:waops_user_remove_second_factor": Rule(everybodys=True, row="waops.user", only_sends=True),
    **OPERATIONS,
    **{f"admin:escalations_escalation_{name}": rule for name, rule in DESK.items()},
    **{f"admin:usage_profile_{name}": rule for name, rule in QUOTA.items()},
}
PUBLIC = {"set_language", "admin:login", "admin:jsi18n"}
"""For people who are not logged in, too."""


def _pages(name: str, model: Model) -> dict[str, Rule]:
    changes = "-" if name in READ_ONLY else model.changes
    beyond = model.everybodys or model.shared
    prefix = f"admin:{name.replace('.', '_')}"
    return {
        f"{prefix}_changelist": Rule(model.sees, model.sees, everybodys=model.everybodys),
        f"{prefix}_history": Rule(model.sees, model.sees, row=name, everybodys=model.everybodys),
        f"{prefix}_change": Rule(model.sees, changes, row=name, everybodys=model.everybodys, shared=model.shared),
        f"{prefix}_add": Rule(changes, changes, everybodys=beyond),
        f"{prefix}_delete": Rule(changes, changes, row=name, everybodys=beyond),
    }


for _name, _model in MODELS.items():
    RULES = _pages(_name, _model) | RULES
