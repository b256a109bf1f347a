#!/usr/bin/env python3
"""Writes Cargo.toml beside it: the features with which nyxcore's workspace builds what the example depends on.

With them (`--features shared-build`) cargo finds in nyxcore's target directory what is built already. Without them, or where this file is out of
date, it builds more, and nothing else changes. Needs no network. Run it after a change of nyxcore's dependencies, until it says "nothing".
"""

import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent
ROOT = EXAMPLE.parent.parent
HEAD = """# Written by update.py. The features with which nyxcore's workspace builds these crates: with the feature `shared-build`
# the example's tests find them built. A program outside nyxcore's repository has no use for it.
[package]
name = "shared-build"
version = "0.1.0"
edition = "2024"
publish = false
"""


def units(folder, *arguments):
    """What cargo would build, by package and by whether it runs on the host (macros, build scripts)."""
    command = ["cargo", "build", "--offline", "--all-targets", "-Z", "unstable-options", "--unit-graph", *arguments]
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    graph = json.loads(subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    features, seen, waiting = {}, set(), [(root, False) for root in graph["roots"]]
    while waiting:
        index, on_host = waiting.pop()
        if (index, on_host) in seen:
            continue
        seen.add((index, on_host))
        unit = graph["units"][index]
        on_host = on_host or unit["target"]["kind"][0] in ("proc-macro", "custom-build")
        if unit["pkg_id"].startswith("registry+") and unit["mode"] == "build" and unit["target"]["kind"][0] != "custom-build":
            features.setdefault((unit["pkg_id"].split("#")[1], on_host), set()).update(unit["features"])
        waiting += [(dependency["index"], on_host) for dependency in unit["dependencies"]]
    return features


def main():
    wanted = units(ROOT, "--workspace")
    listed = {}
    for round in range(8):
        found = units(EXAMPLE, "--features", "shared-build") if round else units(EXAMPLE)
        missing = {key: wanted[key] for key in found if key in wanted and wanted[key] - found[key]}
        for key in found.keys() - wanted.keys():
            print("only in the example:", *key)
        for key in sorted(found.keys() & wanted.keys()):
            if found[key] - wanted[key]:
                print("more features in the example:", *key, sorted(found[key] - wanted[key]))
        if not missing:
            print("nothing is missing" if round else "nothing to do")
            return
        listed.update(missing)
        write(listed)
    print("still missing:", missing)


def write(listed):
    text = HEAD
    for on_host, table in ((False, "dependencies"), (True, "build-dependencies")):
        text += f"\n[{table}]\n"
        for (package, host), features in sorted(listed.items()):
            if host == on_host:
                name, version = package.rsplit("@", 1)
                key = f"{name}-{version.replace('.', '-').replace('+', '-')}"
                names = ", ".join(f'"{feature}"' for feature in sorted(features))
                text += f'{key} = {{ package = "{name}", version = "={version.split("+")[0]}", default-features = false, features = [{names}] }}\n'
    (HERE / "Cargo.toml").write_text(text)


if __name__ == "__main__":
    main()
