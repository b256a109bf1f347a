#!/usr/bin/env python3
"""Holds the cyclomatic complexity of shell functions against shellmetrics' (https://github.com/shellspec/shellmetrics, 0.5.0).

    cargo run --release --example function_measures -- TREE > measures.csv
    shellmetrics.py PROGRAM TREE measures.csv [--list N]

Shellmetrics counts conditions, loops and cases, and no `&&` and `||`. Those are added here, as Bash prints them when it is asked to print
the function and not to run it; Bash drops the comments.
"""

import argparse
import collections
import csv
import pathlib
import subprocess


def ours(path):
    """{(file, name, line): (cyclomatic, length)} of what `function_measures` printed."""
    found = {}
    for file, line, name, cyclomatic, _, length, *_ in csv.reader(open(path)):
        if file.endswith((".sh", ".bash")) and cyclomatic:
            found[file, name, int(line)] = int(cyclomatic), int(length)
    return found


def theirs(program, tree, file):
    """{(name, line): complexity} as shellmetrics has it."""
    try:
        printed = subprocess.run(["bash", program, "--no-color", "--csv", file], cwd=tree, capture_output=True, text=True, errors="replace", timeout=300).stdout
    except subprocess.TimeoutExpired:
        return {}
    rows = [row for row in csv.reader(printed.splitlines()) if len(row) == 8 and row[2].isdigit() and row[2] != "0"]
    return {(row[1], int(row[2])): int(row[4]) for row in rows}


def operators(tree, file, line, length):
    """How often `&&` and `||` stand in a function."""
    lines = (pathlib.Path(tree) / file).read_text(errors="replace").split("\n")
    text = "\n".join(lines[line - 1 : line - 1 + length])
    printed = subprocess.run(["bash", "--pretty-print", "/dev/stdin"], input=text, capture_output=True, text=True, errors="replace").stdout
    return printed.count("&&") + printed.count("||")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("tree")
    arguments.add_argument("measures")
    arguments.add_argument("--list", type=int, default=0)
    given = arguments.parse_args()
    own = ours(given.measures)
    both, same, plain, different = 0, 0, 0, []
    for file in sorted({file for file, _, _ in own}):
        counted = theirs(given.program, given.tree, file)
        for (where, name, line), (cyclomatic, length) in own.items():
            if where != file or (name, line) not in counted:
                continue
            both += 1
            bare = counted[name, line]
            more = operators(given.tree, file, line, length)
            plain += cyclomatic == bare
            same += cyclomatic == bare + more
            if cyclomatic != bare + more:
                different.append((file, line, name, cyclomatic, bare, more))
    print(f"shell: {len(own):,} functions, {both:,} that both know")
    print(f"  cyclomatic as shellmetrics with && and ||  {same:,} = {100 * same / max(both, 1):.1f} %")
    print(f"  cyclomatic as shellmetrics                 {plain:,} = {100 * plain / max(both, 1):.1f} %")
    apart = collections.Counter(own - bare - more for *_, own, bare, more in different)
    print(f"  apart by {dict(sorted(apart.items()))}")
    for file, line, name, cyclomatic, bare, more in different[: given.list]:
        print(f"  {file}:{line} {name} ours {cyclomatic}, shellmetrics {bare} and {more} operators")


if __name__ == "__main__":
    main()
