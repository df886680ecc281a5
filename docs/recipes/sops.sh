#!/bin/sh
# A file that sops encrypts: each secret is written by itself, the current one first, so that one that works is in place
# between the two. Needs sops 3.11 or newer.
#   --write 'sops.sh write FILE'   --read 'sops.sh read FILE'
#   environment: SOPS_AGE_KEY_FILE, or what your keys need
set -eu
case $1 in
    write)
        document=$(cat)
        # printf is part of the shell: nothing of this is an argument of a process.
        current=$(printf '%s' "$document" | jq '.current')
        fallback=$(printf '%s' "$document" | jq '.fallback // ""')
        printf '%s' "$current" | sops set --value-stdin "$2" '["AUTH0_CLIENT_SECRET"]' >/dev/null
        printf '%s' "$fallback" | sops set --value-stdin "$2" '["AUTH0_CLIENT_SECRET_FALLBACK"]' >/dev/null
        ;;
    read) sops decrypt --output-type json "$2" ;;
    *) exit 64 ;;
esac
