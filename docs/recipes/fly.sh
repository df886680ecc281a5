#!/bin/sh
# Fly.io: both secrets of an app in one release, which restarts its machines. Fly never gives them back.
#   --write 'fly.sh APP'
#   environment: FLY_API_TOKEN, unless fly is signed in
set -eu
wanted=$(jq -r '"AUTH0_CLIENT_SECRET=\(.current)", "AUTH0_CLIENT_SECRET_FALLBACK=\(.fallback // "")"')
# printf is part of the shell: nothing of this is an argument of a process.
printf '%s\n' "$wanted" | fly secrets import --app "$1" >/dev/null
