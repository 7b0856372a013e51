/** What the tests share: a client of the real database, rows to begin with, and the switches. */

import { PostgrestClient } from "npm:@supabase/postgrest-js@2.119.1";
import postgres from "npm:postgres@3.4.9";
import { type Client, forgetSwitches } from "../../../conversations/edge/switches.ts";
import { PostgREST } from "./postgrest.ts";

const host = Deno.env.get("EDGE_HOST")!;

export interface Service {
  client: Client;
  rest: PostgREST;
  /** As the owner of the tables. */
  sql: postgres.Sql;
}

export async function withService(
  run: (service: Service) => Promise<void>,
  database = Deno.env.get("EDGE_DATABASE")!,
): Promise<void> {
  const rest = await PostgREST.start({ host, database });
  const sql = postgres({ path: `${host}/.s.PGSQL.5432`, database, username: "postgres", max: 1, onnotice: () => {} });
  const client = new PostgrestClient("http://rest.test", { fetch: rest.fetch });
  await sql`UPDATE waops.waffle_sample SET percent = 100`;
  forgetSwitches();
  try {
    await run({ client, rest, sql });
  } finally {
    await rest.stop();
    await sql.end();
  }
}

export interface Shop {
  business: string;
  instance: string;
}

let shops = 0;

/** A business with a WhatsApp number. */
export async function makeShop(sql: postgres.Sql, limit = 1_000_000): Promise<Shop> {
  const business = crypto.randomUUID();
  await sql`INSERT INTO auth.users (id) VALUES (${business})`;
  await sql`
    INSERT INTO profiles (id, full_name, monthly_ai_response_limit) VALUES (${business}, 'A shop', ${limit})
    ON CONFLICT (id) DO UPDATE SET monthly_ai_response_limit = ${limit}
  `;
  const name = `shop${Date.now()}n${++shops}`;
  const [{ id }] = await sql`
    INSERT INTO whatsapp_instances (user_id, instance_name) VALUES (${business}, ${name}) RETURNING id
  `;
  return { business, instance: id };
}

export async function makeConversation(sql: postgres.Sql, shop: Shop, phone = "201000000001"): Promise<string> {
  const [{ id }] = await sql`
    INSERT INTO whatsapp_conversations (instance_id, user_phone) VALUES (${shop.instance}, ${phone}) RETURNING id
  `;
  return id;
}

export async function setPercent(sql: postgres.Sql, name: string, percent: number): Promise<void> {
  await sql`UPDATE waops.waffle_sample SET percent = ${percent} WHERE name = ${name}`;
}

/** How many fallbacks of the function were counted, by SQLSTATE. */
export async function fallbacks(sql: postgres.Sql, name: string): Promise<Record<string, number>> {
  const rows = await sql`
    SELECT detail, occurrences::int FROM waops.waops_incident WHERE kind = 'fallback' AND procedure = ${name}
  `;
  return Object.fromEntries(rows.map((row) => [row.detail, row.occurrences]));
}

/** As if so many milliseconds had passed since the last call. */
export async function later<T>(milliseconds: number, run: () => Promise<T>): Promise<T> {
  const now = performance.now;
  performance.now = () => now.call(performance) + milliseconds;
  try {
    return await run();
  } finally {
    performance.now = now;
  }
}

/** What is written to the console in the meantime. */
export async function logged(run: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { log, info, warn, error } = console;
  const keep = (...parts: unknown[]) => void lines.push(parts.map(String).join(" "));
  Object.assign(console, { log: keep, info: keep, warn: keep, error: keep });
  try {
    await run();
  } finally {
    Object.assign(console, { log, info, warn, error });
  }
  return lines;
}

/** Whatever is done meanwhile to the functions of that name, there is one afterwards, as it was. */
export async function restored<T>(sql: postgres.Sql, rest: PostgREST, name: string, run: () => Promise<T>): Promise<T> {
  const named = () =>
    sql`
      SELECT oid, oid::regprocedure::text AS signature, pg_get_functiondef(oid) AS definition FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proname = ${name}
    `;
  const [before] = await named();
  try {
    return await run();
  } finally {
    for (const { signature } of await named()) await sql.unsafe(`DROP FUNCTION ${signature}`);
    await sql.unsafe(`
      ${before.definition};
      REVOKE EXECUTE ON FUNCTION ${before.signature} FROM PUBLIC, anon, authenticated;
      GRANT EXECUTE ON FUNCTION ${before.signature} TO service_role
    `);
    await rest.reload();
  }
}
