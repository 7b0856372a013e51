/**
 * A stand-in for PostgREST 12, which cannot be installed where the tests run.
 *
 * It takes the HTTP requests of postgrest-js that conversations/edge makes, and
 * sends a real Postgres the statements that PostgREST sends: one transaction
 * for each request, the role and the request's settings by set_config, named
 * arguments and rows out of one JSON parameter. Errors have PostgREST's status
 * and body. A request that it does not know fails with 501.
 */

import postgres from "npm:postgres@3.4.9";

interface Parameter {
  name: string;
  type: string;
  isOptional: boolean;
}

interface Routine {
  parameters: Parameter[];
  returnsVoid: boolean;
  isVolatile: boolean;
}

/** What PostgREST reads at its start, and again when told to. */
interface SchemaCache {
  routines: Map<string, Routine[]>;
  columns: Map<string, Map<string, string>>;
}

const ROUTINES = `
  SELECT routine.proname AS name, pg_catalog.format_type(routine.prorettype, NULL) AS result,
    routine.provolatile AS volatility, coalesce(routine.proargnames, '{}') AS names,
    ARRAY(
      SELECT pg_catalog.format_type(type, NULL) FROM unnest(routine.proargtypes::oid[]) WITH ORDINALITY AS of_(type, place)
      ORDER BY place
    ) AS types,
    routine.pronargdefaults AS optional
  FROM pg_catalog.pg_proc AS routine
  WHERE routine.pronamespace = 'public'::regnamespace AND routine.prokind = 'f' AND NOT routine.proretset
`;
const COLUMNS = `
  SELECT relation.relname AS table, attribute.attname AS column,
    pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) AS type
  FROM pg_catalog.pg_attribute AS attribute JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
  WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind = 'r' AND attribute.attnum > 0
    AND NOT attribute.attisdropped
`;
const SETTINGS = `
  SELECT set_config('search_path', $1, true), set_config('role', $2, true),
    set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true),
    set_config('request.path', $5, true), set_config('request.headers', $6, true),
    set_config('request.cookies', $7, true)
`;
const RESPONSE = `nullif(current_setting('response.headers', true), '') AS response_headers,
  nullif(current_setting('response.status', true), '') AS response_status`;

/** Types whose values pass as text, unchanged: bool, integers, JSON, numbers, times. */
const AS_TEXT = [16, 20, 21, 23, 114, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802];
const raw = { to: 25, from: AS_TEXT, serialize: (value: unknown) => value, parse: (value: string) => value };

export interface Options {
  /** Folder of the server's socket. */
  host: string;
  database: string;
  connections?: number;
}

export class PostgREST {
  /** Requests answered, by path, such as `/rpc/function_switches`. */
  readonly requests = new Map<string, number>();
  /** Before each request; a test may delay or refuse it. */
  before: (request: Request) => Promise<Response | undefined> = () => Promise.resolve(undefined);
  #cache: SchemaCache = { routines: new Map(), columns: new Map() };

  readonly #connections: postgres.Sql[];
  readonly #idle: postgres.Sql[];
  readonly #waiting: ((connection: postgres.Sql) => void)[] = [];

  private constructor(connections: postgres.Sql[]) {
    this.#connections = connections;
    this.#idle = [...connections];
  }

  static async start({ host, database, connections = 8 }: Options): Promise<PostgREST> {
    const connect = () =>
      postgres({
        path: `${host}/.s.PGSQL.5432`,
        database,
        username: "authenticator",
        max: 1,
        fetch_types: false,
        types: { raw: raw as unknown as postgres.PostgresType },
        onnotice: () => {},
      });
    const server = new PostgREST(Array.from({ length: connections }, connect));
    await server.reload();
    return server;
  }

  /** As `NOTIFY pgrst, 'reload schema'`. */
  async reload(): Promise<void> {
    const routines = new Map<string, Routine[]>();
    for (const row of await this.#connections[0].unsafe(ROUTINES)) {
      const types = list(row.types);
      const names = list(row.names);
      const parameters = types.map((type, place) => ({
        name: names[place],
        type,
        isOptional: place >= types.length - Number(row.optional),
      }));
      const routine = { parameters, returnsVoid: row.result === "void", isVolatile: row.volatility === "v" };
      routines.set(row.name, [...routines.get(row.name) ?? [], routine]);
    }
    const columns = new Map<string, Map<string, string>>();
    for (const row of await this.#connections[0].unsafe(COLUMNS)) {
      if (!columns.has(row.table)) columns.set(row.table, new Map());
      columns.get(row.table)!.set(row.column, row.type);
    }
    this.#cache = { routines, columns };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.end()));
  }

  /** In place of fetch. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname;
    this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
    const early = await this.before(request);
    request.signal.throwIfAborted();
    return early ?? await this.#answer(request);
  };

  async #answer(request: Request): Promise<Response> {
    try {
      const { pathname } = new URL(request.url);
      return pathname.startsWith("/rpc/") ? await this.#call(request) : await this.#query(request);
    } catch (error) {
      if (error instanceof Failure) return error.response();
      if (error instanceof postgres.PostgresError) return fromDatabase(error).response();
      throw error;
    }
  }

  async #call(request: Request): Promise<Response> {
    const name = new URL(request.url).pathname.slice("/rpc/".length);
    const body = await request.text();
    const given = Object.keys(JSON.parse(body || "{}"));
    const { parameters, returnsVoid, isVolatile } = this.#find(name, given);
    const used = parameters.filter((parameter) => given.includes(parameter.name));
    const source = used.length === 0
      ? `SELECT pgrst_call.pgrst_scalar FROM (SELECT "public".${quote(name)}() pgrst_scalar) pgrst_call`
      : `SELECT pgrst_call.pgrst_scalar FROM ${
        fromJson(used.map(({ name, type }) => [name, type]), false)
      }, LATERAL (SELECT "public".${quote(name)}(${
        used.map((parameter) => `${quote(parameter.name)} := pgrst_body.${quote(parameter.name)}`).join(", ")
      }) pgrst_scalar) pgrst_call`;
    const statement = `WITH pgrst_source AS (${source}) SELECT null::bigint AS total_result_set,
      pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null') AS body,
      ${RESPONSE} FROM (SELECT "pgrst_source".* FROM "pgrst_source") _postgrest_t`;
    const row = await this.#run(request, statement, used.length === 0 ? [] : [body], !isVolatile);
    return returnsVoid ? new Response(null, { status: 204 }) : json(200, row.body);
  }

  #find(name: string, given: string[]): Routine {
    const fitting = (this.#cache.routines.get(name) ?? []).filter(({ parameters }) =>
      given.every((key) => parameters.some((parameter) => parameter.name === key)) &&
      parameters.every((parameter) => parameter.isOptional || given.includes(parameter.name))
    );
    if (fitting.length === 1) return fitting[0];
    if (fitting.length > 1) {
      throw new Failure(300, "PGRST203", `Could not choose the best candidate function between: public.${name}`);
    }
    const named = given.length === 0 ? " without parameters" : `(${given.join(", ")})`;
    throw new Failure(404, "PGRST202", `Could not find the function public.${name}${named} in the schema cache`);
  }

  async #query(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const table = url.pathname.slice(1);
    const columns = this.#cache.columns.get(table);
    if (!columns) {
      throw new Failure(404, "PGRST205", `Could not find the table 'public.${table}' in the schema cache`);
    }
    const prefer = (request.headers.get("Prefer") ?? "").split(",").map((part) => part.trim());
    const query = new Query(table, columns, url.searchParams);
    const selected = query.selected();

    if (request.method === "GET" || request.method === "HEAD") {
      const where = query.where();
      const isCounted = prefer.includes("count=exact");
      const order = query.order();
      const counted = isCounted ? `, pgrst_source_count AS (SELECT 1 FROM ${query.table}${where})` : "";
      const total = isCounted ? "(SELECT pg_catalog.count(*) FROM pgrst_source_count)" : "null::bigint";
      const statement = `WITH pgrst_source AS (SELECT ${selected} FROM ${query.table}${where}${order}${query.limit()})
        ${counted} SELECT ${total} AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total,
        coalesce(json_agg(_postgrest_t), '[]') AS body, ${RESPONSE}
        FROM (SELECT * FROM pgrst_source) _postgrest_t`;
      const row = await this.#run(request, statement, query.values, true);
      const last = Number(row.page_total) - 1;
      const range = `${last < 0 ? "*" : `0-${last}`}/${row.total_result_set ?? "*"}`;
      return json(200, request.method === "HEAD" ? null : row.body, { "Content-Range": range });
    }

    const body = await request.text();
    const parsed = JSON.parse(body);
    const keys = url.searchParams.get("columns")?.split(",").map((name) => name.replaceAll('"', "")) ??
      Object.keys(Array.isArray(parsed) ? parsed[0] : parsed);
    const written: [string, string][] = keys.map((key) => [key, query.type(key)]);
    const names = written.map(([name]) => quote(name)).join(", ");
    query.values.push(body);
    const source = fromJson(written, Array.isArray(parsed));
    const isFull = prefer.includes("return=representation");
    const returning = `RETURNING ${isFull ? selected : "1"}`;
    let change: string;
    if (request.method === "POST") {
      const target = url.searchParams.get("on_conflict");
      const conflict = !target || !prefer.includes("resolution=ignore-duplicates")
        ? ""
        : `ON CONFLICT(${target.split(",").map(quote).join(", ")}) DO NOTHING`;
      change = `INSERT INTO ${query.table}(${names}) SELECT ${
        written.map(([name]) => `"pgrst_body".${quote(name)}`).join(", ")
      } FROM ${source} ${conflict} ${returning}`;
    } else if (request.method === "PATCH") {
      change = `UPDATE ${query.table} SET ${
        written.map(([name]) => `${quote(name)} = "pgrst_body".${quote(name)}`).join(", ")
      } FROM ${source}${query.where()} ${returning}`;
    } else {
      throw new Failure(501, "", `The stand-in does not know ${request.method}`);
    }
    const statement = `WITH pgrst_source AS (${change}) SELECT '' AS total_result_set,
      pg_catalog.count(_postgrest_t) AS page_total, array[]::text[] AS header,
      ${isFull ? "coalesce(json_agg(_postgrest_t), '[]')" : "''"} AS body, ${RESPONSE}
      FROM (SELECT * FROM pgrst_source) _postgrest_t`;
    const row = await this.#run(request, statement, query.values, false);
    const status = request.method === "POST" ? 201 : isFull ? 200 : 204;
    return json(status, isFull ? row.body : null);
  }

  /** One transaction. */
  async #run(request: Request, statement: string, values: string[], isReadOnly: boolean): Promise<postgres.Row> {
    const settings = [
      '"public", "extensions"',
      "service_role",
      '{"role":"service_role"}',
      request.method,
      new URL(request.url).pathname,
      JSON.stringify(Object.fromEntries(request.headers)),
      "{}",
    ];
    const connection = this.#idle.pop() ?? await new Promise<postgres.Sql>((resolve) => this.#waiting.push(resolve));
    try {
      // Sent in one go: after an error the last one rolls back.
      const sent = await Promise.allSettled([
        connection.unsafe(`BEGIN ISOLATION LEVEL READ COMMITTED READ ${isReadOnly ? "ONLY" : "WRITE"}`),
        connection.unsafe(SETTINGS, settings, { prepare: true }),
        connection.unsafe(statement, values, { prepare: true }),
        connection.unsafe("COMMIT"),
      ]);
      const failed = sent.find((one) => one.status === "rejected");
      if (failed) throw failed.reason;
      return (sent[2] as PromiseFulfilledResult<postgres.Row[]>).value[0];
    } finally {
      const next = this.#waiting.shift();
      if (next) next(connection);
      else this.#idle.push(connection);
    }
  }
}

/** The parts of a request's query string, as SQL. */
class Query {
  readonly table: string;
  readonly values: string[] = [];

  constructor(name: string, readonly columns: Map<string, string>, readonly parameters: URLSearchParams) {
    this.table = `"public".${quote(name)}`;
  }

  type(column: string): string {
    const type = this.columns.get(column);
    if (!type) throw new Failure(400, "PGRST204", `Could not find the '${column}' column in the schema cache`);
    return type;
  }

  selected(): string {
    const names = (this.parameters.get("select") ?? "*").split(",");
    return names.map((name) => `${this.table}.${name === "*" ? "*" : quote(name)}`).join(", ");
  }

  where(): string {
    const conditions: string[] = [];
    for (const [column, filter] of this.parameters) {
      if (["select", "order", "limit", "columns", "on_conflict"].includes(column)) continue;
      const [operator, ...rest] = filter.split(".");
      conditions.push(`${this.table}.${quote(column)} ${this.#condition(operator, rest.join("."))}`);
    }
    return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  }

  #condition(operator: string, value: string): string {
    if (operator === "eq") return `= $${this.values.push(value)}`;
    if (operator === "in") {
      const items = value.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
      const quoted = items.map((item) => item.startsWith('"') ? item : `"${item.replace(/["\\]/g, "\\$&")}"`);
      return `= ANY ($${this.values.push(`{${quoted.join(",")}}`)})`;
    }
    if (operator === "is" && value === "null") return "IS NULL";
    throw new Failure(501, "", `The stand-in does not know the operator ${operator}`);
  }

  order(): string {
    const given = this.parameters.get("order");
    if (!given) return "";
    const terms = given.split(",").map((term) => {
      const [column, direction = "asc"] = term.split(".");
      return `${this.table}.${quote(column)} ${direction.toUpperCase()}`;
    });
    return ` ORDER BY ${terms.join(", ")}`;
  }

  limit(): string {
    const limit = this.parameters.get("limit");
    return limit === null ? "" : ` LIMIT $${this.values.push(limit)} OFFSET $${this.values.push("0")}`;
  }
}

class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: string | null = null,
    readonly hint: string | null = null,
  ) {
    super(message);
  }

  response(): Response {
    const { code, message, details, hint } = this;
    return json(this.status, JSON.stringify({ code, message, details, hint }));
  }
}

function fromDatabase(error: postgres.PostgresError): Failure {
  return new Failure(statusOf(error.code), error.code, error.message, error.detail ?? null, error.hint ?? null);
}

/** As the table in PostgREST's documentation. */
function statusOf(code: string): number {
  const exact: Record<string, number> = {
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "42501": 403,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
    "57P01": 503,
    "P0001": 400,
  };
  const classes: Record<string, number> = { "08": 503, "09": 500, "0L": 403, "0P": 403, "28": 403, "53": 503 };
  const broken = ["25", "2D", "38", "39", "3B", "40", "54", "55", "57", "58", "F0", "HV", "P0", "XX"];
  return exact[code] ?? classes[code.slice(0, 2)] ?? (broken.includes(code.slice(0, 2)) ? 500 : 400);
}

/** The last parameter, JSON, as a row or rows. */
function fromJson(columns: [string, string][], isArray: boolean): string {
  const names = columns.map(([name]) => quote(name)).join(", ");
  const typed = columns.map(([name, type]) => `${quote(name)} ${type}`).join(", ");
  return `(SELECT $1::json AS json_data) pgrst_payload, LATERAL (SELECT ${names} FROM json_to_record${
    isArray ? "set" : ""
  }(pgrst_payload.json_data) AS _(${typed})) pgrst_body`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An array, as the server prints it, of plain names. */
function list(printed: string | string[]): string[] {
  if (Array.isArray(printed)) return printed;
  return printed === "{}" ? [] : printed.slice(1, -1).split(",").map((item) => item.replaceAll('"', ""));
}

function json(status: number, body: string | null, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "Content-Type": "application/json; charset=utf-8", ...headers } });
}
