#!/bin/sh
# A 1Password item with fields named AUTH0_CLIENT_SECRET and AUTH0_CLIENT_SECRET_FALLBACK, which must be there already.
#   --write 'onepassword.sh write VAULT ITEM'   --read 'onepassword.sh read VAULT ITEM'
#   environment: OP_SERVICE_ACCOUNT_TOKEN
set -eu
case $1 in
    write)
        document=$(cat)
        held=$(op item get "$3" --vault "$2" --format json)
        # printf is part of the shell: nothing of this is an argument of a process.
        wanted=$(printf '%s\n%s\n' "$held" "$document" | jq -cs '
            .[1] as $new | .[0] | .fields |= map(
                if .label == "AUTH0_CLIENT_SECRET" then .value = $new.current
                elif .label == "AUTH0_CLIENT_SECRET_FALLBACK" then .value = ($new.fallback // "")
                else . end)')
        printf '%s' "$wanted" | op item edit "$3" --vault "$2" >/dev/null
        ;;
    read)
        held=$(op item get "$3" --vault "$2" --format json)
        printf '%s' "$held" | jq '.fields | map({key: .label, value: .value}) | from_entries'
        ;;
    *) exit 64 ;;
esac
