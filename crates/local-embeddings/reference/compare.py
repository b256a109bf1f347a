"""Holds the vectors of the crate against another computation of the same weights: `compare.py EMBED_FILE FOLDER`.

The other one is crates/model-catalog/live/minilm.py: BERT by numpy, a text at a time and so without padding. EMBED_FILE
is the built example of this name, FOLDER has the model. Every number of twenty texts has to be the same within 0.001.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "model-catalog" / "live"))
import minilm  # noqa: E402

TOLERANCE = 1e-3
TEXTS = [
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
    "a",
    "Who prolongs a lease?",
    "fn renew_lease(&self, until: DateTime<Utc>) -> Result<(), Error> { self.store.write(until)?; Ok(()) }",
    "SELECT id, name FROM tenants WHERE created_at > $1 ORDER BY name LIMIT 50",
    "README.md\n\n# Leases\n\nA worker holds a lease for 45 seconds, and renews it every 15.",
    "Die Straße ist naß, und über den Wipfeln ist Ruh.",
    "Le café était fermé à cause de l'été.",
    "リースを更新するワーカー",
    "租约由工作者续订。",
    "ИМЯ ФАЙЛА НЕ НАЙДЕНО",
    "C++, C#, F# and .NET; a_b-c.d/e::f",
    "🦀 crabs & naïve \u200b zero-width \u00ad soft hyphens",
    "   \t\n  leading and trailing blanks   \n",
    "0123456789 " * 30,
    "supercalifragilisticexpialidocious" * 6,
    "one two three four five six seven eight nine ten " * 40,
    "The worker renews its lease. " * 20,
]


def main():
    program, folder = sys.argv[1:]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("".join(json.dumps(text) + "\n" for text in TEXTS))
        file.flush()
        done = subprocess.run([program, folder, file.name], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(TEXTS) >= 20, len(found)
    worst, tokens = 0.0, 0
    for text, vector in zip(TEXTS, found):
        expected, count = minilm.embed(text)
        tokens += count
        difference = max(abs(a - b) for a, b in zip(vector, expected, strict=True))
        worst = max(worst, difference)
        if difference > TOLERANCE:
            sys.exit(f"{text[:60]!r} differs by {difference}")
    said = done.stderr.strip()
    if f" {tokens} tokens " not in said:
        sys.exit(f"the reference read {tokens} tokens: {said}")
    print(f"{len(TEXTS)} texts of {tokens} tokens are the same within {worst:.1e}")


if __name__ == "__main__":
    main()
