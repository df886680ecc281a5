// Auth0's own SDK for Node.js (npm `auth0`) at work on the pretend tenant. The first lines of two `rollover sim` come
// on stdin: one without rate limits, and one with those of a free tenant. Run by tests/sdks.sh, which see.
//
// The SDK speaks of what it does not expect by an error or by losing it, so every answer is compared with the demo
// tenant's file, or with what was written before. No message here holds a secret.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Management, ManagementClient, ManagementError } from "auth0";
import { AuthApiError, AuthenticationClient, ManagementClient as Management4 } from "auth0/legacy";

const [assets, propagation] = process.argv.slice(2);
const [open, free] = readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const domain = new URL(open.url).host;
const audience = `https://${domain}/api/v2/`;
const demo = JSON.parse(readFileSync(`${assets}/demo-tenant.json`, "utf8"));
const named = (name) => demo.find((client) => client.name === name).client_id;
const keyed = demo.find((client) => client.client_authentication_methods?.private_key_jwt).client_id;
const key = readFileSync(`${assets}/demo-key.pem`, "utf8");

// What the file says, and the client of the first line, which stands in no file.
const everyone = [
    ...demo,
    { client_id: open.client_id, app_type: "non_interactive", is_first_party: true, global: false },
];
const ids = (clients) => clients.map((client) => client.client_id).sort();
const sameIds = (clients, expected) => assert.deepEqual(ids(clients), ids(expected));

let failures = 0;
async function check(what, body) {
    try {
        await body();
        console.log(`ok: Node.js SDK: ${what}`);
    } catch (error) {
        failures += 1;
        console.error(`FAILED: Node.js SDK: ${what}: ${error.stack}`);
    }
}

async function refused(request, kind, status, code) {
    const error = await Promise.resolve(request).then(() => assert.fail("it was not refused"), (error) => error);
    assert.ok(error instanceof kind, `not a ${kind.name}, but: ${error.stack}`);
    assert.equal(error.statusCode, status);
    if (kind === AuthApiError) {
        assert.equal(error.error, code);
        return error;
    }
    assert.equal(error.body.statusCode, status);
    assert.equal(error.body.errorCode, code);
    assert.ok(error.body.error && error.body.message, "an error without `error` and `message`");
    return error;
}

// The SDK's first client of OAuth lives on in its `legacy` part; its newest asks for tokens within ManagementClient.
const grant = (clientId, proof) =>
    new AuthenticationClient({ domain, clientId, ...proof }).oauth.clientCredentialsGrant({ audience });
const status = (clientId, clientSecret) =>
    grant(clientId, { clientSecret }).then(() => 200, (error) => error.statusCode);

async function all(page) {
    const found = [];
    for await (const item of page) found.push(item);
    return found;
}

const management = new ManagementClient({ domain, clientId: open.client_id, clientSecret: open.client_secret });
const { clients, logs, clientGrants, tenants } = management;
const billing = named("Billing API");
const portal = named("Billing Portal");
const secretOf = async (id) => (await clients.get(id, { fields: "client_secret" })).client_secret;

await check("a token by client_secret_post", async () => {
    const { status, data } = await grant(open.client_id, { clientSecret: open.client_secret });
    assert.equal(status, 200);
    assert.equal(data.token_type, "Bearer");
    assert.equal(data.expires_in, 86_400);
    assert.ok(data.scope.split(" ").includes("update:client_keys"));
    const other = new ManagementClient({ domain, token: data.access_token });
    assert.equal((await other.clients.get(open.client_id)).client_id, open.client_id);
});

await check("a token by client_secret_basic (the SDK knows no such way: plain fetch)", async () => {
    const ask = (secret) =>
        fetch(`https://${domain}/oauth/token`, {
            method: "POST",
            headers: { authorization: `Basic ${Buffer.from(`${open.client_id}:${secret}`).toString("base64")}` },
            body: new URLSearchParams({ grant_type: "client_credentials", audience }),
        });
    const answer = await ask(open.client_secret);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /^application\/json/);
    assert.ok((await answer.json()).access_token);
    assert.equal((await ask("wrong")).status, 401);
});

await check("a wrong secret, or an unknown client, is a 401", async () => {
    await refused(grant(open.client_id, { clientSecret: "wrong" }), AuthApiError, 401, "access_denied");
    await refused(grant("nobody", { clientSecret: "wrong" }), AuthApiError, 401, "access_denied");
    const wrong = new ManagementClient({ domain, clientId: open.client_id, clientSecret: "wrong" });
    await assert.rejects(wrong.clients.get(billing), (error) => {
        assert.ok(error instanceof ManagementError);
        assert.equal(error.statusCode, 401);
        assert.equal(error.body.error, "access_denied");
        return true;
    });
});

await check("a right secret without a grant is a 403", async () => {
    const clientSecret = await secretOf(billing);
    const error = await refused(grant(billing, { clientSecret }), AuthApiError, 403, "access_denied");
    assert.match(error.error_description, /^Client is not authorized to access /);
});

await check("a private key is known (403 for want of a grant), a wrong one is not (401)", async () => {
    const { privateKey: made } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const wrong = made.export({ type: "pkcs8", format: "pem" });
    for (const clientAssertionSigningAlg of ["RS256", "RS384", "PS256"]) {
        const proof = (clientAssertionSigningKey) => ({ clientAssertionSigningKey, clientAssertionSigningAlg });
        const error = await refused(grant(keyed, proof(key)), AuthApiError, 403, "access_denied");
        assert.match(error.error_description, /^Client is not authorized to access /);
        await refused(grant(keyed, proof(wrong)), AuthApiError, 401, "access_denied");
    }
    for (const [clientAssertionSigningKey, status] of [[key, 403], [wrong, 401]]) {
        const signing = new ManagementClient({ domain, clientId: keyed, clientAssertionSigningKey });
        await assert.rejects(signing.clients.get(keyed), (error) => {
            assert.ok(error instanceof ManagementError);
            assert.equal(error.statusCode, status);
            return true;
        });
    }
});

await check("what is no token is refused", async () => {
    const other = new ManagementClient({ domain, token: "no.such.token" });
    await refused(other.clients.get(billing), Management.UnauthorizedError, 401, undefined);
});

await check("clients, page by page, with totals", async () => {
    const first = await clients.list({ per_page: 10 });
    const { start, limit, total } = first.response;
    assert.deepEqual({ start, limit, total }, { start: 0, limit: 10, total: everyone.length });
    assert.equal(first.data.length, 10);
    sameIds(await all(first), everyone);
    const second = await clients.list({ page: 1, per_page: 10 });
    assert.equal(second.response.start, 10);
    await refused(clients.list({ per_page: 101 }), Management.BadRequestError, 400, "invalid_query_string");
});

await check("clients as bare arrays", async () => {
    const older = new Management4({ domain, clientId: open.client_id, clientSecret: open.client_secret });
    sameIds((await older.clients.getAll()).data, everyone);
    const pages = [];
    for (;;) {
        const { data } = await older.clients.getAll({ page: pages.length, per_page: 10 });
        assert.ok(Array.isArray(data));
        if (data.length === 0) break;
        pages.push(data);
    }
    assert.equal(pages.length, Math.ceil(everyone.length / 10));
    sameIds(pages.flat(), everyone);
    const answer = await management.fetch(`${audience}clients?include_totals=false&per_page=100`);
    sameIds(await answer.json(), everyone);
});

await check("clients from checkpoint to checkpoint", async () => {
    const only = { page: null, per_page: null, include_totals: null };
    const found = [];
    let from;
    let pages = 0;
    do {
        const { response } = await clients.list(only, { queryParams: { take: 10, from } });
        assert.deepEqual(Object.keys(response).sort(), response.next ? ["clients", "next"] : ["clients"]);
        found.push(...response.clients);
        from = response.next;
        pages += 1;
    } while (from);
    assert.equal(pages, Math.ceil(everyone.length / 10));
    sameIds(found, everyone);
    // The SDK's own parameters for pages beside them change nothing.
    const { response } = await clients.list({}, { queryParams: { take: 10 } });
    assert.equal(response.clients.length, 10);
    assert.ok(response.next);
    const wrong = clients.list(only, { queryParams: { from: "nowhere" } });
    await refused(wrong, Management.BadRequestError, 400, "invalid_query_string");
});

await check("fields and include_fields", async () => {
    const some = await all(await clients.list({ fields: "client_id,name", include_fields: true }));
    sameIds(some, everyone);
    for (const client of some) assert.deepEqual(Object.keys(client).sort(), ["client_id", "name"]);
    const others = await all(await clients.list({ fields: "client_secret,name", include_fields: false }));
    sameIds(others, everyone);
    for (const client of others) assert.ok(!("name" in client) && !("client_secret" in client));
    assert.deepEqual(Object.keys(await clients.get(billing, { fields: "name" })), ["name"]);
    const most = await clients.get(billing, { fields: "client_secret", include_fields: false });
    assert.ok(most.name === "Billing API" && !("client_secret" in most));
});

await check("filters", async () => {
    const filtered = async (filter, fits) => {
        const expected = everyone.filter(fits);
        assert.ok(expected.length > 0 && expected.length < everyone.length);
        const found = await clients.list({ ...filter, per_page: 3 });
        assert.equal(found.response.total, expected.length);
        sameIds(await all(found), expected);
    };
    await filtered({ is_global: true }, (client) => client.global);
    await filtered({ is_global: false }, (client) => !client.global);
    await filtered({ is_first_party: true }, (client) => client.is_first_party);
    await filtered({ is_first_party: false }, (client) => !client.is_first_party);
    await filtered({ app_type: "spa" }, (client) => client.app_type === "spa");
    await filtered({ app_type: "spa,native" }, (client) => ["spa", "native"].includes(client.app_type));
});

await check("one client, as its file has it", async () => {
    for (const expected of demo) {
        const { client_secret: secret, ...found } = await clients.get(expected.client_id);
        assert.deepEqual(found, expected);
        assert.equal(secret?.length, expected.client_authentication_methods ? undefined : 64);
    }
    await refused(clients.get("nobody"), Management.NotFoundError, 404, "inexistent_client");
});

await check("description and metadata are changed, and removed", async () => {
    const changed = await clients.update(portal, { description: "Töne", client_metadata: { one: "1", two: "2" } });
    assert.equal(changed.client_id, portal);
    let found = await clients.get(portal);
    assert.equal(found.description, "Töne");
    assert.equal(found.client_metadata.one, "1");
    assert.equal(found.client_metadata.two, "2");
    await clients.update(portal, { description: "", client_metadata: { one: null, two: "2" } });
    found = await clients.get(portal);
    assert.equal(found.description, "");
    assert.ok(!("one" in found.client_metadata) && found.client_metadata.two === "2");
});

await check("a chosen secret is taken as it is", async () => {
    const chosen = `a-secret_of-my-own+${"=.".repeat(20)}`;
    const changed = await clients.update(portal, { client_secret: chosen });
    assert.ok(changed.client_secret === chosen, "the answer holds another secret");
    assert.ok((await secretOf(portal)) === chosen, "another secret is read back");
});

await check("what cannot be changed is refused, and nothing changes", async () => {
    const before = await clients.get(portal);
    const changes = [
        { client_id: "another" }, { global: true }, { tenant: "another" }, { signing_keys: [] },
        { client_secret: "" }, { client_secret: 7 }, { description: "new", jwks_uri: "https://example.com" },
    ];
    for (const change of changes) {
        await refused(clients.update(portal, change), Management.BadRequestError, 400, "invalid_body");
    }
    await refused(clients.update("nobody", { name: "x" }), Management.NotFoundError, 404, "inexistent_client");
    assert.ok(JSON.stringify(await clients.get(portal)) === JSON.stringify(before), "something changed");
});

const correlation = "a-rotation-of-the-sdk";
const rotation = `/api/v2/clients/${portal}/rotate-secret`;
await check("a secret is rotated", async () => {
    const old = await secretOf(portal);
    const rotated = await clients.rotateSecret(portal, { headers: { "X-Correlation-ID": correlation } });
    assert.equal(rotated.client_id, portal);
    assert.equal(rotated.name, "Billing Portal");
    assert.ok(rotated.client_secret !== old, "it is the old secret");
    assert.ok(/^[A-Za-z0-9_-]{64}$/.test(rotated.client_secret), "it is no secret of Auth0's");
    assert.ok((await secretOf(portal)) === rotated.client_secret, "another secret is read back");
    await refused(clients.rotateSecret("nobody"), Management.NotFoundError, 404, "inexistent_client");
    await refused(clients.rotateSecret(keyed), Management.BadRequestError, 400, "operation_not_supported");
});

const request = (event) => event.details?.request;
const isRotation = (event) =>
    event.type === "sapi" && request(event)?.method === "post" && request(event).path === rotation;

await check("the log is searched", async () => {
    const search = 'type:sapi AND description:"Rotate a client secret"';
    const page = await logs.list({ search, sort: "date:-1", per_page: 10 });
    assert.equal(page.response.start, 0);
    assert.equal(page.response.limit, 10);
    assert.equal(page.response.length, page.data.length);
    const [event, ...others] = page.data.filter(isRotation);
    assert.ok(event && others.length === 0, "not one event of the rotation");
    assert.equal(event.client_id, open.client_id);
    assert.equal(event.references.correlation_id, correlation);
    assert.equal(event.details.response.statusCode, 200);
    assert.ok(Math.abs(Date.now() - Date.parse(event.date)) < 120_000);
    // As the documentation has it, and older SDKs: `q`, and a bare array.
    const same = await management.fetch(`${audience}logs?q=${encodeURIComponent(search)}&per_page=10`);
    assert.deepEqual(await same.json(), page.data);
    assert.deepEqual(await logs.get(event.log_id), event);
    const reads = await all(await logs.list({ search: "type:mgmt_api_read", per_page: 100 }));
    const read = reads.find((event) => request(event).path === `/api/v2/clients/${portal}`);
    assert.deepEqual(read.details.accessedSecrets, ["client_secret"]);
    assert.equal(request(read).method, "get");
});

await check("the log shows the fields that are asked for", async () => {
    const search = "type:sapi";
    const chosen = await logs.list({ search, fields: "log_id,type", include_fields: true, per_page: 5 });
    assert.ok(chosen.data.length > 0);
    for (const event of chosen.data) assert.deepEqual(Object.keys(event).sort(), ["log_id", "type"]);
    const others = await logs.list({ search, fields: "details", include_fields: false, per_page: 5 });
    for (const event of others.data) assert.ok(event.log_id && !("details" in event));
});

await check("the log from checkpoint to checkpoint", async () => {
    const older = new Management4({ domain, clientId: open.client_id, clientSecret: open.client_secret });
    const found = [];
    let from;
    for (;;) {
        const { data } = await older.logs.getAll({ from, take: 7 });
        assert.ok(Array.isArray(data) && data.length <= 7);
        if (data.length === 0) break;
        found.push(...data);
        from = data.at(-1).log_id;
    }
    const order = found.map((event) => event.log_id);
    assert.deepEqual(order, [...new Set(order)].sort());
    assert.equal(found.filter(isRotation).length, 1);
    const answer = await management.fetch(`${audience}logs?from=${order[0]}&take=1`);
    assert.deepEqual((await answer.json()).map((event) => event.log_id), [order[1]]);
    const next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link"))[1];
    assert.equal((await (await management.fetch(next)).json())[0].log_id, order[2]);
});

await check("grants, credentials and settings", async () => {
    const grants = await all(await clientGrants.list({ client_id: open.client_id }));
    assert.deepEqual(grants.map((grant) => grant.audience), [audience]);
    assert.ok(grants[0].id && grants[0].scope.includes("update:client_keys"));
    assert.deepEqual(await all(await clientGrants.list({ client_id: billing })), []);
    const { client_authentication_methods: methods } = await clients.get(keyed);
    const credentials = await clients.credentials.list(keyed);
    assert.deepEqual(credentials.map(({ id }) => ({ id })), methods.private_key_jwt.credentials);
    assert.equal(credentials[0].credential_type, "public_key");
    assert.ok((await tenants.settings.get()).friendly_name);
});

await check("a client comes and goes", async () => {
    const made = await clients.create({ name: "made by the SDK", app_type: "non_interactive" });
    assert.equal((await clients.get(made.client_id)).name, "made by the SDK");
    assert.equal(await status(made.client_id, made.client_secret), 403);
    await clients.delete(made.client_id);
    await refused(clients.get(made.client_id), Management.NotFoundError, 404, "inexistent_client");
});

await check("an old secret lives as long as changes take to spread, and no longer", async () => {
    let old = await secretOf(billing);
    let lived = false;
    for (let tries = 0; tries < 10 && !lived; tries += 1) {
        const before = Date.now();
        const { client_secret: now } = await clients.rotateSecret(billing);
        const deadline = before + 60_000;
        for (;;) {
            const answer = await status(billing, old);
            const since = Date.now() - before;
            assert.equal(await status(billing, now), 403, "the new secret is not taken");
            if (answer === 401) {
                // A machine so slow that the old secret was dead at the first look has seen nothing.
                assert.ok(lived || since >= propagation * 1000, `it was dead after ${since} ms already`);
                break;
            }
            assert.equal(answer, 403);
            lived = true;
            assert.ok(Date.now() < deadline, "it does not die");
            await pause(20);
        }
        assert.equal(await status(billing, old), 401, "the old secret came to life again");
        old = now;
    }
    assert.ok(lived, "it was never taken");
});

await check("the manager's own secret is rotated, and the new one signs in", async () => {
    const { client_secret: now } = await clients.rotateSecret(open.client_id);
    const deadline = Date.now() + 60_000;
    while ((await status(open.client_id, open.client_secret)) !== 401) {
        assert.ok(Date.now() < deadline, "the old one does not die");
        await pause(20);
    }
    const next = new ManagementClient({ domain, clientId: open.client_id, clientSecret: now });
    assert.equal((await next.clients.get(open.client_id)).client_id, open.client_id);
});

// From here on: the tenant with the limits of a free plan.
const answers = [];
const limited = new ManagementClient({
    domain: new URL(free.url).host,
    token: free.token,
    fetch: async (...request) => {
        const answer = await fetch(...request);
        answers.push(answer);
        return answer;
    },
});

await check("beyond the rate limit, the SDK's own error", async () => {
    let typed = 0;
    for (let rounds = 0; rounds < 10 && typed === 0; rounds += 1) {
        const reads = Array.from({ length: 8 }, () => limited.clients.get(billing, {}, { maxRetries: 0 }));
        for (const { reason } of await Promise.allSettled(reads)) {
            if (!reason) continue;
            await refused(Promise.reject(reason), Management.TooManyRequestsError, 429, "too_many_requests");
            typed += 1;
        }
    }
    assert.ok(typed > 0, "nothing was refused");
});

await check("eight reads in a row get through by the SDK's own retries", async () => {
    answers.length = 0;
    for (let reads = 0; reads < 8; reads += 1) {
        assert.equal((await limited.clients.get(billing)).client_id, billing);
    }
    const statuses = answers.map((answer) => answer.status);
    assert.equal(statuses.filter((status) => status === 200).length, 8);
    assert.ok(statuses.includes(429), "no limit was met");
});

await check("every answer tells the limit", async () => {
    const now = Date.now() / 1000;
    for (const { status, headers } of answers) {
        assert.equal(headers.get("x-ratelimit-limit"), "2");
        assert.ok(["0", "1"].includes(headers.get("x-ratelimit-remaining")));
        const reset = Number(headers.get("x-ratelimit-reset"));
        assert.ok(Number.isInteger(reset) && Math.abs(reset - now) < 60, `reset at ${reset}`);
        if (status === 429) assert.equal(headers.get("x-ratelimit-remaining"), "0");
    }
});

await check("the log tells of the limit", async () => {
    const found = await limited.logs.list({ search: "type:api_limit" });
    assert.ok(found.data.some((event) => request(event).path === `/api/v2/clients/${billing}`));
});

// At once: a broken answer may have left a connection that would keep this alive.
process.exit(failures === 0 ? 0 : 1);
