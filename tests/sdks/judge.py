"""Auth0's own SDK for Python (PyPI `auth0-python`) at work on the pretend tenant. The first lines of two `rollover sim`
come on stdin: one without rate limits, and one with those of a free tenant. Run by tests/sdks.sh, which see.

The SDK reads every answer into a typed model, so a wrong shape is an error of its own; beyond that, every answer is
compared with the demo tenant's file, or with what was written before. No message here holds a secret.
"""

import base64
import json
import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import httpx
from auth0.authentication import GetToken
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.rest import RestClient
from auth0.management import ManagementClient
from auth0.management.errors import BadRequestError, NotFoundError, TooManyRequestsError, UnauthorizedError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

assets, propagation = Path(sys.argv[1]), float(sys.argv[2])
open_plan, free_plan = (json.loads(line) for line in sys.stdin.read().splitlines())
domain = open_plan["url"].removeprefix("https://")
audience = f"https://{domain}/api/v2/"
own_id, own_secret = open_plan["client_id"], open_plan["client_secret"]
demo = json.loads((assets / "demo-tenant.json").read_text(encoding="utf-8"))
by_name = {client["name"]: client["client_id"] for client in demo}
keyed = next(
    client["client_id"] for client in demo if "private_key_jwt" in client.get("client_authentication_methods", {})
)
key = (assets / "demo-key.pem").read_text(encoding="utf-8")

# What the file says, and the client of the first line, which stands in no file.
everyone = [*demo, {"client_id": own_id, "app_type": "non_interactive", "is_first_party": True, "global": False}]

failures = 0


@contextmanager
def check(what):
    global failures
    try:
        yield
        print(f"ok: Python SDK: {what}", flush=True)
    except Exception:  # Whatever goes wrong is a failure of this check, and of no other.
        failures += 1
        print(f"FAILED: Python SDK: {what}: {traceback.format_exc()}", file=sys.stderr, flush=True)


def same_ids(clients, expected):
    """Nobody missing, nobody twice."""
    found = sorted(client.client_id for client in clients)
    assert found == sorted(client["client_id"] for client in expected), found


def refused(request, kind, status, code):
    """Runs what must be refused, and gives back the SDK's error."""
    try:
        request()
    except kind as error:
        assert error.status_code == status, error
        if kind is Auth0Error:
            assert error.error_code == code, error
        else:
            assert error.body["statusCode"] == status, error
            assert error.body.get("errorCode") == code, error
            assert error.body["error"] and error.body["message"], error
        return error
    raise AssertionError("it was not refused")


def grant(client_id, **proof):
    return GetToken(domain, client_id, **proof).client_credentials(audience)


def status_of(client_id, secret):
    try:
        grant(client_id, client_secret=secret)
        return 200
    except Auth0Error as error:
        return error.status_code


def plain(model):
    """A model as it came."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def more(**parameters):
    return {"additional_query_parameters": parameters}


management = ManagementClient(domain=domain, client_id=own_id, client_secret=own_secret)
clients, logs = management.clients, management.logs
billing, portal = by_name["Billing API"], by_name["Billing Portal"]


def secret_of(client_id):
    return clients.get(client_id, fields="client_secret").client_secret


with check("a token by client_secret_post"):
    token = grant(own_id, client_secret=own_secret)
    assert token["token_type"] == "Bearer" and token["expires_in"] == 86_400
    assert "update:client_keys" in token["scope"].split()
    other = ManagementClient(domain=domain, token=token["access_token"])
    assert other.clients.get(own_id).client_id == own_id
    # What follows needs an array instead of an object here and there, which the SDK's typed part does not take.
    rest = RestClient(token["access_token"])

with check("a token by client_secret_basic (the SDK knows no such way: plain httpx)"):
    data = {"grant_type": "client_credentials", "audience": audience}
    for secret, expected in ((own_secret, 200), ("wrong", 401)):
        encoded = base64.b64encode(f"{own_id}:{secret}".encode()).decode()
        headers = {"authorization": f"Basic {encoded}"}
        answer = httpx.post(f"https://{domain}/oauth/token", data=data, headers=headers)
        assert answer.status_code == expected, answer.status_code
        assert answer.headers["content-type"].startswith("application/json")
        assert ("access_token" in answer.json()) == (expected == 200)

with check("a wrong secret, or an unknown client, is a 401"):
    refused(lambda: grant(own_id, client_secret="wrong"), Auth0Error, 401, "access_denied")
    refused(lambda: grant("nobody", client_secret="wrong"), Auth0Error, 401, "access_denied")
    wrong = ManagementClient(domain=domain, client_id=own_id, client_secret="wrong")
    try:
        wrong.clients.get(billing)
        raise AssertionError("it was not refused")
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 401

with check("a right secret without a grant is a 403"):
    secret = secret_of(billing)
    error = refused(lambda: grant(billing, client_secret=secret), Auth0Error, 403, "access_denied")
    assert error.message.startswith("Client is not authorized to access "), error

with check("a private key is known (403 for want of a grant), a wrong one is not (401)"):
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    wrong_key = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for algorithm in ("RS256", "RS384", "PS256"):
        proof = {"client_assertion_signing_key": key, "client_assertion_signing_alg": algorithm}
        error = refused(lambda: grant(keyed, **proof), Auth0Error, 403, "access_denied")
        assert error.message.startswith("Client is not authorized to access "), error
        proof["client_assertion_signing_key"] = wrong_key
        refused(lambda: grant(keyed, **proof), Auth0Error, 401, "access_denied")

with check("what is no token is refused"):
    other = ManagementClient(domain=domain, token="no.such.token")
    refused(lambda: other.clients.get(billing), UnauthorizedError, 401, None)

with check("clients, page by page, with totals"):
    first = clients.list(per_page=10)
    shape = first.response
    assert (shape.start, shape.limit, shape.total) == (0, 10, len(everyone)), shape
    assert len(first.items) == 10
    same_ids(first, everyone)
    assert clients.list(page=1, per_page=10).response.start == 10
    refused(lambda: clients.list(per_page=101), BadRequestError, 400, "invalid_query_string")

with check("clients as bare arrays"):
    found = rest.get(f"{audience}clients")
    assert isinstance(found, list)
    assert sorted(client["client_id"] for client in found) == sorted(client["client_id"] for client in everyone)
    pages = []
    while page := rest.get(f"{audience}clients", params={"page": len(pages), "per_page": 10}):
        pages.append(page)
    assert [len(page) for page in pages[:-1]] == [10] * (len(pages) - 1)
    assert sorted(client["client_id"] for page in pages for client in page) == sorted(
        client["client_id"] for client in everyone
    )

with check("clients from checkpoint to checkpoint"):
    found, pages, cursor = [], 0, {}
    while True:
        # The SDK's own `page` beside them changes nothing.
        response = clients.list(per_page=None, include_totals=None, request_options=more(take=10, **cursor)).response
        extra = plain(response)
        assert set(extra) - {"next"} == {"clients"}, set(extra)
        found += response.clients
        pages += 1
        if "next" not in extra:
            break
        cursor = {"from": extra["next"]}
    assert pages == -(-len(everyone) // 10), pages
    same_ids(found, everyone)
    with_totals = clients.list(request_options=more(take=10)).response
    assert len(with_totals.clients) == 10 and plain(with_totals)["next"]
    nowhere = {"request_options": more(**{"from": "nowhere"})}
    refused(lambda: clients.list(**nowhere), BadRequestError, 400, "invalid_query_string")

with check("fields and include_fields"):
    some = list(clients.list(fields="client_id,name", include_fields=True))
    same_ids(some, everyone)
    assert all(set(plain(client)) == {"client_id", "name"} for client in some)
    others = list(clients.list(fields="client_secret,name", include_fields=False))
    same_ids(others, everyone)
    assert not any({"client_secret", "name"} & set(plain(client)) for client in others)
    assert set(plain(clients.get(billing, fields="name"))) == {"name"}
    most = plain(clients.get(billing, fields="client_secret", include_fields=False))
    assert most["name"] == "Billing API" and "client_secret" not in most

with check("filters"):
    for wanted, fits in (
        ({"is_global": True}, lambda client: client["global"]),
        ({"is_global": False}, lambda client: not client["global"]),
        ({"is_first_party": True}, lambda client: client["is_first_party"]),
        ({"is_first_party": False}, lambda client: not client["is_first_party"]),
        ({"app_type": "spa"}, lambda client: client.get("app_type") == "spa"),
        ({"app_type": "spa,native"}, lambda client: client.get("app_type") in ("spa", "native")),
    ):
        expected = [client for client in everyone if fits(client)]
        assert 0 < len(expected) < len(everyone)
        found = clients.list(**wanted, per_page=3)
        assert found.response.total == len(expected), wanted
        same_ids(found, expected)

with check("one client, as its file has it"):
    for expected in demo:
        found = plain(clients.get(expected["client_id"]))
        secret = found.pop("client_secret", None)
        assert found == expected, (found, expected)
        assert (secret is None) if "client_authentication_methods" in expected else len(secret) == 64
    refused(lambda: clients.get("nobody"), NotFoundError, 404, "inexistent_client")

with check("description and metadata are changed, and removed"):
    changed = clients.update(portal, description="Töne", client_metadata={"one": "1", "two": "2"})
    assert changed.client_id == portal
    found = clients.get(portal)
    assert found.description == "Töne"
    assert found.client_metadata["one"] == "1" and found.client_metadata["two"] == "2"
    clients.update(portal, description="", client_metadata={"one": None, "two": "2"})
    found = clients.get(portal)
    assert found.description == ""
    assert "one" not in found.client_metadata and found.client_metadata["two"] == "2"

with check("a chosen secret is taken as it is"):
    chosen = "a-secret_of-my-own+" + "=." * 20
    changed = clients.update(portal, client_secret=chosen)
    assert changed.client_secret == chosen and secret_of(portal) == chosen

with check("what cannot be changed is refused, and nothing changes"):
    before = plain(clients.get(portal))
    for change in (
        {"client_id": "another"},
        {"global": True},
        {"tenant": "another"},
        {"signing_keys": []},
        {"client_secret": ""},
        {"client_secret": 7},
        {"description": "new", "jwks_uri": "https://example.com"},
    ):
        options = {"additional_body_parameters": change}
        refused(lambda: clients.update(portal, request_options=options), BadRequestError, 400, "invalid_body")
    refused(lambda: clients.update(portal, client_secret=""), BadRequestError, 400, "invalid_body")
    refused(lambda: clients.update("nobody", name="x"), NotFoundError, 404, "inexistent_client")
    assert plain(clients.get(portal)) == before, "something changed"

correlation = "a-rotation-of-the-sdk"
rotation = f"/api/v2/clients/{portal}/rotate-secret"
with check("a secret is rotated"):
    old = secret_of(portal)
    options = {"additional_headers": {"X-Correlation-ID": correlation}}
    rotated = clients.rotate_secret(portal, request_options=options)
    assert rotated.client_id == portal and rotated.name == "Billing Portal"
    assert rotated.client_secret != old, "it is the old secret"
    assert re.fullmatch("[A-Za-z0-9_-]{64}", rotated.client_secret), "it is no secret of Auth0's"
    assert secret_of(portal) == rotated.client_secret, "another secret is read back"
    refused(lambda: clients.rotate_secret("nobody"), NotFoundError, 404, "inexistent_client")
    refused(lambda: clients.rotate_secret(keyed), BadRequestError, 400, "operation_not_supported")


def request_in(event):
    return (event.get("details") or {}).get("request", {})


def is_rotation(event):
    request = request_in(event)
    return event["type"] == "sapi" and request.get("method") == "post" and request["path"] == rotation


with check("the log is searched"):
    search = 'type:sapi AND description:"Rotate a client secret"'
    page = logs.list(search=search, sort="date:-1", per_page=10)
    assert (page.response.start, page.response.limit, page.response.length) == (0, 10, len(page.items))
    (event,) = (event for event in map(plain, page.items) if is_rotation(event))
    assert event["client_id"] == own_id
    assert event["references"]["correlation_id"] == correlation
    assert event["details"]["response"]["statusCode"] == 200
    at = datetime.fromisoformat(event["date"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - at).total_seconds()) < 120, at
    # As the documentation has it, and older SDKs: `q`, and a bare array.
    bare = rest.get(f"{audience}logs", params={"q": search, "per_page": 10})
    assert bare == [plain(event) for event in page.items]
    assert plain(logs.get(event["log_id"])) == event
    reads = [plain(event) for event in logs.list(search="type:mgmt_api_read", per_page=100)]
    read = next(event for event in reads if request_in(event)["path"] == f"/api/v2/clients/{portal}")
    assert read["details"]["accessedSecrets"] == ["client_secret"]
    assert request_in(read)["method"] == "get"

with check("the log shows the fields that are asked for"):
    chosen = logs.list(search="type:sapi", fields="log_id,type", include_fields=True, per_page=5).items
    assert chosen and all(set(plain(event)) == {"log_id", "type"} for event in chosen)
    others = logs.list(search="type:sapi", fields="details", include_fields=False, per_page=5).items
    assert others and all(event.log_id and "details" not in plain(event) for event in others)

with check("the log from checkpoint to checkpoint"):
    found, cursor = [], {}
    while page := rest.get(f"{audience}logs", params={"take": 7, **cursor}):
        assert isinstance(page, list) and len(page) <= 7
        found += page
        cursor = {"from": page[-1]["log_id"]}
    order = [event["log_id"] for event in found]
    assert order == sorted(set(order))
    assert len([event for event in found if is_rotation(event)]) == 1
    assert [event["log_id"] for event in rest.get(f"{audience}logs?from={order[0]}&take=1")] == [order[1]]

with check("grants, credentials and settings"):
    grants = list(management.client_grants.list(client_id=own_id))
    assert [grant.audience for grant in grants] == [audience]
    assert grants[0].id and "update:client_keys" in grants[0].scope
    assert list(management.client_grants.list(client_id=billing)) == []
    methods = clients.get(keyed).client_authentication_methods
    credentials = clients.credentials.list(keyed)
    assert [one.id for one in credentials] == [one.id for one in methods.private_key_jwt.credentials]
    assert credentials[0].credential_type == "public_key"
    assert management.tenants.settings.get().friendly_name

with check("a client comes and goes"):
    made = clients.create(name="made by the SDK", app_type="non_interactive")
    assert clients.get(made.client_id).name == "made by the SDK"
    assert status_of(made.client_id, made.client_secret) == 403
    clients.delete(made.client_id)
    refused(lambda: clients.get(made.client_id), NotFoundError, 404, "inexistent_client")

with check("an old secret lives as long as changes take to spread, and no longer"):
    old, lived, tries = secret_of(billing), False, 0
    while not lived and tries < 10:
        tries += 1
        before = time.monotonic()
        now = clients.rotate_secret(billing).client_secret
        while True:
            status, since = status_of(billing, old), time.monotonic() - before
            assert status_of(billing, now) == 403, "the new secret is not taken"
            if status == 401:
                # A machine so slow that the old secret was dead at the first look has seen nothing.
                assert lived or since >= propagation, f"it was dead after {since} s already"
                break
            assert status == 403, status
            lived = True
            assert since < 60, "it does not die"
            time.sleep(0.02)
        assert status_of(billing, old) == 401, "the old secret came to life again"
        old = now
    assert lived, "it was never taken"

with check("the manager's own secret is rotated, and the new one signs in"):
    now = clients.rotate_secret(own_id).client_secret
    before = time.monotonic()
    while status_of(own_id, own_secret) != 401:
        assert time.monotonic() - before < 60, "the old one does not die"
        time.sleep(0.02)
    renewed = ManagementClient(domain=domain, client_id=own_id, client_secret=now)
    assert renewed.clients.get(own_id).client_id == own_id

# From here on: the tenant with the limits of a free plan.
answers = []
limited = ManagementClient(
    domain=free_plan["url"].removeprefix("https://"),
    token=free_plan["token"],
    httpx_client=httpx.Client(event_hooks={"response": [answers.append]}),
)

with check("beyond the rate limit, the SDK's own error"):

    def read_once(_):
        try:
            limited.clients.get(billing, request_options={"max_retries": 0})
            return None
        except TooManyRequestsError as error:
            return error

    typed = []
    for _ in range(10):
        with ThreadPoolExecutor(8) as pool:
            typed = [error for error in pool.map(read_once, range(8)) if error]
        if typed:
            break
    assert typed, "nothing was refused"
    for error in typed:
        assert error.status_code == 429 and error.body["errorCode"] == "too_many_requests", error
        assert "x-ratelimit-reset" in error.headers

with check("eight reads in a row get through by the SDK's own retries"):
    answers.clear()
    for _ in range(8):
        assert limited.clients.get(billing).client_id == billing
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 8, statuses
    assert 429 in statuses, "no limit was met"

with check("every answer tells the limit"):
    now = time.time()
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "2"
        assert answer.headers["x-ratelimit-remaining"] in ("0", "1")
        assert abs(int(answer.headers["x-ratelimit-reset"]) - now) < 60
        assert answer.status_code != 429 or answer.headers["x-ratelimit-remaining"] == "0"

with check("the log tells of the limit"):
    found = [plain(event) for event in limited.logs.list(search="type:api_limit").items]
    assert any(request_in(event)["path"] == f"/api/v2/clients/{billing}" for event in found)

sys.exit(1 if failures else 0)
