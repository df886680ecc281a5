// What benches/side-by-side.sh measures of Auth0's own SDK for Node.js (npm `auth0`): `list` and `list FIELDS` print all
// clients as JSON, a hundred to a page; `rotate ID…` rotates clients, ten at a time. The tenant and its token come in
// AUTH0_DOMAIN and AUTH0_API_TOKEN.
import { ManagementClient } from "auth0";

const { AUTH0_DOMAIN: url, AUTH0_API_TOKEN: token } = process.env;
const [command, ...rest] = process.argv.slice(2);
const management = new ManagementClient({ domain: new URL(url).host, token });
// The SDK speaks https only. Like the others it is to speak plain http to the pretend tenant.
management._options.baseUrl = `${url}/api/v2`;

async function list(fields) {
    const only = { page: null, per_page: null, include_totals: null, ...(fields && { fields, include_fields: true }) };
    const found = [];
    let from;
    do {
        const { response } = await management.clients.list(only, { queryParams: { take: 100, from } });
        found.push(...response.clients);
        from = response.next;
    } while (from);
    process.stdout.write(JSON.stringify(found));
}

async function rotate(ids) {
    const one = async () => {
        for (let id = ids.pop(); id; id = ids.pop()) await management.clients.rotateSecret(id);
    };
    await Promise.all(Array.from({ length: 10 }, one));
}

await (command === "list" ? list(rest[0]) : rotate(rest));
