/** Finds a customer's one conversation, reactivates or creates it, and answers what the webhook must know. */

import { instanceSettings } from "./settings.ts";
import { CallError, callFunction, choose, type Client, clientOr, take } from "./switches.ts";

export interface Message {
  role: "user" | "assistant";
  content: string;
  timestamp: string;
}

export interface FoundConversation {
  conversationId: string;
  /** Whether a person has the customer: the AI must not answer. */
  isEscalated: boolean;
  /** The newest ten, newest first. */
  recentMessages: Message[];
  /** The number's row. */
  instanceConfig: Record<string, unknown> | null;
}

interface Conversation {
  id: string;
  user_phone: string;
  status: string;
}

const CONVERSATIONS = "whatsapp_conversations";
const COLUMNS = "id, user_phone, status";
const RECENT_MESSAGES = 10;
const LONGEST_PHONE = 255;

/** Throws CallError, also for a group, a broadcast, a status or a newsletter. */
export async function findOrCreateConversation(
  instanceId: string,
  userPhone: string,
  supabaseAdmin?: Client,
): Promise<FoundConversation> {
  const client = clientOr(supabaseAdmin);
  const forms = formsOf(userPhone);
  return await choose(
    client,
    "get_conversation_with_context",
    () => viaFunction(client, instanceId, userPhone, forms),
    () => inSteps(client, instanceId, forms),
  );
}

async function viaFunction(
  client: Client,
  instanceId: string,
  userPhone: string,
  forms: string[],
): Promise<FoundConversation> {
  const read = async () => {
    const context = await callFunction(client, "get_conversation_with_context", {
      p_instance_id: instanceId,
      p_user_phone: userPhone,
    });
    // An older copy of the function answers null, which says nothing about an escalation.
    if (context === null) throw new CallError("The function is an older copy: it answered null", "XX000", true);
    return context;
  };
  let context = await read();
  let conversationId = context.conversation?.id;
  if (!conversationId) {
    const { conversation, isNew } = await open(client, instanceId, forms);
    conversationId = conversation.id;
    if (!isNew) context = await read();
  }
  return {
    conversationId,
    isEscalated: context.is_escalated,
    // Older copies of the function answer null in place of an empty list.
    recentMessages: context.recent_messages ?? [],
    instanceConfig: context.instance_config,
  };
}

async function inSteps(client: Client, instanceId: string, forms: string[]): Promise<FoundConversation> {
  const { conversation, isNew } = await open(client, instanceId, forms);
  const escalations = take(
    await client.from("escalated_conversations").select("id").eq("instance_id", instanceId)
      .in("whatsapp_number", forms).is("resolved_at", null).limit(1),
  );
  const recentMessages = isNew ? [] : take(
    await client.from("whatsapp_conversation_messages").select("role, content, timestamp")
      .eq("conversation_id", conversation.id)
      .order("timestamp", { ascending: false }).order("id", { ascending: false }).limit(RECENT_MESSAGES),
  );
  return {
    conversationId: conversation.id,
    isEscalated: escalations.length > 0,
    recentMessages,
    instanceConfig: await instanceSettings(instanceId, client),
  };
}

/** The customer's conversation, active. Two first messages at the same moment open one. */
async function open(
  client: Client,
  instanceId: string,
  forms: string[],
): Promise<{ conversation: Conversation; isNew: boolean }> {
  const found = await find(client, instanceId, forms);
  if (found) return { conversation: await activate(client, found), isNew: false };
  const [created] = take(
    await client.from(CONVERSATIONS)
      .upsert(
        { instance_id: instanceId, user_phone: canonical(forms), status: "active" },
        { onConflict: "instance_id,user_phone", ignoreDuplicates: true },
      ).select(COLUMNS),
  );
  if (created) return { conversation: created, isNew: true };
  const other = await find(client, instanceId, forms);
  if (!other) {
    throw new CallError(`The conversation was not created: a trigger on ${CONVERSATIONS} discarded it`, "55000");
  }
  return { conversation: await activate(client, other), isNew: false };
}

async function find(client: Client, instanceId: string, forms: string[]): Promise<Conversation | undefined> {
  const rows: Conversation[] = take(
    await client.from(CONVERSATIONS).select(COLUMNS).eq("instance_id", instanceId).in("user_phone", forms),
  );
  return rows.sort((one, other) => forms.indexOf(one.user_phone) - forms.indexOf(other.user_phone))[0];
}

async function activate(client: Client, conversation: Conversation): Promise<Conversation> {
  if (conversation.status !== "active") {
    take(await client.from(CONVERSATIONS).update({ status: "active" }).eq("id", conversation.id));
  }
  return conversation;
}

const NOT_CUSTOMERS = new Set(["g.us", "broadcast", "newsletter"]);
const NUMBERS = new Set(["", "s.whatsapp.net", "c.us", "hosted"]);
const HIDDEN_NUMBERS = new Set(["lid", "hosted.lid"]);
const EASTERN_DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹";
const BETWEEN_DIGITS =
  /[-+()[\]./ \t\n\r\u00a0\u00ad\u061c\u2007\u2009\u200b\u200e\u200f\u2010-\u2013\u202a-\u202e\u202f\u2060\u2066-\u2069\ufeff]/g;

/**
 * The forms under which a conversation of this customer may be stored, as given
 * first, and second the one under which it is created: the database function
 * whatsapp_customer.
 */
function formsOf(phone: string): string[] {
  if (phone === null || phone === undefined) throw new CallError("p_user_phone must not be null", "22004");
  const length = [...phone].length;
  if (length < 1 || length > LONGEST_PHONE) {
    throw new CallError(`p_user_phone has ${length} characters; 1 to ${LONGEST_PHONE} are allowed`, "22023");
  }
  const [before, given = ""] = phone.split("@");
  const server = given.toLowerCase();
  if (NOT_CUSTOMERS.has(server)) {
    throw new CallError(
      "p_user_phone must be a customer, not a group, a broadcast, a status or a newsletter",
      "22023",
    );
  }
  const number = before.replace(server ? /[.:_].*$/s : /:.*$/s, "")
    .replace(/[٠-٩۰-۹]/g, (digit) => String(EASTERN_DIGITS.indexOf(digit) % 10))
    .replace(BETWEEN_DIGITS, "");
  if (!/^[0-9]+$/.test(number)) return [phone];
  if (NUMBERS.has(server)) {
    const digits = number.replace(/^00(?=.)/, "");
    return [phone, digits, `+${digits}`, `00${digits}`, `${digits}@s.whatsapp.net`, `${digits}@c.us`];
  }
  return HIDDEN_NUMBERS.has(server) ? [phone, `${number}@lid`] : [phone];
}

function canonical(forms: string[]): string {
  return forms[1] ?? forms[0];
}
