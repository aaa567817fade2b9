"""What can go wrong around the package: everything here is marked `faults`."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PREPARED = """
import json, os, resource, signal, sys, time
from pathlib import Path
import numpy as np
from scanpy_anim.video import FORMATS, Film, write

def film_of(n_frames, side=64, seed=0):
    def render(scale):
        size = max(1, round(side * scale))
        rng = np.random.default_rng(seed)
        for number in range(n_frames):
            frame = np.full((size, size, 3), 255, np.uint8)
            frame[:8, : number % size + 1] = 40
            frame[16:32, 16:32] = rng.integers(0, 256, 3, dtype=np.uint8)
            yield frame
    return Film(render, [0.2] * n_frames, titles=[str(n) for n in range(n_frames)])

def in_child(work):
    '''Run something in a process of its own, forked while there is one thread.'''
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)

def ended(child):
    '''Wait for a process; return its exit code (or minus the signal) and its peak memory.'''
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024

def ended_within(child, seconds):
    '''Wait for a process so long; its exit code, or None while it goes on.'''
    for _ in range(50 * seconds):  # a clock goes on where both processes are paused
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker("faults")


@pytest.fixture
def prepared(tmp_path: Path):
    """Run a script that has a film to write and processes to kill; return what it reports."""

    def run(script: str, **names: object) -> dict:
        given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
        code = PREPARED + f"FOLDER = Path({str(tmp_path)!r})\n" + given + textwrap.dedent(script)
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run
