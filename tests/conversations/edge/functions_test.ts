/** The plan's three functions, on both paths and on a real Postgres. */

import assert from "node:assert/strict";
import { storeMessageInConversation } from "../../../conversations/edge/conversation-storage.ts";
import { checkAndUpdateUserLimit } from "../../../conversations/edge/generate-response.ts";
import { aiConfig, forgetSettings, instanceSettings } from "../../../conversations/edge/settings.ts";
import { CallError, useClient } from "../../../conversations/edge/switches.ts";
import { findOrCreateConversation } from "../../../conversations/edge/whatsapp-webhook.ts";
import { later, logged, makeConversation, makeShop, type Service, withService } from "./support.ts";

/** One test for the functions, and one for the legacy path. */
function onBothPaths(name: string, run: (service: Service) => Promise<void>): void {
  for (const path of ["function", "legacy"]) {
    Deno.test(`${name} (${path})`, () =>
      withService(async (service) => {
        if (path === "legacy") Deno.env.set("MESSAGE_PATH_KILL_SWITCH", "all");
        try {
          await run(service);
        } finally {
          Deno.env.delete("MESSAGE_PATH_KILL_SWITCH");
        }
        const calls = [...service.rest.requests.keys()].filter((path) => path.startsWith("/rpc/"));
        assert.equal(calls.length === 0, path === "legacy", calls.join());
      }));
  }
}

onBothPaths("a first message opens a conversation", async ({ client, sql }) => {
  const { instance } = await makeShop(sql);
  const found = await findOrCreateConversation(instance, "+20 100 000 0001", client);
  assert.deepEqual([found.isEscalated, found.recentMessages, found.instanceConfig?.id], [false, [], instance]);
  const [row] = await sql`SELECT user_phone, status FROM whatsapp_conversations WHERE id = ${found.conversationId}`;
  assert.deepEqual({ ...row }, { user_phone: "201000000001", status: "active" });
  const again = await findOrCreateConversation(instance, "201000000001@s.whatsapp.net", client);
  assert.equal(again.conversationId, found.conversationId);
});

onBothPaths("an inactive conversation is taken up again with its messages", async ({ client, sql }) => {
  const shop = await makeShop(sql);
  const id = await makeConversation(sql, shop, "+201000000001");
  await storeMessageInConversation(id, "user", "Hello", "wamid.1", client);
  await sql`UPDATE whatsapp_conversations SET status = 'closed' WHERE id = ${id}`;
  const found = await findOrCreateConversation(shop.instance, "201000000001", client);
  assert.deepEqual([found.conversationId, found.recentMessages.map(({ content }) => content)], [id, ["Hello"]]);
  const [{ status }] = await sql`SELECT status FROM whatsapp_conversations WHERE id = ${id}`;
  assert.equal(status, "active");
});

onBothPaths("an escalated customer stays escalated without a conversation", async ({ client, sql }) => {
  const { instance } = await makeShop(sql);
  await sql`INSERT INTO escalated_conversations (instance_id, whatsapp_number) VALUES (${instance}, '201000000001')`;
  assert.equal((await findOrCreateConversation(instance, "201000000001", client)).isEscalated, true);
  assert.equal((await findOrCreateConversation(instance, "201000000002", client)).isEscalated, false);
});

onBothPaths("first messages at the same moment open one conversation", async ({ client, sql }) => {
  const { instance } = await makeShop(sql);
  const found = await Promise.all(
    Array.from({ length: 20 }, () => findOrCreateConversation(instance, "201000000001", client)),
  );
  assert.equal(new Set(found.map(({ conversationId }) => conversationId)).size, 1);
});

const REFUSED = { "120363@g.us": "22023", "status@broadcast": "22023", "": "22023", "1@newsletter": "22023" };
Deno.test("groups, broadcasts and newsletters are no customers", () =>
  withService(async ({ client, sql }) => {
    const { instance } = await makeShop(sql);
    for (const [phone, code] of Object.entries({ ...REFUSED, ["9".repeat(256)]: "22023" })) {
      await assert.rejects(
        findOrCreateConversation(instance, phone, client),
        (error) => error instanceof CallError && error.code === code,
      );
    }
  }));

const PHONES = [
  "201000000001",
  "+20 (100) 000-0002",
  "00201000000003",
  "٢٠١٠٠٠٠٠٠٠٠٤",
  "۲۰۱۰۰۰۰۰۰۰۰۵",
  "201000000006:12@s.whatsapp.net",
  "201000000007.0:1@C.US",
  "201000000008@hosted",
  "98765@lid",
  "98766:3@hosted.lid",
  "201000000009@elsewhere.net",
  "\u202a+20\u00a0100 000 0010\u202c",
  "shop-assistant",
  "0",
  "00",
  "000",
  ":5",
  "@c.us",
  "1@2@3",
  "201000000011\n:7",
];
Deno.test("a number is stored in the same form as by the database function", () =>
  withService(async ({ client, sql }) => {
    const { instance } = await makeShop(sql);
    for (const phone of PHONES) {
      const [{ stored }] = await sql`SELECT whatsapp_customer(${instance}, ${phone}) AS stored`;
      const { conversationId } = await findOrCreateConversation(instance, phone, client);
      const [{ user_phone }] = await sql`SELECT user_phone FROM whatsapp_conversations WHERE id = ${conversationId}`;
      assert.equal(user_phone, stored, phone);
    }
  }));

onBothPaths("an unknown number is refused", async ({ client }) => {
  await assert.rejects(
    findOrCreateConversation("00000000-0000-0000-0000-00000000dead", "201000000001", client),
    (error) => error instanceof CallError && error.code === "23503",
  );
});

const DATA: Record<string, [unknown, Record<string, unknown>]> = {
  "an object": [{ tags: ["vip"], context: { topic: "sales" } }, { tags: ["vip"], context: { topic: "sales" } }],
  "a list": [[1, 2], { value: [1, 2] }],
  "null": [null, {}],
  "a context that is a text": [{ context: "old" }, { context: { value: "old" } }],
};
for (const [what, [before, kept]] of Object.entries(DATA)) {
  onBothPaths(`storing keeps what the conversation's data holds: ${what}`, async ({ client, sql }) => {
    const id = await makeConversation(sql, await makeShop(sql));
    await sql`UPDATE whatsapp_conversations SET conversation_data = ${sql.json(before as string)} WHERE id = ${id}`;
    const { timestamp } = await storeMessageInConversation(id, "user", "مرحبا 👋", "wamid.1", client);
    const [{ data }] = await sql`SELECT conversation_data AS data FROM whatsapp_conversations WHERE id = ${id}`;
    const context = { last_update: timestamp, message_count: 1, last_message_role: "user" };
    assert.deepEqual(data, { ...kept, context: { ...(kept.context as object), ...context } });
    const [{ metadata }] = await sql`
      SELECT metadata FROM whatsapp_conversation_messages WHERE conversation_id = ${id}
    `;
    assert.equal(metadata.estimated_tokens, 2);
  });
}

onBothPaths("a message that is delivered twice is stored once", async ({ client, sql }) => {
  const id = await makeConversation(sql, await makeShop(sql));
  const stored = await Promise.all(
    Array.from({ length: 5 }, () => storeMessageInConversation(id, "user", "Hello", "wamid.1", client)),
  );
  assert.equal(stored.filter(({ duplicate }) => !duplicate).length, 1);
  assert.equal(new Set(stored.map((message) => message.message_id)).size, 1);
  const again = await storeMessageInConversation(id, "user", "Hello", "", client);
  assert.deepEqual([again.duplicate, again.message_count], [false, 2]);
});

Deno.test("the legacy path knows a message that is delivered again without the unique index too", () =>
  withService(async ({ client, sql }) => {
    const id = await makeConversation(sql, await makeShop(sql));
    const index = "uniq_messages_conversation_message_id";
    const [{ definition }] = await sql`SELECT pg_get_indexdef(${index}::text::regclass) AS definition`;
    Deno.env.set("MESSAGE_PATH_KILL_SWITCH", "all");
    try {
      await sql.unsafe(`DROP INDEX ${index}`);
      const store = () => storeMessageInConversation(id, "user", "Hello", "wamid.1", client);
      const first = await store();
      assert.deepEqual(await store(), { ...first, duplicate: true });
    } finally {
      Deno.env.delete("MESSAGE_PATH_KILL_SWITCH");
      await sql.unsafe(definition);
    }
  }));

onBothPaths("messages at the same moment lose nothing in the conversation's data", async ({ client, sql }) => {
  const id = await makeConversation(sql, await makeShop(sql));
  await sql`UPDATE whatsapp_conversations SET conversation_data = '{"tags": 1}' WHERE id = ${id}`;
  await Promise.all(
    Array.from({ length: 10 }, (_, place) => storeMessageInConversation(id, "user", "Hello", `m${place}`, client)),
  );
  const [{ data }] = await sql`SELECT conversation_data AS data FROM whatsapp_conversations WHERE id = ${id}`;
  assert.equal(data.tags, 1);
});

onBothPaths("however many replies are counted at once, the limit holds and none is lost", async ({ client, sql }) => {
  const { business } = await makeShop(sql, 25);
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => checkAndUpdateUserLimit(business, true, client)),
  );
  assert.equal(answers.filter(({ allowed }) => allowed).length, 25);
  const used = answers.filter(({ allowed }) => allowed).map((answer) => answer.used).sort((one, other) => one - other);
  assert.deepEqual(used, Array.from({ length: 25 }, (_, place) => place + 1));
});

onBothPaths("a business that is not known is allowed, with the reason", async ({ client }) => {
  const unknown = "00000000-0000-0000-0000-00000000dead";
  const known = { allowed: true, limit: 0, used: 0, resetsOn: null, resetOverdue: false };
  assert.deepEqual(await checkAndUpdateUserLimit(null, true, client), {
    ...known,
    errorMessage: "User ID is required",
  });
  assert.deepEqual(await checkAndUpdateUserLimit(unknown, true, client), {
    ...known,
    errorMessage: `No profile has id ${unknown}`,
  });
});

const RESETS = [
  null,
  "infinity",
  "-infinity",
  "0044-03-15 12:00+00 BC",
  "20260-01-01 00:00+00",
  "1999-12-31 23:59+00",
  "2025-11-30 23:59:59.999999+00",
  "2026-01-31 22:30-03",
  "2095-12-31 12:00+00",
];
Deno.test("both paths say the same about every time of a last reset", () =>
  withService(async ({ client, sql }) => {
    const { business } = await makeShop(sql);
    for (const reset of RESETS) {
      await sql`UPDATE profiles SET last_responses_reset_date = ${reset}::text::timestamptz WHERE id = ${business}`;
      const viaFunction = await checkAndUpdateUserLimit(business, false, client);
      Deno.env.set("MESSAGE_PATH_KILL_SWITCH", "all");
      const legacy = await checkAndUpdateUserLimit(business, false, client);
      Deno.env.delete("MESSAGE_PATH_KILL_SWITCH");
      assert.deepEqual(legacy, viaFunction, String(reset));
    }
  }));

Deno.test("a database that does not answer silences no customer", () =>
  withService(async ({ client, rest, sql }) => {
    const { business } = await makeShop(sql);
    rest.before = () => Promise.reject(new TypeError("fetch failed"));
    const lines = await logged(async () => {
      const answer = await checkAndUpdateUserLimit(business, true, client);
      assert.equal(answer.allowed, true);
      assert.match(answer.errorMessage!, /could not be checked/);
    });
    assert.equal(lines.length, 2);
  }));

Deno.test("settings are read once for many calls, and again after they are forgotten", () =>
  withService(async ({ client, rest, sql }) => {
    const { instance, business } = await makeShop(sql);
    const reads = () => [rest.requests.get("/whatsapp_instances"), rest.requests.get("/whatsapp_ai_config")];
    const both = () => Promise.all([instanceSettings(instance, client), aiConfig(instance, client)]);
    await Promise.all([both(), both(), both()]);
    assert.deepEqual(reads(), [1, 1]);
    await sql`
      INSERT INTO whatsapp_ai_config (user_id, whatsapp_instance_id, system_prompt, is_active)
      VALUES (${business}, ${instance}, 'Be kind', true)
    `;
    assert.equal((await both())[1], null);
    forgetSettings(instance);
    const [row, config] = await both();
    assert.deepEqual([row!.id, config!.system_prompt], [instance, "Be kind"]);
    row!.status = "changed by one caller";
    assert.notEqual((await both())[0]!.status, row!.status);
    assert.deepEqual(reads(), [2, 2]);

    await sql`UPDATE whatsapp_ai_config SET system_prompt = 'Be short' WHERE whatsapp_instance_id = ${instance}`;
    const [, changed] = await later(30_000, both);
    assert.equal(changed!.system_prompt, "Be short");
  }));

Deno.test("an unknown number and a failed reading are not kept", () =>
  withService(async ({ client, rest }) => {
    const unknown = crypto.randomUUID();
    assert.equal(await instanceSettings(unknown, client), null);
    assert.equal(await instanceSettings(unknown, client), null);
    rest.before = () => Promise.resolve(Response.json({ message: "down" }, { status: 400 }));
    await assert.rejects(aiConfig(unknown, client), CallError);
    rest.before = () => Promise.resolve(undefined);
    assert.equal(await aiConfig(unknown, client), null);
    assert.equal(rest.requests.get("/whatsapp_instances"), 2);
  }));

Deno.test("with useClient the plan's signatures do", () =>
  withService(async ({ client, sql }) => {
    useClient(client);
    const { business, instance } = await makeShop(sql);
    const { conversationId } = await findOrCreateConversation(instance, "201000000001");
    assert.equal((await storeMessageInConversation(conversationId, "user", "Hello")).message_count, 1);
    assert.equal((await checkAndUpdateUserLimit(business, true)).used, 1);
  }));
