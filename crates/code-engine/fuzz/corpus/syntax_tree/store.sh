#!/bin/bash
. ./lib.sh
# TODO
store_get() {
  local a=$1
  for one in "$@"; do
    if [[ -n $one && $a -gt 0 ]] || check "$one"; then continue; elif ! run "$(cat <<EOT
x $one
EOT
)"; then return 1; fi
  done
  case "$a" in x|y) echo "${a:-b}" ;; *) exit 1 ;; esac
}
