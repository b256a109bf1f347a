//! Shell scripts: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const DEPLOY: &str = r##"#!/usr/bin/env bash
# Deploys the thing.
set -euo pipefail

source "./lib/log.sh"
. "$HERE/env"

readonly MAX_TRIES=3
declare -rx region=eu
TARGET=${1:-prod}

# Says how it is used.
# TODO: list targets
usage() {
  cat <<EOF
usage: $0 [target]  # no comment
  if this && that
$(version_line)
EOF
}

# shellcheck disable=SC2034
function _build {
  local name="$1" out
  if [[ -z $name || $name == "-" ]] && ! have make; then
    log_error "no make"
    return 1
  elif [ "$TARGET" = prod ]; then
    out=$(compile "$name" | tee "$LOG_FILE")
  else
    for ((i = 0; i < MAX_TRIES; i++)); do
      try_once "$i" && break
    done
  fi
}

deploy()
(
  cd "$1" || exit 1
  while read -r host; do
    for port in 80 443; do
      case "$host:$port" in
        localhost:*) continue 2 ;;
        *.internal | *.local)
          (( port > 100 && region )) && push_to "$host" retry_later
          ;;
        *) push_to "$host" ;;
      esac
    done
  done < <(list_hosts)
  until ping -c1 "$host"; do sleep 1; done
  echo $(( i > 0 ? i : 1 ))
)

cleanup() { rm -rf "$TMP"; }
trap cleanup EXIT

if [ $# -gt 0 ]; then
  deploy "$@"
else
  if true; then usage; fi
fi
"##;

#[test]
fn a_file_of_bash() {
    let facts = analyse("bin/deploy.sh", DEPLOY);
    // _build: 1 + if + || + && + elif + for + && = 7;
    //   cognitive: if 1, runs 2, elif 1, else 1, for 2, run 1 = 8; nesting: if, for.
    // deploy: 1 + || + while + for + two items + && + && + until + ?: = 10;
    //   cognitive: run 1, while 1, for 2, case 3, `continue 2` 1, runs 2, until 1, ?: 1 = 12; nesting: while, for,
    //   case.
    assert_eq!(
        definitions(&facts),
        [
            "constant MAX_TRIES 8-8 e",
            "constant region 9-9 e",
            "function usage 14-20 de 1/0/0/0/7",
            "function _build 23-35 7/8/2/0/13",
            "function deploy 37-53 e 10/12/3/0/17",
            "function cleanup 55-55 e 1/0/0/0/1",
        ]
    );
    assert_eq!(imports(&facts), ["./lib/log.sh 5", "$HERE/env 6"]);
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            "cat 15",
            "compile 29",
            "deploy 59",
            "have 25",
            "list_hosts 50",
            "log_error 26",
            "ping 51",
            "push_to 45 47",
            "rm 55",
            "sleep 51",
            "tee 29",
            "try_once 32",
            "usage 61",
            "version_line 18",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            "EXIT 56",
            "HERE 6",
            "LOG_FILE 29",
            "MAX_TRIES 31",
            "TARGET 28",
            "TMP 55",
            "cleanup 56",
            "region 45",
            "retry_later 45",
        ]
    );
    assert_eq!(facts.todos, [13]);
    assert_eq!(lines(&facts), (50, 5, 7));
}

const BATS: &str = r#"#!/usr/bin/env bats
load test_helper

setup() {
  DIR=$(mktemp -d)
}

@test "adds" {
  run add 1 2
  [ "$output" = 3 ]
}

@test "refuses ${letters}" { run add a; [ "$status" -ne 0 ]; }

helper() { echo; }
"#;

#[test]
fn tests_of_bats() {
    let facts = analyse("test/add.bats", BATS);
    assert_eq!(facts.tests, [8, 13]);
    assert_eq!(
        definitions(&facts),
        [
            "function setup 4-6 e! 1/0/0/0/3",
            "function helper 15-15 e 1/0/0/0/1",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        ["a* 13", "add* 9 13"]
    );
}

#[test]
fn fish_has_no_parser_here() {
    let facts = analyse("config.fish", "# says\nfunction hi\n  echo hi\nend\n");
    assert_eq!(Language::detect("config.fish"), Some(Language::Fish));
    assert_eq!((facts.definitions.len(), lines(&facts)), (0, (3, 1, 0)));
}
