#!/bin/sh
# AWS Secrets Manager: both secrets in the JSON object that a secret holds; its other keys stay.
#   --write 'aws.sh write SECRET'   --read 'aws.sh read SECRET'
#   environment: AWS_PROFILE, AWS_REGION or what your way of signing in needs
set -eu
stored() { aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text; }
case $1 in
    write)
        document=$(cat)
        held=$(stored "$2")
        # printf is part of the shell: nothing of this is an argument of a process.
        wanted=$(printf '%s\n%s\n' "$held" "$document" | jq -cs '
            .[0] + (.[1] | {AUTH0_CLIENT_SECRET: .current, AUTH0_CLIENT_SECRET_FALLBACK: (.fallback // "")})')
        printf '%s' "$wanted" |
            aws secretsmanager put-secret-value --secret-id "$2" --secret-string file:///dev/stdin >/dev/null
        ;;
    read) stored "$2" ;;
    *) exit 64 ;;
esac
