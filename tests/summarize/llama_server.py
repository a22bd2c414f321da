"""The llama.cpp server as a program: `llama_server.py WEIGHTS CONTEXT_TOKENS`.

Prints its address and serves until stdin ends.
"""

from __future__ import annotations

import sys

import xllamacpp


def main(weights: str, context_tokens: int) -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {"smollm2-135m"}
    parameters.n_ctx = context_tokens
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.port = 0
    parameters.ui = False
    parameters.cpuparams.n_threads = 2
    parameters.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
