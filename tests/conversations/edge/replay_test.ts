import { compare } from "./replay.ts";

Deno.test("recorded turns leave the same answers and tables on both paths", async () => {
  await compare(1_000);
});
