#!/bin/sh
# Doppler: each secret is written by itself, the current one first, so that one that works is in place between the two.
#   --write 'doppler.sh write PROJECT CONFIG'   --read 'doppler.sh read PROJECT CONFIG'
#   environment: DOPPLER_TOKEN, unless doppler is signed in
set -eu
project=$2 config=$3
put() { doppler secrets set "$1" --silent --project "$project" --config "$config" >/dev/null; }
case $1 in
    write)
        document=$(cat)
        # printf is part of the shell: nothing of this is an argument of a process.
        current=$(printf '%s' "$document" | jq -r '.current')
        fallback=$(printf '%s' "$document" | jq -r '.fallback // ""')
        printf '%s' "$current" | put AUTH0_CLIENT_SECRET
        printf '%s' "$fallback" | put AUTH0_CLIENT_SECRET_FALLBACK
        ;;
    read) doppler secrets download --no-file --format json --project "$project" --config "$config" ;;
    *) exit 64 ;;
esac
