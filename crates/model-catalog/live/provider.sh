#!/bin/sh
# A vendor's real API behind nyxcore, with a key of the environment: `provider.sh PROVIDER NYXCORE`. It costs a fraction of a
# cent. The key goes to nyxcore by its variable's name, never on a command line.
set -eu
provider=$1 nyxcore=$2
case $provider in
anthropic) variable=ANTHROPIC_API_KEY ;;
openai) variable=OPENAI_API_KEY ;;
google) variable=GEMINI_API_KEY ;;
*)
    echo "there is no provider \"$provider\": anthropic, openai or google" >&2
    exit 2
    ;;
esac
if ! printenv "$variable" >/dev/null; then
    echo "nothing was asked: there is no key for $provider, set $variable to one" >&2
    exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nyxcore() { echo "+ nyxcore $*" >&2; "$nyxcore" --data-dir "$folder/data" "$@"; }

nyxcore tenant create live --name Live --owner ada@live.example >/dev/null
nyxcore models key set "$provider" --env "$variable"
echo '{"type":"object","properties":{"city":{"type":"string"},"inhabitants":{"type":"integer"}},
"required":["city","inhabitants"],"additionalProperties":false}' >"$folder/schema.json"
nyxcore ask "Say hello in one short sentence." --max-tokens 500
nyxcore ask "Which city is the capital of France, and how many people live there?" --schema "$folder/schema.json" --max-tokens 1000
if [ "$provider" = anthropic ]; then
    echo "anthropic makes no vectors: they were not asked for"
else
    nyxcore models embed "The cat sits on the mat." | cut -c 1-80
fi
