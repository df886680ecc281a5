#!/bin/sh
# Azure Key Vault: one secret that holds both as JSON, for each of its versions is one value.
#   --write 'azure.sh write VAULT SECRET'   --read 'azure.sh read VAULT SECRET'
#   environment: AZURE_CONFIG_DIR, where it is not ~/.azure
set -eu
case $1 in
    write)
        wanted=$(jq -c '{current, fallback}')
        # printf is part of the shell: nothing of this is an argument of a process.
        printf '%s' "$wanted" |
            az keyvault secret set --vault-name "$2" --name "$3" --file /dev/stdin --encoding utf-8 --output none >/dev/null
        ;;
    read) az keyvault secret show --vault-name "$2" --name "$3" --query value --output tsv ;;
    *) exit 64 ;;
esac
