#!/bin/sh
# Google Secret Manager: one secret that holds both as JSON, for each of its versions is one value.
#   --write 'gcloud.sh write PROJECT SECRET'   --read 'gcloud.sh read PROJECT SECRET'
#   environment: CLOUDSDK_CONFIG, where it is not ~/.config/gcloud
set -eu
case $1 in
    write)
        wanted=$(jq -c '{current, fallback}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" | gcloud --project "$2" --quiet secrets versions add "$3" --data-file=- >/dev/null
        ;;
    read) gcloud --project "$2" --quiet secrets versions access latest --secret="$3" ;;
    *) exit 64 ;;
esac
