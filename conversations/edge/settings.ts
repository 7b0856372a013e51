/**
 * A WhatsApp number's settings, read once for all calls of a session.
 *
 * A session is what an Edge Function's worker does within SETTINGS_SECONDS.
 * Settings that are changed are seen after that time. Whether a customer is
 * escalated is never kept.
 */

import { type Client, clientOr, take } from "./switches.ts";

/** How old kept settings may be. */
export const SETTINGS_SECONDS = 30;
const MOST_KEPT = 1_000;

// deno-lint-ignore no-explicit-any -- deployments add columns
export type Row = Record<string, any>;

class Kept {
  readonly #entries = new Map<string, { row: Promise<Row | null>; readAt: number }>();

  /** What `read` answers, from at most SETTINGS_SECONDS ago. Calls at the same moment share one reading. */
  get(key: string, read: () => Promise<Row | null>, keepsNull: boolean): Promise<Row | null> {
    const now = performance.now();
    const entry = this.#entries.get(key);
    if (entry && now - entry.readAt < SETTINGS_SECONDS * 1000) return entry.row;
    this.#entries.delete(key);
    // Entries are in the order in which they were read.
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= MOST_KEPT) this.#entries.delete(oldest);
    const row = read();
    const added = { row, readAt: now };
    this.#entries.set(key, added);
    const forget = () => {
      if (this.#entries.get(key) === added) this.#entries.delete(key);
    };
    row.then((found) => found === null && !keepsNull && forget(), forget);
    return row;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}

const instances = new Kept();
const aiConfigs = new Kept();

/** The number's row of whatsapp_instances; null, which is not kept, for an unknown number. Throws CallError. */
export async function instanceSettings(instanceId: string, supabaseAdmin?: Client): Promise<Row | null> {
  const client = clientOr(supabaseAdmin);
  const read = async () => take(await client.from("whatsapp_instances").select("*").eq("id", instanceId))[0] ?? null;
  return structuredClone(await instances.get(instanceId, read, false));
}

/** The number's active row of whatsapp_ai_config; null while its AI is off. Throws CallError. */
export async function aiConfig(instanceId: string, supabaseAdmin?: Client): Promise<Row | null> {
  const client = clientOr(supabaseAdmin);
  const read = async () =>
    take(
      await client.from("whatsapp_ai_config").select("*").eq("whatsapp_instance_id", instanceId).eq(
        "is_active",
        true,
      ),
    )[0] ?? null;
  return structuredClone(await aiConfigs.get(instanceId, read, true));
}

/** Have the number's settings read again. Call it after changing them. */
export function forgetSettings(instanceId: string): void {
  instances.forget(instanceId);
  aiConfigs.forget(instanceId);
}
