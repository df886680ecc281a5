#!/bin/sh
# GitHub Actions secrets of a repository. GitHub never gives them back: there is nothing to read with.
#   --write 'github.sh OWNER/REPOSITORY'
#   environment: GH_TOKEN, unless gh is signed in
set -eu
wanted=$(jq -r '"AUTH0_CLIENT_SECRET=\(.current)", "AUTH0_CLIENT_SECRET_FALLBACK=\(.fallback // "")"')
# printf is part of the shell: nothing of this is an argument of a process.
printf '%s\n' "$wanted" | gh secret set --repo "$1" --env-file - >/dev/null
