"""An app as a user starts it: in a process of its own, on a free port of this machine."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
APP = (str(ROOT / "app.py"), "--model", str(ROOT / "weights" / "storybook"))
REAL = (*APP, "--ephemeral")
SCRIPTED = (str(HERE / "scripted_app.py"),)
START_SECONDS = 300


@contextmanager
def running(command: tuple[str, ...]) -> Iterator[str]:
    """The address of `command` once it answers; it ends with the context."""
    with started(command, free_port()) as (_, address):
        yield address


@contextmanager
def started(command: tuple[str, ...], port: int) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """The process of `command` and its address once it answers; it ends with the context, if not before."""
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(
        [sys.executable, *command, "--port", str(port)], cwd=ROOT, env=environment
    ) as process:
        try:
            yield process, wait_for(f"http://127.0.0.1:{port}/", process)
        finally:
            process.terminate()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}gradio_api/app_id", timeout=5).close()
            return address
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"the app did not start: exit status {process.poll()}")
