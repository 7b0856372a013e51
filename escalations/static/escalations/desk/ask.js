// Every request that a script of the pages makes. It fails in one of two ways: signed out, which this module tells and
// ends automatically after a login in another tab, or any other failure, after a few tries.

export class SignedOut extends Error {}

const PAUSES = [1_000, 4_000];
const AGAIN = 5_000;
let signedIn = null;

// The answer, of that content type, or 304. Only what changes nothing is tried again.
export async function ask(address, { type = "text/html", ...options } = {}) {
  for (const pause of options.method === "POST" ? [] : PAUSES) {
    try {
      return await once(address, type, options);
    } catch (error) {
      if (error instanceof SignedOut) throw error;
      await new Promise((wake) => { setTimeout(wake, pause); });
    }
  }
  return once(address, type, options);
}

// A part of a page; `expected` is a selector of what it must hold.
export async function askPart(address, expected) {
  const part = parsed(await (await ask(address)).text());
  if (!part.querySelector(expected)) throw new Error(`no ${expected} at ${address}`);
  return part;
}

// Resolves immediately, or after the person has logged in again.
export async function whenSignedIn() {
  await signedIn;
}

async function once(address, type, options) {
  // None of these addresses leads to another, but that of who is signed out.
  const answer = await fetch(address, { redirect: "manual", ...options });
  if (answer.type === "opaqueredirect" || answer.status === 403) {
    signedIn ??= waitForSignIn();
    throw new SignedOut();
  }
  const isExpected = (answer.headers.get("Content-Type") ?? "").startsWith(type);
  if (answer.status === 304 || answer.status === 204 || (answer.ok && isExpected)) return answer;
  throw new Error(`${answer.status} ${answer.statusText}`);
}

// What is typed stays: the page is not loaded again, and its forms get the token of the new session.
async function waitForSignIn() {
  const notice = document.getElementById("signed-out");
  notice.hidden = false;
  for (;;) {
    await new Promise((wake) => { setTimeout(wake, AGAIN); });
    const answer = await fetch(location.href).catch(() => null);
    if (!takeToken(answer?.ok ? parsed(await answer.text()) : null)) continue;
    notice.hidden = true;
    signedIn = null;
    return;
  }
}

// After a login in another tab, this page's forms get the token of the new session.
export async function renewForms() {
  const answer = await fetch(location.href).catch(() => null);
  takeToken(answer?.ok ? parsed(await answer.text()) : null);
}

// False if that is not a page of a logged-in person.
function takeToken(page) {
  const token = page?.getElementById("signed-out") && page.querySelector("[name=csrfmiddlewaretoken]");
  if (!token) return false;
  for (const input of document.getElementsByName("csrfmiddlewaretoken")) input.value = token.value;
  return true;
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}
