#!/bin/sh
# A credential of a systemd service, encrypted on the disk: a file that holds both as JSON.
#   --write 'systemd.sh write NAME FILE'   --read 'systemd.sh read NAME FILE'   --after 'systemctl restart APP'
#   in the unit: LoadCredentialEncrypted=NAME:FILE
set -eu
umask 077
case $1 in
    write)
        wanted=$(jq -c '{current, fallback}')
        trap 'rm -f "$3.new"' EXIT
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" | systemd-creds encrypt --name="$2" - "$3.new"
        mv "$3.new" "$3"
        ;;
    read) systemd-creds decrypt --name="$2" "$3" - ;;
    *) exit 64 ;;
esac
