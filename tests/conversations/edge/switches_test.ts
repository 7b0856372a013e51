/** Which path calls take, and what happens when a function breaks; on a real Postgres. */

import assert from "node:assert/strict";
import { storeMessageInConversation } from "../../../conversations/edge/conversation-storage.ts";
import { checkAndUpdateUserLimit } from "../../../conversations/edge/generate-response.ts";
import { CallError, forgetSwitches } from "../../../conversations/edge/switches.ts";
import {
  fallbacks,
  later,
  logged,
  makeConversation,
  makeShop,
  restored,
  type Service,
  setPercent,
  withService,
} from "./support.ts";

const STORE = "store_message_with_update";
const QUOTA = "check_and_update_ai_usage";
const SECRET = "my card number is 4111";

const calls = ({ rest }: Service, name: string) => rest.requests.get(`/rpc/${name}`) ?? 0;
const times = <T>(count: number, make: (place: number) => T) =>
  Array.from({ length: count }, (_, place) => make(place));

Deno.test("of 1,000 calls at 30 %, 30 % go to the function, and each is counted once", () =>
  withService(async (service) => {
    const { client, sql } = service;
    const { business } = await makeShop(sql);
    await setPercent(sql, QUOTA, 30);
    for (let call = 0; call < 1_000; call++) await checkAndUpdateUserLimit(business, true, client);
    const share = calls(service, QUOTA) / 10;
    assert.ok(share >= 27 && share <= 33, `${share} %`);
    const [{ used }] = await sql`SELECT monthly_ai_responses_used AS used FROM profiles WHERE id = ${business}`;
    assert.equal(used, 1_000);
  }));

Deno.test("customers' messages and replies in turn get the same share", () =>
  withService(async ({ client, sql }) => {
    const conversation = await makeConversation(sql, await makeShop(sql));
    await setPercent(sql, STORE, 50);
    for (let turn = 0; turn < 200; turn++) {
      await storeMessageInConversation(conversation, "user", "Hello", undefined, client);
      await storeMessageInConversation(conversation, "assistant", "Hello", undefined, client);
    }
    const rows = await sql`
      SELECT role, count(*) FILTER (WHERE metadata ->> 'timestamp' NOT LIKE '%Z')::int / 2 AS share
      FROM whatsapp_conversation_messages WHERE conversation_id = ${conversation} GROUP BY role
    `;
    for (const { role, share } of rows) assert.ok(share >= 45 && share <= 55, `${role}: ${share} %`);
  }));

Deno.test("a switch is obeyed within 10 seconds while calls go on", () =>
  withService(async (service) => {
    const { client, sql } = service;
    const { business } = await makeShop(sql);
    await checkAndUpdateUserLimit(business, false, client);
    await setPercent(sql, QUOTA, 0);
    const switchedAt = performance.now();
    let lastAt = switchedAt;
    while (performance.now() - switchedAt < 12_000) {
      const before = calls(service, QUOTA);
      await checkAndUpdateUserLimit(business, false, client);
      if (calls(service, QUOTA) > before) lastAt = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(lastAt - switchedAt <= 10_000, `${lastAt - switchedAt} ms`);
  }));

Deno.test("after a pause the first call obeys a switch", () =>
  withService(async (service) => {
    const { client, sql } = service;
    const { business } = await makeShop(sql);
    await checkAndUpdateUserLimit(business, false, client);
    await setPercent(sql, QUOTA, 0);
    await later(10_000, () => checkAndUpdateUserLimit(business, false, client));
    assert.equal(calls(service, QUOTA), 1);
  }));

Deno.test("calls at the same moment read the switches once", () =>
  withService(async (service) => {
    const { business } = await makeShop(service.sql);
    await Promise.all(times(100, () => checkAndUpdateUserLimit(business, true, service.client)));
    assert.equal(calls(service, "function_switches"), 1);
  }));

Deno.test("switches that cannot be read: the last known ones apply, or all calls go to the functions", () =>
  withService(async (service) => {
    const { client, rest, sql } = service;
    const { business } = await makeShop(sql);
    rest.before = (request) =>
      Promise.resolve(
        request.url.endsWith("function_switches") ? Response.json({ message: "down" }, { status: 503 }) : undefined,
      );
    const lines = await logged(() => checkAndUpdateUserLimit(business, false, client));
    assert.equal(calls(service, QUOTA), 1);
    assert.equal(lines.length, 1);

    const works = rest.before;
    rest.before = () => Promise.resolve(undefined);
    await setPercent(sql, QUOTA, 0);
    forgetSwitches();
    await checkAndUpdateUserLimit(business, false, client);
    rest.before = works;
    await later(20_000, () => logged(() => checkAndUpdateUserLimit(business, false, client)));
    assert.equal(calls(service, QUOTA), 1);
  }));

Deno.test("switches that are not answered hold up a message for half a second, and are given up", () =>
  withService(async (service) => {
    const { client, rest, sql } = service;
    const { business } = await makeShop(sql);
    const check = () => checkAndUpdateUserLimit(business, false, client);
    rest.before = (request) =>
      request.url.endsWith("function_switches") ? new Promise(() => {}) : Promise.resolve(undefined);
    const startedAt = performance.now();
    await check();
    const first = performance.now() - startedAt;
    assert.ok(first >= 490 && first < 2_000, `${first} ms`);
    // Each of them would wait as long.
    for (let call = 0; call < 20; call++) await check();
    assert.ok(performance.now() - startedAt - first < 4_000);
    assert.equal(calls(service, "function_switches"), 1);

    const lines = await logged(() => new Promise((resolve) => setTimeout(resolve, 5_500)));
    assert.deepEqual(lines, ["The switches were not read (timeout); the last known ones apply"]);
    rest.before = () => Promise.resolve(undefined);
    await setPercent(sql, QUOTA, 0);
    await later(10_000, check);
    assert.equal(calls(service, QUOTA), 21);
  }));

for (const value of ["all", `turn_sent, ${QUOTA}`]) {
  Deno.test(`the environment's "${value}" wins over the switches`, () =>
    withService(async (service) => {
      const { business } = await makeShop(service.sql);
      Deno.env.set("MESSAGE_PATH_KILL_SWITCH", value);
      try {
        const { allowed, used } = await checkAndUpdateUserLimit(business, true, service.client);
        assert.deepEqual([allowed, used, calls(service, QUOTA)], [true, 1, 0]);
      } finally {
        Deno.env.delete("MESSAGE_PATH_KILL_SWITCH");
      }
    }));
}

const raises = (code: string) => `
  CREATE OR REPLACE FUNCTION store_message_with_update(
    p_conversation_id uuid, p_role text, p_content text, p_message_id text = NULL
  ) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', p_content USING ERRCODE = '${code}'; END $$
`;
const SIGNATURE = "store_message_with_update(uuid, text, text, text)";
const BROKEN = {
  "dropped": { sql: `DROP FUNCTION ${SIGNATURE}`, code: "42883" },
  "dropped, and PostgREST has seen it": { sql: `DROP FUNCTION ${SIGNATURE}`, code: "PGRST202", reload: true },
  "forbidden": { sql: `REVOKE EXECUTE ON FUNCTION ${SIGNATURE} FROM service_role`, code: "42501" },
  "in need of a schema that is gone": { sql: raises("3F000"), code: "3F000" },
  "in error": { sql: raises("XX000"), code: "XX000" },
  "there twice": {
    sql: `CREATE FUNCTION store_message_with_update(p_conversation_id uuid, p_role text, p_content text, p_more int = 1)
      RETURNS json LANGUAGE sql AS 'SELECT NULL::json'`,
    code: "PGRST203",
    reload: true,
  },
};
for (const [state, { sql: breaking, code, ...more }] of Object.entries(BROKEN)) {
  Deno.test(`a function that is ${state}: the legacy path answers, and one fallback is counted`, () =>
    withService(async ({ client, rest, sql }) => {
      const conversation = await makeConversation(sql, await makeShop(sql));
      const before = await fallbacks(sql, STORE);
      await restored(sql, rest, STORE, async () => {
        await sql.unsafe(breaking);
        if ("reload" in more) await rest.reload();
        const lines = await logged(async () => {
          const stored = await storeMessageInConversation(conversation, "user", SECRET, undefined, client);
          assert.equal(stored.message_count, 1);
        });
        assert.ok(lines.some((line) => line.includes(code)), lines.join());
        assert.ok(!lines.join().includes("4111"), lines.join());
      });
      const after = await fallbacks(sql, STORE);
      assert.deepEqual(after, { ...before, [code]: (before[code] ?? 0) + 1 });
    }));
}

const UNKNOWN = "00000000-0000-0000-0000-00000000dead";
for (const percent of [100, 0]) {
  Deno.test(`a caller's mistake is thrown and nothing is counted (${percent} %)`, () =>
    withService(async (service) => {
      const { client, sql } = service;
      const conversation = await makeConversation(sql, await makeShop(sql));
      await setPercent(sql, STORE, percent);
      const mistakes: [string, string, string, string | undefined, string][] = [
        [UNKNOWN, "user", SECRET, undefined, "23503"],
        ["no id", "user", SECRET, undefined, "22P02"],
        [conversation, "system", SECRET, undefined, "22023"],
        [conversation, "user", `${SECRET}\0`, undefined, "22P05"],
        [conversation, "user", SECRET, "i".repeat(513), "22023"],
      ];
      const lines = await logged(async () => {
        for (const [id, role, content, messageId, code] of mistakes) {
          await assert.rejects(
            storeMessageInConversation(id, role as "user", content, messageId, client),
            (error) => error instanceof CallError && error.code === code,
          );
        }
      });
      assert.deepEqual([lines, calls(service, "report_fallback")], [[], 0]);
    }));
}

for (const code of ["40P01", "57014", "55000"]) {
  Deno.test(`an error ${code}, which the legacy path would meet too, is thrown`, () =>
    withService(async (service) => {
      const { client, rest, sql } = service;
      const conversation = await makeConversation(sql, await makeShop(sql));
      await restored(sql, rest, STORE, async () => {
        await sql.unsafe(raises(code));
        await assert.rejects(
          storeMessageInConversation(conversation, "user", SECRET, undefined, client),
          (error) => error instanceof CallError && error.code === code,
        );
      });
      assert.equal(calls(service, "report_fallback"), 0);
    }));
}

Deno.test("a function is dropped in mid-run: every call is answered, and counted once", () =>
  withService(async ({ client, rest, sql }) => {
    const shop = await makeShop(sql);
    const before: Record<string, Record<string, number>> = {
      [STORE]: await fallbacks(sql, STORE),
      [QUOTA]: await fallbacks(sql, QUOTA),
    };
    const conversations = await Promise.all(times(10, (place) => makeConversation(sql, shop, `20100000${place}`)));
    let answered = 0;
    const lines = await restored(sql, rest, STORE, () =>
      restored(sql, rest, QUOTA, () =>
        logged(async () => {
          await Promise.all(conversations.map(async (conversation) => {
            for (let message = 0; message < 60; message++) {
              if (answered === 200) {
                await sql.unsafe(
                  `DROP FUNCTION ${SIGNATURE}; DROP FUNCTION check_and_update_ai_usage(uuid, boolean)`,
                );
              }
              if (answered === 400) await rest.reload();
              const stored = await storeMessageInConversation(
                conversation,
                "user",
                "Hello",
                `m${message}`,
                client,
              );
              assert.equal(stored.message_count, message + 1);
              assert.equal(
                (await checkAndUpdateUserLimit(shop.business, true, client)).errorMessage,
                null,
              );
              answered++;
            }
          }));
        })));
    assert.equal(answered, 600);
    const [{ used }] = await sql`SELECT monthly_ai_responses_used AS used FROM profiles WHERE id = ${shop.business}`;
    assert.equal(used, 600);
    const [{ messages, legacy }] = await sql`
      SELECT count(*)::int AS messages, count(*) FILTER (WHERE metadata ->> 'timestamp' LIKE '%Z')::int AS legacy
      FROM whatsapp_conversation_messages WHERE conversation_id = ANY (${conversations})
    `;
    assert.equal(messages, 600);
    assert.ok(legacy > 0 && legacy < 600, `${legacy}`);
    const counted = async (name: string) => sum(await fallbacks(sql, name)) - sum(before[name]);
    assert.equal(await counted(STORE), legacy);
    assert.equal(await counted(QUOTA), lines.filter((line) => line.startsWith(QUOTA)).length);
    assert.ok((await fallbacks(sql, STORE))["42883"] > 0);
    assert.ok((await fallbacks(sql, STORE))["PGRST202"] > 0);
  }));

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

Deno.test("a report does not hold up the answer where the runtime waits for it, and is not lost", () =>
  withService(async ({ client, rest, sql }) => {
    const conversation = await makeConversation(sql, await makeShop(sql));
    const before = sum(await fallbacks(sql, STORE));
    const kept: Promise<void>[] = [];
    (globalThis as Record<string, unknown>).EdgeRuntime = {
      waitUntil: (promise: Promise<void>) => kept.push(promise),
    };
    let release = () => {};
    rest.before = (request) =>
      request.url.endsWith("report_fallback")
        ? new Promise((resolve) => release = () => resolve(undefined))
        : Promise.resolve(undefined);
    try {
      await restored(sql, rest, STORE, async () => {
        await sql.unsafe(`DROP FUNCTION ${SIGNATURE}`);
        await logged(() => storeMessageInConversation(conversation, "user", "Hello", undefined, client));
        assert.equal(sum(await fallbacks(sql, STORE)), before);
        release();
        await Promise.all(kept);
      });
      assert.equal(sum(await fallbacks(sql, STORE)), before + 1);
    } finally {
      delete (globalThis as Record<string, unknown>).EdgeRuntime;
    }
  }));

Deno.test("elsewhere the answer waits for the report", () =>
  withService(async ({ client, rest, sql }) => {
    const conversation = await makeConversation(sql, await makeShop(sql));
    const before = sum(await fallbacks(sql, STORE));
    rest.before = async (request) => {
      if (request.url.endsWith("report_fallback")) await new Promise((resolve) => setTimeout(resolve, 500));
      return undefined;
    };
    await restored(sql, rest, STORE, async () => {
      await sql.unsafe(`DROP FUNCTION ${SIGNATURE}`);
      await logged(() => storeMessageInConversation(conversation, "user", "Hello", undefined, client));
      assert.equal(sum(await fallbacks(sql, STORE)), before + 1);
    });
  }));

Deno.test("a report that fails only logs", () =>
  withService(async ({ client, rest, sql }) => {
    const conversation = await makeConversation(sql, await makeShop(sql));
    await restored(sql, rest, STORE, async () => {
      await sql.unsafe(`DROP FUNCTION ${SIGNATURE}`);
      rest.before = (request) =>
        Promise.resolve(
          request.url.endsWith("report_fallback") ? Response.json({ code: "PGRST202" }, { status: 404 }) : undefined,
        );
      const lines = await logged(() => storeMessageInConversation(conversation, "user", "Hello", undefined, client));
      assert.deepEqual(lines, [
        `${STORE} failed (42883), and the legacy path answers`,
        `The fallback of ${STORE} was not reported (PGRST202)`,
      ]);
    });
  }));
