// Gets a token with whichever of two secrets Auth0 accepts; for each line on stdin, another one. Node.js 18 or later.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { AUTH0_ISSUER_BASE_URL, AUTH0_CLIENT_ID, AUTH0_AUDIENCE, SECRETS_FILE } = process.env;

// Both secrets, in the order in which they are tried. An empty fallback is none.
function read() {
  const held = JSON.parse(readFileSync(SECRETS_FILE, "utf8"));
  return [held.AUTH0_CLIENT_SECRET, held.AUTH0_CLIENT_SECRET_FALLBACK].filter(Boolean);
}

let secrets = read();

async function token() {
  const tried = new Set();
  // When none is accepted, the file is read again: what was delivered meanwhile is in there.
  for (const source of [() => secrets, read]) {
    const all = source();
    for (const secret of all.filter((one) => !tried.has(one))) {
      tried.add(secret);
      const answer = await fetch(`${AUTH0_ISSUER_BASE_URL}/oauth/token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          grant_type: "client_credentials",
          client_id: AUTH0_CLIENT_ID,
          client_secret: secret,
          audience: AUTH0_AUDIENCE,
        }),
      });
      if (answer.status === 401) continue; // Not this one.
      if (!answer.ok) throw new Error(`Auth0 answered ${answer.status}`);
      secrets = [secret, ...all.filter((one) => one !== secret)]; // The one that worked is tried first from now on.
      return (await answer.json()).access_token;
    }
  }
  throw new Error(`Auth0 accepts no secret in ${SECRETS_FILE}`);
}

try {
  await token();
  console.log("got a token");
  for await (const _ of createInterface({ input: process.stdin })) {
    await token();
    console.log("got a token");
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
