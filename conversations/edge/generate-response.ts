/** Checks a business's quota of AI replies, and counts one. */

import { CallError, callFunction, choose, type Client, clientOr, take } from "./switches.ts";

export interface UserLimit {
  /** Whether the AI may answer; with `increment`, whether this reply was counted. */
  allowed: boolean;
  limit: number;
  used: number;
  /** When the quota is due to be reset. */
  resetsOn: string | null;
  /** Why the quota could not be checked: then `allowed` is true, because our failure silences no customer. */
  errorMessage?: string | null;
  resetOverdue?: boolean;
}

/** Replies that others count at the same moment, each of which makes us look again. */
const COUNT_ATTEMPTS = 50;
const EARLIEST_RESET = Date.UTC(2000, 0, 1);
const LATEST_RESET = Date.UTC(2100, 0, 1);

/** Never throws. */
export async function checkAndUpdateUserLimit(
  userId: string | null | undefined,
  increment: boolean = false,
  supabaseAdmin?: Client,
): Promise<UserLimit> {
  try {
    const client = clientOr(supabaseAdmin);
    const args = { p_user_id: userId || null, p_increment: increment };
    return await choose(
      client,
      "check_and_update_ai_usage",
      () => callFunction(client, "check_and_update_ai_usage", args),
      () => checkInSteps(client, userId || null, increment),
    );
  } catch (error) {
    const code = error instanceof CallError ? error.code : "";
    console.error(`The quota was not checked (${code || "no answer"}), and the reply is allowed`);
    return unchecked(`The quota could not be checked: ${error instanceof Error ? error.message : "unknown error"}`);
  }
}

async function checkInSteps(client: Client, userId: string | null, increment: boolean): Promise<UserLimit> {
  if (userId === null) return unchecked("User ID is required");
  for (let attempt = 0; attempt < COUNT_ATTEMPTS; attempt++) {
    const [profile] = take(
      await client.from("profiles")
        .select("id, monthly_ai_response_limit, monthly_ai_responses_used, last_responses_reset_date").eq(
          "id",
          userId,
        ),
    );
    if (!profile) return unchecked(`No profile has id ${userId}`);
    const limit = profile.monthly_ai_response_limit;
    const used = profile.monthly_ai_responses_used;
    const allowed = used < limit;
    if (increment && allowed) {
      // Counts from the number that was read only, so that no reply is lost and the limit is never passed.
      const counted = take(
        await client.from("profiles").update({ monthly_ai_responses_used: used + 1 })
          .eq("id", userId).eq("monthly_ai_responses_used", used).select("id"),
      );
      if (counted.length === 0) continue;
    }
    return {
      allowed,
      limit,
      used: increment && allowed ? used + 1 : used,
      ...nextReset(profile.last_responses_reset_date),
      errorMessage: null,
    };
  }
  return unchecked("The quota could not be checked: too many replies are being counted");
}

function unchecked(errorMessage: string): UserLimit {
  return { allowed: true, limit: 0, used: 0, resetsOn: null, errorMessage, resetOverdue: false };
}

/** The first of the month after the last reset or, if that has passed, after now. */
function nextReset(last: string | null): { resetsOn: string; resetOverdue: boolean } {
  const now = Date.now();
  const due = firstOfNextMonth(last === null ? now : sane(last));
  const resetOverdue = due <= now;
  const resetsOn = new Date(resetOverdue ? firstOfNextMonth(now) : due).toISOString();
  return { resetsOn: resetsOn.replace(".000Z", "+00:00"), resetOverdue };
}

/** The column takes times that no calendar month follows: before Christ, in the far future, infinite. */
function sane(time: string): number {
  if (time === "-infinity" || time.endsWith(" BC")) return EARLIEST_RESET;
  // A year of five digits, or infinity.
  if (!/^\d{4}-/.test(time)) return LATEST_RESET;
  return Math.min(Math.max(Date.parse(time), EARLIEST_RESET), LATEST_RESET);
}

function firstOfNextMonth(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
