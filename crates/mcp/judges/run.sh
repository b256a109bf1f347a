#!/usr/bin/env bash
# Others judge the MCP server: the official SDKs (npm and PyPI) and the inspector's command line list and call every
# tool, over HTTP and on standard streams, on a small repository that is synced and analysed first. `run.sh NPM
# PYTHON NYXCORE`: the folder of the npm packages, the Python that has the SDK, and the built program. The exit code
# is 1 where a check failed.
set -uo pipefail
npm=$1 python=$2 nyxcore=$3 here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) failed=0 server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1

mkdir -p atlas/src atlas/docs
git init --quiet --initial-branch main atlas
printf '[package]\nname = "atlas"\n' >atlas/Cargo.toml
printf '# Atlas\n\nOpens and closes files.\n' >atlas/README.md
for name in open close read write seek flush lock trim copy move list find; do
    printf '/// Does %s.\npub fn file_%s(path: &str) -> bool {\n    path.is_empty()\n}\n' "$name" "$name" >"atlas/src/$name.rs"
done
git -C atlas add .
git -C atlas -c user.name=Ada -c user.email=ada@example.org commit --quiet -m Begin

data=$work/data
"$nyxcore" --data-dir "$data" quickstart atlas --exit >quickstart.log 2>&1 || { cat quickstart.log; exit 1; }
owner=owner@localhost
NYXCORE_TOKEN=$("$nyxcore" --data-dir "$data" token create --tenant home --user "$owner" 2>/dev/null) || exit 1
export NYXCORE_TOKEN
"$nyxcore" --data-dir "$data" serve --listen 127.0.0.1:0 >serve.log 2>&1 & server=$!
for _ in $(seq 600); do
    url=$(sed -n 's/.*listens at \(http:[^ ]*\).*/\1/p' serve.log | tr -d '\033' | head -1)
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { cat serve.log; exit 1; }

export NYXCORE=$nyxcore NYXCORE_DATA=$data NYXCORE_FOLDER=$work/atlas NYXCORE_URL=${url%/} NYXCORE_NPM=$npm
"$python" "$here/sdk.py" || failed=1
node "$here/sdk.mjs" || failed=1

# The inspector's command line, once for each transport: it lists, holds the schemas against what clients take, and calls.
cat >inspector.json <<EOF
{ "mcpServers": {
  "stdio": { "type": "stdio", "command": "$nyxcore", "args": ["--data-dir", "$data", "mcp", "--folder", "$work/atlas"] },
  "http": { "type": "streamable-http", "url": "$NYXCORE_URL/mcp", "headers": { "Authorization": "Bearer $NYXCORE_TOKEN" } }
} }
EOF
inspect() {
    local expected=$1 answer
    shift
    if answer=$("$npm/node_modules/.bin/mcp-inspector" --cli --config "$work/inspector.json" "$@" 2>&1 </dev/null) &&
        grep -q "$expected" <<<"$answer"; then
        echo "passed  inspector $*"
    else
        printf 'FAILED  inspector %s: %s\n' "$*" "$answer"
        failed=1
    fi
}
for transport in stdio http; do
    inspect '"conventions_for"' --server "$transport" --method tools/list --strict
    inspect snake_case --server "$transport" --method tools/call --tool-name conventions_for --tool-arg path=src/open.rs
    inspect README.md --server "$transport" --method resources/list
    inspect '"prompts"' --server "$transport" --method prompts/list
done
exit "$failed"
