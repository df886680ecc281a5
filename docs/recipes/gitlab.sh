#!/bin/sh
# GitLab CI/CD variables of a project: each is written by itself, the current one first, so that one that works is in
# place between the two. Both must be there already; the fallback unmasked, for GitLab does not mask an empty value.
#   --write 'gitlab.sh write GROUP/PROJECT'   --read 'gitlab.sh read GROUP/PROJECT'
#   environment: GITLAB_TOKEN, unless glab is signed in
set -eu
case $1 in
    write)
        document=$(cat)
        # printf is part of the shell: nothing of this is an argument of a process.
        current=$(printf '%s' "$document" | jq -r '.current')
        fallback=$(printf '%s' "$document" | jq -r '.fallback // ""')
        printf '%s' "$current" | glab variable update AUTH0_CLIENT_SECRET --repo "$2" >/dev/null
        printf '%s' "$fallback" | glab variable update AUTH0_CLIENT_SECRET_FALLBACK --repo "$2" >/dev/null
        ;;
    read)
        current=$(glab variable get AUTH0_CLIENT_SECRET --repo "$2")
        fallback=$(glab variable get AUTH0_CLIENT_SECRET_FALLBACK --repo "$2")
        printf '%s\n%s\n' "$current" "$fallback" | jq -Rn '{current: input, fallback: input}'
        ;;
    *) exit 64 ;;
esac
