"""llama.cpp's own server, from the prebuilt wheel of xllamacpp: `llama.py WEIGHTS ALIAS PORT`."""

import signal
import sys

import xllamacpp

weights, alias, port = sys.argv[1:]
options = xllamacpp.CommonParams()
options.model.path = weights
options.model_alias = {alias} if isinstance(options.model_alias, (set, frozenset)) else alias
options.hostnames = ["127.0.0.1"]
options.port = int(port)
options.n_ctx = 4096
server = xllamacpp.Server(options)
print(server.listening_address, flush=True)
signal.pause()
