# Gets a token with whichever of two secrets Auth0 accepts; for each line on stdin, another one. Python 3.8 or later.
import json
import os
import sys
import urllib.error
import urllib.request


# Both secrets, in the order in which they are tried. An empty fallback is none.
def read():
    with open(os.environ["SECRETS_FILE"], encoding="utf-8") as file:
        held = json.load(file)
    both = held.get("AUTH0_CLIENT_SECRET"), held.get("AUTH0_CLIENT_SECRET_FALLBACK")
    return [secret for secret in both if secret]


secrets = read()


def token():
    global secrets
    tried = set()
    # When none is accepted, the file is read again: what was delivered meanwhile is in there.
    for source in (lambda: secrets, read):
        every = source()
        for secret in [one for one in every if one not in tried]:
            tried.add(secret)
            body = {
                "grant_type": "client_credentials",
                "client_id": os.environ["AUTH0_CLIENT_ID"],
                "client_secret": secret,
                "audience": os.environ["AUTH0_AUDIENCE"],
            }
            request = urllib.request.Request(
                os.environ["AUTH0_ISSUER_BASE_URL"] + "/oauth/token",
                json.dumps(body).encode(),
                {"content-type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    # The one that worked is tried first from now on.
                    secrets = [secret] + [one for one in every if one != secret]
                    return json.load(answer)["access_token"]
            except urllib.error.HTTPError as error:
                if error.code != 401:  # 401: not this one.
                    raise
    raise RuntimeError("Auth0 accepts no secret in " + os.environ["SECRETS_FILE"])


try:
    token()
    print("got a token", flush=True)
    for _ in sys.stdin:
        token()
        print("got a token", flush=True)
except (RuntimeError, OSError) as error:
    sys.exit(str(error))
