#!/usr/bin/env python3
"""Holds the functions that the engine finds against universal-ctags', and their cyclomatic complexity against lizard's.

    pip install lizard==1.24.3
    cargo run --release --example function_measures -- TREE > measures.csv
    compare.py LANGUAGE TREE measures.csv [--list N] [--kind missing|extra|complexity]

Functions are matched by file, line and name. `--list` prints that many disagreements of each kind.
"""

import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys

LANGUAGES = {
    # our suffixes, ctags' language, its kinds of functions, lizard's language
    "rust": ((".rs",), "Rust", {"function", "method"}, "rust"),
    "go": ((".go",), "Go", {"func"}, "go"),
    "java": ((".java",), "Java", {"method"}, "java"),
    "python": ((".py",), "Python", {"function", "member"}, "python"),
    "typescript": ((".ts", ".tsx"), "TypeScript", {"function", "method", "generator"}, "typescript"),
    "ruby": ((".rb",), "Ruby", {"method", "singletonMethod"}, "ruby"),
    "php": ((".php",), "PHP", {"function"}, "php"),
    "swift": ((".swift",), None, set(), "swift"),  # ctags does not know it
    "shell": ((".sh", ".bash"), "Sh", {"function"}, None),  # lizard does not know it, see shellmetrics.py
    "javascript": ((".js", ".jsx", ".mjs", ".cjs"), "JavaScript", {"function", "method", "generator", "getter", "setter"}, "javascript"),
}


def ours(path, suffixes):
    """What `function_measures` printed: {(file, line, name): cyclomatic or None where it has no body}."""
    found = {}
    for row in csv.reader(open(path)):
        file, line, name, cyclomatic = row[0], int(row[1]), row[2], row[3]
        if file.endswith(suffixes):
            found[file, line, name] = int(cyclomatic) if cyclomatic else None
    return found


def ctags(tree, files, language, kinds):
    """What universal-ctags finds in those files."""
    if language is None:
        return set()
    command = ["ctags", "--output-format=json", "--fields=+nK", "--extras=-{anonymous}", "--sort=no",
               f"--languages={language}", "--map-TypeScript=+.tsx", "-L", "-", "-f", "-"]
    printed = subprocess.run(command, cwd=tree, input="\n".join(files), capture_output=True, text=True, errors="replace").stdout
    found = set()
    for line in printed.splitlines():
        tag = json.loads(line, strict=False)
        if tag.get("kind") in kinds:
            found.add((tag["path"], tag["line"], tag["name"]))
    return found


def lizard(tree, files, language):
    """What lizard finds in those files: {(file, line, name): [cyclomatic]}."""
    if language is None:
        return {}
    import lizard as program
    found = collections.defaultdict(list)
    for file in files:
        try:
            result = program.analyze_file(str(pathlib.Path(tree) / file))
        except Exception as error:  # it gives up on some files
            print(f"lizard: {file}: {error}", file=sys.stderr)
            continue
        for function in result.function_list:
            name = function.name.split("(")[0].replace("::", ".").rsplit(".", 1)[-1].strip()
            if not name or name == "*global*":  # a function without a name
                continue
            found[file, function.start_line, name].append(function.cyclomatic_complexity)
    return found


def correct_lizard():
    """Lets lizard 1.24 read what it misses: Ruby's `unless` as a condition, and PHP's `?Type` as a type and no `a ? b : c`."""
    from lizard_languages.php import PHPReader
    from lizard_languages.ruby import RubyReader
    RubyReader._control_flow_keywords = RubyReader._control_flow_keywords | {"unless"}
    PHPReader._non_ternary_question_operators = r"|(?:\?\\?[A-Za-z_]\w*)" + PHPReader._non_ternary_question_operators


def share(part, whole):
    return f"{part:>7,} of {whole:>7,} = {100 * part / max(whole, 1):5.1f} %"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("language", choices=LANGUAGES)
    arguments.add_argument("tree")
    arguments.add_argument("measures")
    arguments.add_argument("--list", type=int, default=0)
    arguments.add_argument("--kind", choices=["missing", "extra", "complexity"])
    arguments.add_argument("--correct", action="store_true", help="with lizard's two mistakes in Ruby and PHP corrected")
    given = arguments.parse_args()
    if given.correct:
        correct_lizard()
    suffixes, tags_language, kinds, lizard_language = LANGUAGES[given.language]
    own = ours(given.measures, suffixes)
    files = sorted({file for file, _, _ in own})
    tags = ctags(given.tree, files, tags_language, kinds)
    theirs = lizard(given.tree, files, lizard_language)

    print(f"{given.language}: {len(files):,} files, {len(own):,} functions")
    print(f"  ctags' that we have    {share(len(tags & set(own)), len(tags))}")
    print(f"  ours that ctags has    {share(len(tags & set(own)), len(own))}")
    both = [key for key in theirs if own.get(key) is not None]
    same = [key for key in both if own[key] in theirs[key]]
    print(f"  lizard's that we have  {share(len(both), len(theirs))}")
    print(f"  cyclomatic as lizard   {share(len(same), len(both))}")
    near = [key for key in both if min(abs(own[key] - one) for one in theirs[key]) <= 1]
    print(f"  within one             {share(len(near), len(both))}")

    def show(kind, keys, tell):
        if given.list and given.kind in (None, kind):
            keys = sorted(keys)
            print(f"{kind}: {len(keys)}")
            step = max(1, len(keys) // given.list)
            for key in keys[::step][:given.list]:
                print(f"  {key[0]}:{key[1]} {key[2]} {tell(key)}")

    show("missing", tags - set(own), lambda key: "")
    show("extra", set(own) - tags, lambda key: "")
    show("complexity", set(both) - set(same), lambda key: f"ours {own[key]}, lizard {theirs[key]}")


if __name__ == "__main__":
    main()
