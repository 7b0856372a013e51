"""The deployed schema as it was read from the live database, in the form the catalog prints it."""

import json
import re
from pathlib import Path
from typing import Any

DEPLOYED: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "supabase_schema.json").read_text(encoding="utf-8")
)
TABLES: dict[str, Any] = DEPLOYED["tables"]
OPTIONAL_TABLES = {"support_team_numbers", "customer_profiles"}

SOME_TEXT = "(a text in Arabic or English)"
"""Stands for a default whose words were not recorded."""

PLAN_INDEXES = {
    "CREATE INDEX idx_conversations_active ON whatsapp_conversations USING btree (instance_id, user_phone, status)"
    " WHERE (status = 'active'::text)",
    "CREATE INDEX idx_conversations_cleanup ON whatsapp_conversations USING btree (last_activity)"
    " WHERE (status <> 'active'::text)",
    "CREATE INDEX idx_messages_conversation ON whatsapp_conversation_messages USING btree"
    ' (conversation_id, "timestamp" DESC)',
    "CREATE INDEX idx_messages_content_gin ON whatsapp_conversation_messages USING gin"
    " (to_tsvector('simple'::regconfig, content))",
    "CREATE INDEX idx_ai_interactions_user ON whatsapp_ai_interactions USING btree"
    " (whatsapp_instance_id, user_phone, created_at DESC)",
    "CREATE INDEX idx_ai_interactions_metadata_gin ON whatsapp_ai_interactions USING gin (metadata)",
    "CREATE INDEX idx_ai_config_active ON whatsapp_ai_config USING btree (whatsapp_instance_id, is_active)"
    " WHERE (is_active = true)",
    "CREATE INDEX idx_profiles_ai_limits ON profiles USING btree"
    " (monthly_ai_responses_used, monthly_ai_response_limit)",
    "CREATE INDEX idx_escalated_active ON escalated_conversations USING btree"
    " (instance_id, whatsapp_number, resolved_at) WHERE (resolved_at IS NULL)",
}


def columns(table: str) -> list[tuple[str, str, bool, str | None]]:
    """Name, type, nullable, default; in the deployed order."""
    return [
        (column["name"], column["type"], column["nullable"], column.get("default"))
        for column in TABLES[table]["columns"]
    ]


def constraints(table: str) -> dict[str, str]:
    return {constraint["name"]: constraint["definition"] for constraint in TABLES[table]["constraints"]}


def indexes(table: str, *, variant: str, trigrams: bool) -> set[str]:
    """Definitions of the indexes that no constraint made."""
    deployed = {definition for definition in TABLES[table]["indexes"] if trigrams or "gin_trgm_ops" not in definition}
    plan = {definition for definition in PLAN_INDEXES if f" ON {table} " in definition}
    return deployed | plan if variant == "after" else deployed


def functions(*, variant: str) -> set[str]:
    """Signatures, in `plain` form."""
    signatures = {plain(signature.partition("--")[0]) for signature in DEPLOYED["functions_deployed"]}
    if variant == "before":
        return signatures
    store = next(signature for signature in signatures if signature.startswith("store_message_with_update("))
    first_form = store.replace("with_update", "and_update_conversation").replace("returns json", "returns void")
    return {signature.replace("p_message_limit", "p_limit") for signature in signatures} | {first_form}


def plain(signature: str) -> str:
    """A signature without what differs in print only: case, casts of defaults, a type's long name."""
    lowered = signature.strip().lower().replace("timestamp with time zone", "timestamptz")
    return re.sub(r"::\w+", "", lowered)
