#!/usr/bin/env bash
# Others judge the wire clients: two servers that emulate the vendors are called by our adapters, and the vendors' own
# SDKs call our scripted server. `run.sh PEERS EXAMPLES`: the folder that the judges are installed in, and the folder of
# the built examples. Nothing is skipped: what a judge does not offer is not asked of it, and the list below says what
# is. The exit code is 1 where a check failed or a judge did not start.
set -uo pipefail
peers=$1 examples=$2 here=$(cd "$(dirname "$0")" && pwd)
failed=0 started=()
trap 'kill "${started[@]}" 2>/dev/null' EXIT

# Waits until somebody listens on a port of loopback, for 60 s at most.
listening() {
    for _ in $(seq 600); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.1
    done
    echo "FAILED  nobody listens on port $1" >&2
    exit 1
}

judge() { "$examples/judge" "$@" || failed=1; }

llmock() { exec "$peers/judges/bin/llmock" serve --log-level error "$@"; }
llmock --port 18431 >"$peers/llmock.log" 2>&1 & started+=($!)
llmock --port 18432 --error-rate 429=1 >"$peers/llmock-limited.log" 2>&1 & started+=($!)
aimock=$peers/npm/node_modules/@copilotkit/aimock/dist/cli.js
node "$aimock" --port 18433 --fixtures "$here/aimock.json" >"$peers/aimock.log" 2>&1 & started+=($!)
sleep infinity | "$examples/scripted_server" 18434 >"$peers/scripted.log" 2>&1 & started+=($!)
for port in 18431 18432 18433 18434; do listening "$port"; done

# llmock has no Responses API, no embeddings of Google's, no thoughts, and cuts no stream at a given place.
judge llmock anthropic http://127.0.0.1:18431/anthropic/v1 text tool
judge llmock chat http://127.0.0.1:18431/v1 text tool json embeddings
judge llmock google http://127.0.0.1:18431/gemini/v1beta text tool
judge llmock anthropic http://127.0.0.1:18432/anthropic/v1 limited
judge llmock chat http://127.0.0.1:18432/v1 limited
judge llmock google http://127.0.0.1:18432/gemini/v1beta limited
judge aimock anthropic http://127.0.0.1:18433/v1 text tool json thoughts cut overloaded
judge aimock responses http://127.0.0.1:18433/v1 text tool json thoughts cut overloaded
judge aimock chat http://127.0.0.1:18433/v1 text tool json thoughts cut overloaded embeddings
judge aimock google http://127.0.0.1:18433/v1beta text tool json thoughts cut overloaded
"$peers/judges/bin/python" "$here/sdks.py" http://127.0.0.1:18434 || failed=1
exit "$failed"
