/** Stores a message and brings its conversation up to date. */

import { CallError, callFunction, choose, type Client, clientOr, take } from "./switches.ts";

export interface StoredMessage {
  success: true;
  message_id: string;
  conversation_id: string;
  /** The conversation's messages, this one too. */
  message_count: number;
  /** The conversation had this message id already; `message_id` is the first row's, and nothing was written. */
  duplicate: boolean;
  timestamp: string;
}

interface Row {
  id: string;
  timestamp: string;
}

const MESSAGES = "whatsapp_conversation_messages";
const CONVERSATIONS = "whatsapp_conversations";
const LONGEST_MESSAGE_ID = 512;
const UPDATE_ATTEMPTS = 5;

/** Throws CallError, and then nothing was stored. */
export async function storeMessageInConversation(
  conversationId: string,
  role: "user" | "assistant",
  content: string,
  messageId?: string,
  supabaseAdmin?: Client,
): Promise<StoredMessage> {
  const client = clientOr(supabaseAdmin);
  return await choose(
    client,
    "store_message_with_update",
    () =>
      callFunction(client, "store_message_with_update", {
        p_conversation_id: conversationId,
        p_role: role,
        p_content: content,
        p_message_id: messageId,
      }),
    () => storeInSteps(client, conversationId, role, content, messageId || null),
  );
}

async function storeInSteps(
  client: Client,
  conversationId: string,
  role: string,
  content: string,
  messageId: string | null,
): Promise<StoredMessage> {
  refuseBadMessage(conversationId, role, content, messageId);
  const first = messageId && await find(client, conversationId, messageId);
  const { row, duplicate } = first
    ? { row: first, duplicate: true }
    : await insert(client, conversationId, role, content, messageId);
  const counted = await client.from(MESSAGES).select("id", { count: "exact", head: true })
    .eq("conversation_id", conversationId);
  take(counted);
  const count = counted.count ?? 0;
  if (!duplicate) await touch(client, conversationId, role, row.timestamp, count);
  return {
    success: true,
    message_id: row.id,
    conversation_id: conversationId,
    message_count: count,
    duplicate,
    timestamp: row.timestamp,
  };
}

function refuseBadMessage(conversationId: string, role: string, content: string, messageId: string | null): void {
  const given = { p_conversation_id: conversationId, p_role: role, p_content: content };
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined) throw new CallError(`${name} must not be null`, "22004");
  }
  if (role !== "user" && role !== "assistant") {
    throw new CallError(`p_role must be "user" or "assistant", not "${role.slice(0, 50)}"`, "22023");
  }
  const length = characters(messageId ?? "");
  if (length > LONGEST_MESSAGE_ID) {
    throw new CallError(
      `p_message_id has ${length} characters; at most ${LONGEST_MESSAGE_ID} are allowed`,
      "22023",
    );
  }
}

async function find(client: Client, conversationId: string, messageId: string): Promise<Row | undefined> {
  const rows = take(
    await client.from(MESSAGES).select("id, timestamp")
      .eq("conversation_id", conversationId).eq("message_id", messageId)
      .order("timestamp").order("id").limit(1),
  );
  return rows[0];
}

async function insert(
  client: Client,
  conversationId: string,
  role: string,
  content: string,
  messageId: string | null,
): Promise<{ row: Row; duplicate: boolean }> {
  const metadata = { estimated_tokens: Math.ceil(characters(content) / 4), timestamp: new Date().toISOString() };
  try {
    const rows: Row[] = take(
      await client.from(MESSAGES)
        .insert({ conversation_id: conversationId, role, content, message_id: messageId, metadata })
        .select("id, timestamp"),
    );
    if (!rows[0]) throw new CallError(`The message was not stored: a trigger on ${MESSAGES} discarded it`, "55000");
    return { row: rows[0], duplicate: false };
  } catch (error) {
    // It was delivered a second time in between.
    const isTaken = error instanceof CallError && error.code === "23505";
    const first = isTaken && messageId && await find(client, conversationId, messageId);
    if (!first) throw error;
    return { row: first, duplicate: true };
  }
}

/** Note in the conversation that a message was stored; everything else that its data holds survives. */
async function touch(
  client: Client,
  conversationId: string,
  role: string,
  timestamp: string,
  count: number,
): Promise<void> {
  for (let attempt = 1; attempt <= UPDATE_ATTEMPTS; attempt++) {
    const [conversation] = take(
      await client.from(CONVERSATIONS).select("last_activity, conversation_data").eq("id", conversationId),
    );
    if (!conversation) return;
    const data = asObject(conversation.conversation_data);
    const context = {
      ...asObject(data.context),
      last_update: timestamp,
      message_count: count,
      last_message_role: role,
    };
    const lastActivity = isLater(conversation.last_activity, timestamp) ? conversation.last_activity : timestamp;
    const update = client.from(CONVERSATIONS)
      .update({ last_activity: lastActivity, conversation_data: { ...data, context } }).eq("id", conversationId);
    // Another message may have changed the data since they were read: then read them again.
    const unchanged = attempt < UPDATE_ATTEMPTS ? update.eq("last_activity", conversation.last_activity) : update;
    if (take(await unchanged.select("id")).length > 0) return;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  return typeof value === "object" && !Array.isArray(value) ? { ...value } : { value };
}

/** Whether `time` is later than `other`, both as the database writes them; times in the far future do not count. */
function isLater(time: string, other: string): boolean {
  const [ours, theirs] = [Date.parse(time), Date.parse(other)];
  if (Number.isNaN(ours) || ours > Date.now() + 86_400_000) return false;
  return ours === theirs ? microseconds(time) > microseconds(other) : ours > theirs;
}

function microseconds(time: string): string {
  return (time.match(/\.(\d+)/)?.[1] ?? "").padEnd(6, "0");
}

/** As the database counts them. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
