#!/bin/sh
# pass, or gopass with PASS=gopass: an entry that holds both as JSON.
#   --write 'pass.sh write ENTRY'   --read 'pass.sh read ENTRY'
#   environment: PASSWORD_STORE_DIR, GNUPGHOME, where they are not in their usual places; GPG_TTY for a passphrase
set -eu
case $1 in
    write)
        wanted=$(jq -c '{current, fallback}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s\n' "$wanted" | "${PASS:-pass}" insert --multiline --force "$2" >/dev/null
        ;;
    read) "${PASS:-pass}" show "$2" ;;
    *) exit 64 ;;
esac
