/** What asking the switches adds to a call, without a database: milliseconds a call, the best of five rounds. */

import { choose, type Client, forgetSwitches, type Result } from "../../../conversations/edge/switches.ts";

const CALLS = 100_000;
const MOST = 0.05;
const answer = () => Promise.resolve(0);

async function milliseconds(call: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    for (let count = 0; count < CALLS; count++) await call();
    rounds.push((performance.now() - startedAt) / CALLS);
  }
  return Math.min(...rounds);
}

function clientAt(functions: Record<string, number>): Client {
  const result: Result = { data: { functions, fresh_for: 5 }, error: null };
  return { rpc: () => Promise.resolve(result), from: () => undefined };
}

const bare = await milliseconds(answer);
const settings: [string, Record<string, number>, string][] = [
  ["switches off (every call to the function)", {}, ""],
  ["30 % to the function", { measured: 30 }, ""],
  ["0 %, the legacy path", { measured: 0 }, ""],
  ["the kill switch names another function", {}, "another, and_another"],
];
for (const [name, functions, kill] of settings) {
  Deno.env.set("MESSAGE_PATH_KILL_SWITCH", kill);
  forgetSwitches();
  const client = clientAt(functions);
  const cost = await milliseconds(() => choose(client, "measured", answer, answer)) - bare;
  console.log(`${name}: ${cost.toFixed(5)} ms a call`);
  if (cost > MOST) Deno.exit(1);
}
