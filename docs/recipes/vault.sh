#!/bin/sh
# Vault or OpenBao, KV version 2: both secrets beside what else is stored at a path, in one new version.
#   --write 'vault.sh write MOUNT PATH'   --read 'vault.sh read MOUNT PATH'
#   environment: VAULT_ADDR, VAULT_TOKEN or what your way of signing in needs; VAULT=bao for OpenBao
set -eu
case $1 in
    write)
        wanted=$(jq -c '{AUTH0_CLIENT_SECRET: .current, AUTH0_CLIENT_SECRET_FALLBACK: (.fallback // "")}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" | "${VAULT:-vault}" kv patch -mount="$2" "$3" - >/dev/null
        ;;
    read)
        held=$("${VAULT:-vault}" kv get -mount="$2" -format=json "$3")
        printf '%s' "$held" | jq '.data.data'
        ;;
    *) exit 64 ;;
esac
