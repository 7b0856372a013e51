/**
 * Replays recorded turns in two databases that are the same, one on the legacy
 * path and one on the functions, and compares every answer and the tables.
 *
 * The recording is drawn from a seed: what customers, the service's other code
 * and staff do, several times out of order or twice. Each business is one
 * sequence; the businesses run side by side.
 */

import assert from "node:assert/strict";
import postgres from "npm:postgres@3.4.9";
import { storeMessageInConversation } from "../../../conversations/edge/conversation-storage.ts";
import { checkAndUpdateUserLimit } from "../../../conversations/edge/generate-response.ts";
import { type Client, forgetSwitches } from "../../../conversations/edge/switches.ts";
import { findOrCreateConversation } from "../../../conversations/edge/whatsapp-webhook.ts";
import { fallbacks, withService } from "./support.ts";

const BUSINESSES = 8;
const CUSTOMERS = 40;
const TEXTS = ["Hello", "أين طلبي؟", "👋🏽", "", 'It\'s "urgent" \\ {now}', "line\nline", "x".repeat(5_000)];
const FUNCTIONS = ["store_message_with_update", "get_conversation_with_context", "check_and_update_ai_usage"];

type Random = () => number;

/** What happens in one turn: first to the rows, by others; then the customer's message. */
interface Turn {
  business: number;
  phone: string;
  content: string;
  messageId: string | undefined;
  reply: string;
  event: string | undefined;
}

const NUMBER = "(SELECT id FROM whatsapp_instances WHERE instance_name = $1)";
const CONVERSATION = `instance_id = ${NUMBER} AND user_phone IN ($2, '+' || $2)`;
const EVENTS: [number, string][] = [
  [0.04, `UPDATE whatsapp_conversations SET status = 'inactive' WHERE ${CONVERSATION}`],
  [0.04, `UPDATE whatsapp_conversations SET status = 'closed' WHERE ${CONVERSATION}`],
  [0.02, `UPDATE whatsapp_conversations SET conversation_data = '[1, {"a": null}]' WHERE ${CONVERSATION}`],
  [0.02, `UPDATE whatsapp_conversations SET conversation_data = NULL WHERE ${CONVERSATION}`],
  [
    0.02,
    `UPDATE whatsapp_conversations SET conversation_data = '{"tags": ["vip"], "context": {"topic": "é"}}'
     WHERE ${CONVERSATION}`,
  ],
  [
    0.03,
    `INSERT INTO escalated_conversations (instance_id, whatsapp_number)
     SELECT ${NUMBER}, $2 WHERE NOT EXISTS (
       SELECT FROM escalated_conversations
       WHERE instance_id = ${NUMBER} AND whatsapp_number = $2 AND resolved_at IS NULL
     )`,
  ],
  [
    0.05,
    `UPDATE escalated_conversations SET resolved_at = clock_timestamp()
     WHERE instance_id = ${NUMBER} AND whatsapp_number = $2 AND resolved_at IS NULL`,
  ],
  [
    0.01,
    `INSERT INTO whatsapp_conversations (instance_id, user_phone, status) VALUES (${NUMBER}, '+' || $2, 'inactive')
     ON CONFLICT DO NOTHING`,
  ],
  [
    0.02,
    `DELETE FROM whatsapp_conversation_messages
     WHERE conversation_id IN (SELECT id FROM whatsapp_conversations WHERE ${CONVERSATION}) AND role = 'assistant'`,
  ],
  [
    0.02,
    `UPDATE profiles SET monthly_ai_responses_used = 0, last_responses_reset_date = '2026-01-15 12:00+00'
     WHERE id = (SELECT user_id FROM whatsapp_instances WHERE instance_name = $1) AND $2 <> ''`,
  ],
];

export function record(turns: number, seed = 1): Turn[] {
  const random = randomFrom(seed);
  const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)];
  const previous = new Map<string, string>();
  return Array.from({ length: turns }, (_, place) => {
    const business = place % BUSINESSES;
    const number = `2010${business}${String(Math.floor(random() * CUSTOMERS)).padStart(6, "0")}`;
    const forms = [number, number, number, number, `+${number}`, `${number}@s.whatsapp.net`, `00${number}`];
    const fresh = random() < 0.1 ? undefined : `wamid.${place}`;
    const messageId = random() < 0.1 ? previous.get(number) ?? fresh : fresh;
    if (messageId) previous.set(number, messageId);
    let chance = random();
    const event = EVENTS.find(([share]) => (chance -= share) < 0)?.[1];
    return { business, phone: pick(forms), content: pick(TEXTS), messageId, reply: pick(TEXTS), event };
  });
}

/** Mulberry32. */
function randomFrom(seed: number): Random {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Replays the turns down one path; answers what each call answered. */
async function replay(
  turns: Turn[],
  database: string,
  percent: number,
): Promise<{ answers: unknown[]; tables: string }> {
  const answers: unknown[] = new Array(turns.length);
  let tables = "";
  await withService(async ({ client, rest, sql }) => {
    for (let business = 0; business < BUSINESSES; business++) await makeBusiness(sql, business);
    await sql`UPDATE waops.waffle_sample SET percent = ${percent} WHERE name = ANY (${FUNCTIONS})`;
    await Promise.all(Array.from({ length: BUSINESSES }, async (_, business) => {
      for (const [place, turn] of turns.entries()) {
        if (turn.business === business) answers[place] = await take(turn, client, sql);
      }
    }));
    for (const name of FUNCTIONS) {
      assert.equal((rest.requests.get(`/rpc/${name}`) ?? 0) > 0, percent > 0);
      assert.deepEqual(await fallbacks(sql, name), {});
    }
    tables = await dump(sql);
  }, database);
  return { answers, tables };
}

async function makeBusiness(sql: postgres.Sql, business: number): Promise<void> {
  const id = `00000000-0000-0000-0000-00000000000${business}`;
  await sql`INSERT INTO auth.users (id) VALUES (${id})`;
  await sql`
    INSERT INTO profiles (id, full_name, monthly_ai_response_limit) VALUES (${id}, 'A shop', ${20 * (business + 1)})
    ON CONFLICT (id) DO UPDATE SET monthly_ai_response_limit = excluded.monthly_ai_response_limit
  `;
  await sql`
    INSERT INTO whatsapp_instances (id, user_id, instance_name) VALUES (${id}, ${id}, ${`shop${business}`})
  `;
}

async function take(turn: Turn, client: Client, sql: postgres.Sql): Promise<unknown> {
  const id = `00000000-0000-0000-0000-00000000000${turn.business}`;
  const digits = turn.phone.replace(/^\+|^00|@.*$/g, "");
  if (turn.event) await sql.unsafe(turn.event, [`shop${turn.business}`, digits]);
  const found = await findOrCreateConversation(id, turn.phone, client);
  const question = await storeMessageInConversation(
    found.conversationId,
    "user",
    turn.content,
    turn.messageId,
    client,
  );
  const quota = await checkAndUpdateUserLimit(id, false, client);
  const answer = [found, question, quota].map(plain);
  if (question.duplicate || found.isEscalated || !quota.allowed) return answer;
  const reply = await storeMessageInConversation(
    found.conversationId,
    "assistant",
    turn.reply,
    turn.messageId && `reply-${turn.messageId}`,
    client,
  );
  return [...answer, plain(reply), plain(await checkAndUpdateUserLimit(id, true, client))];
}

/** Without what differs between any two calls: new ids, and the time. */
const CHANCE = new Set(["conversationId", "conversation_id", "message_id", "timestamp", "created_at", "updated_at"]);

function plain(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value) => CHANCE.has(key) ? typeof value : value));
}

/** Every row that turns write, in order, with everything but new ids and the time. */
async function dump(sql: postgres.Sql): Promise<string> {
  const rows = await sql`
    SELECT instance_id, user_phone, status,
      CASE jsonb_typeof(conversation_data)
        WHEN 'object' THEN conversation_data #- '{context,last_update}' ELSE conversation_data
      END AS data, last_activity >= started_at AS is_later,
      (conversation_data #>> '{context,last_update}')::timestamptz <= last_activity AS is_updated,
      ARRAY(
        SELECT to_jsonb(message) - 'id' - 'conversation_id' - 'timestamp' || jsonb_build_object(
          'metadata', metadata - 'timestamp',
          'is_timed', abs(extract(epoch FROM (metadata ->> 'timestamp')::timestamptz - timestamp)) < 60
        )
        FROM whatsapp_conversation_messages AS message WHERE conversation_id = conversation.id ORDER BY timestamp
      ) AS messages
    FROM whatsapp_conversations AS conversation ORDER BY instance_id, user_phone
  `;
  const quotas = await sql`
    SELECT id, monthly_ai_responses_used, last_responses_reset_date = '2026-01-15 12:00+00' AS is_reset FROM profiles
    ORDER BY id
  `;
  const escalations = await sql`
    SELECT instance_id, whatsapp_number, count(*)::int, count(resolved_at)::int AS resolved FROM escalated_conversations
    GROUP BY 1, 2 ORDER BY 1, 2
  `;
  return JSON.stringify({ rows, quotas, escalations }, null, 1);
}

/** Fails with the first difference. Answers how many rows and turns were compared. */
export async function compare(count: number): Promise<string> {
  const turns = record(count);
  const legacy = await replay(turns, Deno.env.get("EDGE_DATABASE")!, 0);
  forgetSwitches();
  const viaFunctions = await replay(turns, Deno.env.get("EDGE_OTHER_DATABASE")!, 100);
  for (const [place, turn] of turns.entries()) {
    assert.deepEqual(viaFunctions.answers[place], legacy.answers[place], `turn ${place}: ${JSON.stringify(turn)}`);
  }
  assert.equal(viaFunctions.tables, legacy.tables);
  const { rows } = JSON.parse(legacy.tables);
  const messages = rows.reduce((total: number, row: { messages: unknown[] }) => total + row.messages.length, 0);
  assert.ok(messages > count / 2);
  return `${count} turns, ${rows.length} conversations, ${messages} messages: the same answers and tables`;
}

if (import.meta.main) console.log(await compare(Number(Deno.args[0] ?? 10_000)));
