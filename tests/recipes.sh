#!/usr/bin/env bash
# The scripts in docs/recipes, each with a stand-in for the tool that it uses: the secrets come to the tool on its standard input,
# and stand in no argument and no environment of any process. What the real tools do is told in docs/targets.md.
#
# Needs Debian's apt-get for jq, where that is missing.
set -euo pipefail
# shellcheck source=common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
need jq jq

current=CURRENT-of-the-recipes_0123456789
pending=PENDING-of-the-recipes_0123456789
document="{\"client_id\":\"abc\",\"current\":\"$current\",\"fallback\":\"$pending\",\"step\":\"deliver\"}"
jq=$(command -v jq)
export RECORD=$work/record STUB_JQ=$jq
mkdir "$work/bin" "$RECORD"

# Writes down what it was given, and answers what is in $RECORD/answer.
cat >"$work/bin/tool" <<'STUB'
#!/bin/sh
{ printf '%s\n' "$0" "$@"; env; } >>"$RECORD/seen"
case $0 in */jq) exec "$STUB_JQ" "$@" ;; esac
[ ! -e "$RECORD/refuse" ] || { echo refused >&2; exit 1; }
case "$*" in *'variable get'*FALLBACK*) cat "$RECORD/fallback"; exit 0 ;; *'variable get'*) cat "$RECORD/current"; exit 0 ;; esac
cat >>"$RECORD/told"
printf '\n' >>"$RECORD/told"
for last in "$@"; do :; done
case "$*" in *encrypt*.new) cp "$RECORD/told" "$last"; exit 0 ;; esac
cat "$RECORD/answer"
STUB
chmod 755 "$work/bin/tool"
for tool in jq vault aws kubectl gh glab doppler op az gcloud fly curl systemd-creds pass sops; do
    ln -s tool "$work/bin/$tool"
done
PATH=$work/bin:$PATH
printf '%s\n' "$current" >"$RECORD/current"
printf '%s\n' "$pending" >"$RECORD/fallback"

both="{\"AUTH0_CLIENT_SECRET\":\"$current\",\"AUTH0_CLIENT_SECRET_FALLBACK\":\"$pending\"}"

# recipe NAME ANSWER WRITE… [-- READ…]: runs it both ways.
recipe() {
    local name=$1 answer=$2 told
    local -a write=() read=()
    shift 2
    while (($#)) && [[ $1 != -- ]]; do write+=("$1"); shift; done
    read=("${@:2}")
    rm -f "$RECORD/seen" "$RECORD/told" "$RECORD/refuse"
    printf '%s\n' "$answer" >"$RECORD/answer"
    local script=$root/docs/recipes/$name.sh
    sh "$script" "${write[@]}" <<<"$document" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$name does not write"; }
    told=$(cat "$RECORD/told")
    # The current one first: where they are two writes, the live secret is in one of the slots between them.
    [[ $told == *"$current"*"$pending"* ]] || fail "$name does not hand on both secrets in order: $told"
    [[ ! -s $work/out ]] || ! grep -qe "$current" -e "$pending" "$work/out" || fail "$name prints a secret"
    # Where something fails, the recipe fails.
    touch "$RECORD/refuse"
    ! sh "$script" "${write[@]}" <<<"$document" >/dev/null 2>&1 || fail "$name hides that its tool fails"
    rm "$RECORD/refuse"
    ! sh "$script" "${write[@]}" <<<'no JSON' >/dev/null 2>&1 || fail "$name hides that it was given no JSON"
    if ((${#read[@]})); then
        sh "$script" "${read[@]}" </dev/null >"$work/out" || fail "$name does not read"
        jq -e --arg current "$(head -c 7 <<<"$current")" --arg pending "$(head -c 7 <<<"$pending")" '
            (.AUTH0_CLIENT_SECRET // .current | startswith($current)) and
            (.AUTH0_CLIENT_SECRET_FALLBACK // .fallback | startswith($pending))' "$work/out" >/dev/null ||
            fail "$name does not print what is stored: $(cat "$work/out")"
        touch "$RECORD/refuse"
        [[ $name == gitlab ]] || ! sh "$script" "${read[@]}" </dev/null >/dev/null 2>&1 || fail "$name hides that it cannot read"
    fi
    ! grep -e "$current" -e "$pending" "$RECORD/seen" || fail "$name shows a secret to every process"
    passed "$name"
}

encoded() { printf '%s' "$1" | base64 -w0; }
recipe vault "{\"data\":{\"data\":$both}}" write secret app -- read secret app
recipe aws "$both" write app/auth0 -- read app/auth0
recipe kubectl "{\"data\":{\"AUTH0_CLIENT_SECRET\":\"$(encoded "$current")\",\"AUTH0_CLIENT_SECRET_FALLBACK\":\"$(encoded "$pending")\"}}" \
    write default app -- read default app
recipe github '' owner/repository
recipe gitlab '' write group/project -- read group/project
recipe doppler "$both" write project config -- read project config
recipe onepassword "{\"fields\":[{\"label\":\"AUTH0_CLIENT_SECRET\",\"value\":\"$current\"},{\"label\":\"AUTH0_CLIENT_SECRET_FALLBACK\",\"value\":\"$pending\"}]}" \
    write vault item -- read vault item
plain="{\"current\":\"$current\",\"fallback\":\"$pending\"}"
recipe azure "$plain" write vault auth0 -- read vault auth0
recipe gcloud "$plain" write project auth0 -- read project auth0
recipe fly '' app
recipe heroku "$both" write app -- read app
recipe systemd "$plain" write auth0 "$work/auth0.cred" -- read auth0 "$work/auth0.cred"
recipe pass "$plain" write app/auth0 -- read app/auth0
recipe sops "$both" write "$work/secrets.json" -- read "$work/secrets.json"

# Every recipe is tried here, and named in the document.
for script in "$root"/docs/recipes/*.sh; do
    name=$(basename "$script" .sh)
    grep -q "^recipe $name " "${BASH_SOURCE[0]}" || fail "$name is not tried"
    grep -q "recipes/$name.sh" "$root/docs/targets.md" || fail "$name is not in docs/targets.md"
done
passed "all recipes are tried"
