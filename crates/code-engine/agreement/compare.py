#!/usr/bin/env python3
"""Holds the functions that the engine finds against universal-ctags', and their cyclomatic complexity against lizard's.

    pip install lizard==1.24.3
    cargo run --release --example function_measures -- TREE > measures.csv
    compare.py LANGUAGE TREE measures.csv [--list N] [--kind missing|extra|complexity] [--correct]

Functions are matched by file, line and name (where another tells the line of the name and ours that of the first token, by the nearest line). `--list` prints that many disagreements of each kind.
"""

import argparse
import collections
import csv
import json
import pathlib
import re
import subprocess
import sys

LANGUAGES = {
    # our suffixes, ctags' language, its kinds of functions, lizard's language
    "rust": ((".rs",), "Rust", {"function", "method"}, "rust"),
    "go": ((".go",), "Go", {"func"}, "go"),
    "java": ((".java",), "Java", {"method"}, "java"),
    "python": ((".py",), "Python", {"function", "member"}, "python"),
    "typescript": ((".ts", ".tsx"), "TypeScript", {"function", "method", "generator"}, "typescript"),
    "c": ((".c",), "C", {"function"}, "cpp"),
    "cpp": ((".cc", ".cpp", ".cxx", ".hpp", ".hh", ".h"), "C++", {"function"}, "cpp"),
    "csharp": ((".cs",), "C#", {"method"}, "csharp"),
    "kotlin": ((".kt",), "Kotlin", {"method"}, "kotlin"),
    "scala": ((".scala",), None, set(), "scala"),  # ctags does not know it
    "ruby": ((".rb",), "Ruby", {"method", "singletonMethod"}, "ruby"),
    "php": ((".php",), "PHP", {"function"}, "php"),
    "swift": ((".swift",), None, set(), "swift"),  # ctags does not know it
    "shell": ((".sh", ".bash"), "Sh", {"function"}, None),  # lizard does not know it, see shellmetrics.py
    "javascript": ((".js", ".jsx", ".mjs", ".cjs"), "JavaScript", {"function", "method", "generator", "getter", "setter"}, "javascript"),
}


# Where the others name the line of a function's name, and ours that of its first token: `static void` may stand on a line of its own.
NEAR = {"c": 8, "cpp": 8, "csharp": 8, "kotlin": 8, "scala": 8}


def plain(name):
    """A name without what only one of them writes: type arguments, quotes, `~`, the macro that begins a test case."""
    name = name.split("::")[-1].split(".")[-1].strip("`~ ").replace(" ", "")
    return name.split("<")[0] or name


def moved(theirs, own, near):
    """Their functions under our keys where the name is the same and the line is near; each of ours is taken once."""
    by_name = collections.defaultdict(list)
    for file, line, name in sorted(own):
        by_name[file, plain(name)].append((line, name))
        by_name[file, line].append((line, name))
    taken, found = set(), {}
    for (file, line, name), value in sorted(theirs.items()):
        by_line = name.split("::")[-1] in TEST_MACROS
        candidates = by_name[file, line] if by_line else by_name[file, plain(name)]
        candidates = [one for one in candidates if -1 <= line - one[0] <= near and (file, *one) not in taken]
        if candidates:
            best = min(candidates, key=lambda one: abs(line - one[0]))
            taken.add((file, *best))
            found[(file, *best)] = value
        else:
            found[file, line, name] = value
    return found


# What both read as the name of a function is a macro's; ours is the test's.
TEST_MACROS = {"TEST", "TEST_F", "TEST_P", "TYPED_TEST"}


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
            if not name or name == "*global*" or name.startswith("anonymous__"):  # a function without a name
                continue
            found[file, function.start_line, name].append(function.cyclomatic_complexity)
    return found


def correct_lizard_scripts():
    """Teaches lizard what it misses in Ruby, that `unless` is a condition, and in PHP, that the `?` of `?Type` is none."""
    from lizard_languages.php import PHPReader
    from lizard_languages.ruby import RubyReader

    RubyReader._control_flow_keywords = RubyReader._control_flow_keywords | {"unless"}
    PHPReader._non_ternary_question_operators = r"|(?:\?\\?[A-Za-z_]\w*)" + PHPReader._non_ternary_question_operators


def correct_lizard_rust():
    """Teaches lizard what its tokens cannot tell in Rust: that `where`, the `||` of a closure without parameters, the `&&` of a reference to
    a reference and the `?` of `?Sized` decide nothing."""
    from lizard_languages.rust import RustReader

    RustReader._control_flow_keywords = RustReader._control_flow_keywords - {"where"}
    plain = RustReader.generate_tokens
    begins = {"(", ",", "=", "{", "}", ";", "=>", "move", "return", "|", "&", "<", ":", "->", "[", "mut", "as", "else", "async", "+", "in", "&&", "||", "!"}

    def tokens(source_code, addition="", token_class=None):
        before, before_question = "", False
        for token in plain(source_code, addition, token_class):
            if before_question:
                before_question = False
                yield "" if token == "Sized" else "?"
            if token == "?":
                before_question = True
            elif token == "||" and before in begins:
                yield from ("|", "|")
            elif token == "&&" and before in begins:
                yield from ("&", "&")
            else:
                yield token
            if not token.isspace() and not token.startswith(("//", "/*")):
                before = token

    RustReader.generate_tokens = staticmethod(tokens)


def arrow_body(source):
    """Whether the function at the beginning of `source` is an arrow without braces around its body."""
    depth = 0
    for at, letter in enumerate(source):
        if letter in "([{":
            if letter == "{" and depth == 0:
                return False
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0 and source.startswith("=>", at):
            return not source[at + 2:].lstrip().startswith("{")
    return False


# What lizard's tokens mislead it about in TypeScript, told by the text of a function.
TYPESCRIPT_CLASSES = [
    ("an arrow without braces: what is in it is counted elsewhere", arrow_body),
    ("`?` of an optional property or parameter, of a conditional type", lambda text: re.search(r"\w\?\s*:|\bextends\b[^{;]*\?", text)),
    ("conditions within a template or JSX", lambda text: "${" in text or re.search(r"</|/>", text)),
    ("`<` taken for type arguments", lambda text: re.search(r"\s<=?\s", text)),
    ("a method called `catch`", lambda text: ".catch(" in text),
    ("a regular expression", lambda text: re.search(r"[(=]\s*/[^/*\n]+/", text)),
    ("functions within it, whose branches lizard adds to it", lambda text: text.count("=>") + text.count("function") > 1),
    ("anything else", lambda text: True),
]


def classes(tree, rows, both, same):
    """How many functions of each class there are, and how many of them lizard counts as we do."""
    count = collections.OrderedDict((name, [0, 0]) for name, _ in TYPESCRIPT_CLASSES)
    for key in both:
        lines = (pathlib.Path(tree) / key[0]).read_text(errors="replace").split("\n")
        text = "\n".join(lines[key[1] - 1:key[1] - 1 + int(rows[key][5])])
        name = next(name for name, holds in TYPESCRIPT_CLASSES if holds(text))
        count[name][0] += 1
        count[name][1] += key in same
    for name, (total, agree) in count.items():
        print(f"  {share(agree, total)}  {name}")


def is_function(tree, language, tag):
    """Whether the line of a tag says so, for the parsers that tell more than functions by that kind."""
    if language not in ("kotlin", "csharp"):
        return True
    lines = open(pathlib.Path(tree) / tag[0], errors="replace").read().split("\n")
    line = lines[tag[1] - 1] if tag[1] <= len(lines) else ""
    return "fun " in line if language == "kotlin" else "delegate " not in line


def correct_lizard_csharp():
    """Lets lizard 1.24 read what it misses in C#: `foreach` as a loop, and `int?` as a type and no `a ? b : c`."""
    from lizard_languages.clike import CLikeReader
    from lizard_languages.csharp import CSharpReader
    CSharpReader._control_flow_keywords = CSharpReader._control_flow_keywords | {"foreach"}
    nullable = r"|(?:[\w>\]]\?(?=\s*[>,)\]\[;{]|\s+[A-Za-z_@]\w*\s*(?:[,;)={(<]|=>|\r?\n|in\b)))"
    whole = r"|(?:\w+\?(?=\s*[>,)\]\[;{]|\s+[A-Za-z_@]\w*\s*(?:[,;)={(<]|=>|\r?\n|in\b)))"
    CSharpReader.generate_tokens = staticmethod(
        lambda source, addition="", token_class=None: CLikeReader.generate_tokens(source, r"|(?:\?\?)" + whole + nullable, token_class))


def share(part, whole):
    return f"{part:>7,} of {whole:>7,} = {100 * part / max(whole, 1):5.1f} %"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("language", choices=LANGUAGES)
    arguments.add_argument("tree")
    arguments.add_argument("measures")
    arguments.add_argument("--list", type=int, default=0)
    arguments.add_argument("--kind", choices=["missing", "extra", "complexity"])
    arguments.add_argument("--correct", action="store_true", help="with lizard's known mistakes corrected (Rust, C#, Ruby, PHP)")
    given = arguments.parse_args()
    if given.correct:
        correct_lizard_rust()
        correct_lizard_csharp()
        correct_lizard_scripts()
    suffixes, tags_language, kinds, lizard_language = LANGUAGES[given.language]
    own = ours(given.measures, suffixes)
    files = sorted({file for file, _, _ in own})
    tags = ctags(given.tree, files, tags_language, kinds)
    theirs = lizard(given.tree, files, lizard_language)
    if near := NEAR.get(given.language):
        # Kotlin's parser calls every lambda and many a variable a method; a delegate of C# is a type.
        tags = {tag for tag in tags if is_function(given.tree, given.language, tag)}
        tags = set(moved(dict.fromkeys(tags), own, near))
        theirs = moved(theirs, own, near)

    print(f"{given.language}: {len(files):,} files, {len(own):,} functions")
    print(f"  ctags' that we have    {share(len(tags & set(own)), len(tags))}")
    print(f"  ours that ctags has    {share(len(tags & set(own)), len(own))}")
    both = [key for key in theirs if own.get(key) is not None]
    same = [key for key in both if own[key] in theirs[key]]
    print(f"  lizard's that we have  {share(len(both), len(theirs))}")
    print(f"  cyclomatic as lizard   {share(len(same), len(both))}")
    if given.language == "typescript":
        rows = {(row[0], int(row[1]), row[2]): row for row in csv.reader(open(given.measures))}
        classes(given.tree, rows, both, set(same))
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
