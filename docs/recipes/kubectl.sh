#!/bin/sh
# A Kubernetes Secret: both secrets among its data; its other keys stay. `kubectl apply` would keep a second copy in an
# annotation, `kubectl patch` does not.
#   --write 'kubectl.sh write NAMESPACE SECRET'   --read 'kubectl.sh read NAMESPACE SECRET'
#   --after 'kubectl -n NAMESPACE rollout restart deployment/APP'
#   environment: KUBECONFIG, where it is not ~/.kube/config
set -eu
case $1 in
    write)
        wanted=$(jq -c '
            {stringData: {AUTH0_CLIENT_SECRET: .current, AUTH0_CLIENT_SECRET_FALLBACK: (.fallback // "")}}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" | kubectl -n "$2" patch secret "$3" --type=merge --patch-file=/dev/stdin >/dev/null
        ;;
    read)
        held=$(kubectl -n "$2" get secret "$3" -o json)
        printf '%s' "$held" | jq '.data | map_values(@base64d)'
        ;;
    *) exit 64 ;;
esac
