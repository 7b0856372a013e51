/**
 * Sends a call to its database function, or down the legacy path.
 *
 * `function_switches` in the database says which share of a function's calls
 * goes to the function; MESSAGE_PATH_KILL_SWITCH in the environment wins. If
 * the function is missing or broken, the legacy path answers, and the database
 * counts the fallback. The caller's own mistakes are thrown on both paths.
 */

/** The part of a supabase-js client that this folder uses. */
export interface Client {
  rpc(name: string, args?: Record<string, unknown>): PromiseLike<Result>;
  // deno-lint-ignore no-explicit-any -- the query builder's types need the schema's
  from(table: string): any;
}

export interface Result {
  // deno-lint-ignore no-explicit-any -- JSON
  data: any;
  error: { code?: string; message?: string } | null;
  count?: number | null;
}

/** A request that failed. `code` is an SQLSTATE, PGRSTnnn, or empty if the database did not answer. */
export class CallError extends Error {
  constructor(message: string, readonly code: string, readonly isBroken = false) {
    super(message);
    this.name = "CallError";
  }
}

/** Seconds after which switches that were read are too old to be obeyed. */
const LONGEST_AGE = 10;
const DEFAULT_FRESH_FOR = 5;
/** How long a message waits for switches that are too old. */
const LONGEST_WAIT_MS = 500;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Classes of SQLSTATE that no argument can cause: feature not supported, the
 * three of external and SQL routines, invalid schema, syntax error or access
 * rule violation (undefined and forbidden objects too), and internal error.
 */
const BROKEN = new Set(["0A", "2F", "38", "39", "3F", "42", "XX"]);
/** PostgREST found no function of that name with those arguments, or several. */
const NOT_FOUND = new Set(["PGRST202", "PGRST203"]);

let sharedClient: Client | undefined;
let percents: Record<string, unknown> = {};
let freshFor = DEFAULT_FRESH_FOR;
/** When the switches were last read, or reading them last failed; milliseconds. */
let checkedAt = -Infinity;
let isFailing = false;
let reading: Promise<void> | undefined;
let reports: Promise<void> = Promise.resolve();
const positions = new Map<string, number>();

/** The client of every call that is not given one. */
export function useClient(client: Client): void {
  sharedClient = client;
}

export function clientOr(given: Client | undefined): Client {
  const client = given ?? sharedClient;
  if (!client) throw new Error("Pass a Supabase client, or call useClient first");
  return client;
}

/**
 * The answer of the function `name`, or of `legacy` if the function is switched
 * off or broken. Both must answer the same.
 */
export async function choose<T>(
  client: Client,
  name: string,
  viaFunction: () => Promise<T>,
  legacy: () => Promise<T>,
): Promise<T> {
  if (isKilled(name)) return legacy();
  const wait = refresh(client);
  if (wait) await wait;
  if (!isDrawn(name)) return legacy();

  let reported: Promise<void> | undefined;
  try {
    return await viaFunction();
  } catch (error) {
    if (!(error instanceof CallError && error.isBroken)) throw error;
    console.warn(`${name} failed (${error.code}), and the legacy path answers`);
    // One after the other: at the same moment they would wait for the same row, which the database does briefly only.
    reports = within(REQUEST_TIMEOUT_MS, reports, () => {}).then(() => report(client, name, error));
    reported = keepAlive(reports);
  }
  try {
    return await legacy();
  } finally {
    await reported;
  }
}

/** The function's answer. Throws CallError. */
export async function callFunction(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  // deno-lint-ignore no-explicit-any -- JSON
): Promise<any> {
  const { data, error } = await client.rpc(name, args);
  if (!error) return data;
  const code = error.code ?? "";
  if (!NOT_FOUND.has(code) && !BROKEN.has(code.slice(0, 2))) take({ data, error });
  throw new CallError(error.message ?? "", code, true);
}

/** The rows of a query. Throws CallError. */
// deno-lint-ignore no-explicit-any -- JSON
export function take({ data, error }: Result): any {
  // The server's details are left out: they quote rows.
  if (error) throw new CallError(error.message ?? "", error.code ?? "");
  return data;
}

/** Have the switches read again at the next call. */
export function forgetSwitches(): void {
  percents = {};
  freshFor = DEFAULT_FRESH_FOR;
  checkedAt = -Infinity;
  isFailing = false;
}

/** Whether the environment switches the function off: `all`, or names separated by commas. */
function isKilled(name: string): boolean {
  const value = Deno.env.get("MESSAGE_PATH_KILL_SWITCH");
  if (!value) return false;
  const names = value.split(",").map((part) => part.trim());
  return names.includes("all") || names.includes(name);
}

/**
 * Whether this call belongs to the function's share. Steps of the golden ratio
 * keep the share exact over few calls too, also when calls follow a pattern,
 * such as a customer's message and a reply in turn.
 */
function isDrawn(name: string): boolean {
  const percent = percents[name];
  if (typeof percent !== "number" || percent >= 100) return true;
  const position = ((positions.get(name) ?? Math.random()) + 0.6180339887498949) % 1;
  positions.set(name, position);
  return position * 100 < percent;
}

/** Starts reading switches that are no longer fresh. Answers what to wait for, if they are too old to be obeyed. */
function refresh(client: Client): Promise<void> | undefined {
  const age = (performance.now() - checkedAt) / 1000;
  if (age < freshFor) return undefined;
  if (!reading) {
    reading = readSwitches(client).finally(() => reading = undefined);
    keepAlive(reading);
  }
  if (age < LONGEST_AGE) return undefined;
  // A reading that takes longer goes on; until it ends, no other message waits.
  return within(LONGEST_WAIT_MS, reading, () => {
    checkedAt = performance.now();
  });
}

/** Reads the switches. If that fails, the last known ones stay. */
async function readSwitches(client: Client): Promise<void> {
  const startedAt = performance.now();
  try {
    const { functions, fresh_for } = take(await request(client, "function_switches", {}));
    percents = { ...functions };
    freshFor = Math.min(Math.max(Number(fresh_for) || DEFAULT_FRESH_FOR, 1), LONGEST_AGE);
    checkedAt = startedAt;
    isFailing = false;
  } catch (error) {
    checkedAt = performance.now();
    if (!isFailing) console.warn(`The switches were not read (${reason(error)}); the last known ones apply`);
    isFailing = true;
  }
}

async function report(client: Client, name: string, error: CallError): Promise<void> {
  const args = { p_function: name, p_sqlstate: error.code, p_message: error.message };
  try {
    take(await request(client, "report_fallback", args));
  } catch (unreported) {
    console.warn(`The fallback of ${name} was not reported (${reason(unreported)})`);
  }
}

/** A call by this module, aborted after REQUEST_TIMEOUT_MS whatever the database does. */
async function request(client: Client, name: string, args: Record<string, unknown>): Promise<Result> {
  const abort = new AbortController();
  let builder = client.rpc(name, args);
  if ("abortSignal" in builder && typeof builder.abortSignal === "function") {
    builder = builder.abortSignal(abort.signal);
  }
  return await within(REQUEST_TIMEOUT_MS, Promise.resolve(builder), () => {
    abort.abort();
    throw new CallError("No answer in time", "timeout");
  });
}

/** The promise's value, or that of `otherwise` if it takes longer. */
async function within<T, U>(milliseconds: number, promise: Promise<T>, otherwise: () => U): Promise<T | U> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<U>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(otherwise());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Has Supabase's runtime wait for it after the response. Elsewhere answers the promise, for the caller to wait for. */
function keepAlive(promise: Promise<void>): Promise<void> | undefined {
  const runtime = (globalThis as { EdgeRuntime?: { waitUntil?(promise: Promise<void>): void } }).EdgeRuntime;
  if (!runtime?.waitUntil) return promise;
  runtime.waitUntil(promise);
  return undefined;
}

function reason(error: unknown): string {
  return (error instanceof CallError && error.code) || (error instanceof Error && error.name) || "unknown";
}
