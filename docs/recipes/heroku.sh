#!/bin/sh
# Heroku: both config vars of an app in one release, which restarts its dynos. `heroku config:set` takes the secrets as
# arguments, where every process can see them; the API behind it takes them as a body.
#   --write 'heroku.sh write APP'   --read 'heroku.sh read APP'
#   ~/.netrc holds the token, as `heroku login` puts it there
set -eu
app=$2
ask() {
    curl --netrc --silent --show-error --fail --header 'Accept: application/vnd.heroku+json; version=3' "$@" \
        "${HEROKU_API_URL:-https://api.heroku.com}/apps/$app/config-vars"
}
case $1 in
    write)
        wanted=$(jq -c '{AUTH0_CLIENT_SECRET: .current, AUTH0_CLIENT_SECRET_FALLBACK: .fallback}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" |
            ask --request PATCH --header 'Content-Type: application/json' --data-binary @- >/dev/null
        ;;
    read) ask ;;
    *) exit 64 ;;
esac
