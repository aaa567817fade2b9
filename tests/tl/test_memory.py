"""Memory is asked for before work starts, with all that is worked on, and not taken twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from scanpy_anim import _memory
from scanpy_anim.tl import _limit_direct, _peak, propagate
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._peak import Peak, require_room


def _ring(n_obs: int) -> sparse.csr_array:
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(n_obs), 10)
    columns = (rows + random.integers(1, 200, len(rows))) % n_obs
    graph = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), (n_obs, n_obs))
    return sparse.csr_array(graph + graph.T).astype(np.float32)


def _system(root: Path, files: dict[str, object]) -> Path:
    """A made-up file system with 8 GB available."""
    for name, text in {"proc/meminfo": "MemAvailable: 8000000 kB\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_free_memory_is_known_here() -> None:
    free = _memory.free_bytes()
    assert free is not None
    assert 1e6 < free < 1e15


V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"
SLURM = "slurm/uid_1000/job_7/step_0"
GROUPS: dict[str, tuple[dict[str, object], int]] = {
    "no groups": ({}, 8_192_000_000),
    "version 2": (
        {
            "proc/self/cgroup": "0::/",
            f"{V2}/memory.max": 3_000_000_000,
            f"{V2}/memory.current": 2_500_000_000,
            f"{V2}/memory.stat": "anon 5\ninactive_file 400000000\nactive_file 100000000",
        },
        1_000_000_000,
    ),
    "version 2, no limit": (
        {
            "proc/self/cgroup": "0::/user.slice",
            f"{V2}/user.slice/memory.max": "max",
            f"{V2}/user.slice/memory.current": 5,
        },
        8_192_000_000,
    ),
    "version 2, a group around it": (
        {
            "proc/self/cgroup": "0::/system.slice/job.scope/inner",
            f"{V2}/system.slice/job.scope/memory.max": 2_000_000_000,
            f"{V2}/system.slice/job.scope/memory.current": 500_000_000,
            f"{V2}/system.slice/job.scope/memory.stat": "inactive_file 0",
            f"{V2}/system.slice/job.scope/inner/memory.max": "max",
        },
        1_500_000_000,
    ),
    "version 1": (
        {
            "proc/self/cgroup": f"9:cpu:/x\n4:memory:/{SLURM}\n0::/",
            f"{V1}/{SLURM}/memory.limit_in_bytes": 4_000_000_000,
            f"{V1}/{SLURM}/memory.usage_in_bytes": 1_000_000_000,
            f"{V1}/{SLURM}/memory.stat": "cache 7\ntotal_inactive_file 50000000",
            f"{V1}/memory.limit_in_bytes": 2**63 - 4096,
            f"{V1}/memory.usage_in_bytes": 5,
        },
        3_050_000_000,
    ),
    "version 1, a group around it": (
        {
            "proc/self/cgroup": f"4:blkio,memory:/{SLURM}",
            f"{V1}/{SLURM}/memory.limit_in_bytes": 2**63 - 4096,
            f"{V1}/slurm/uid_1000/job_7/memory.limit_in_bytes": 900_000_000,
            f"{V1}/slurm/uid_1000/job_7/memory.usage_in_bytes": 100_000_000,
            f"{V1}/slurm/uid_1000/job_7/memory.stat": "total_inactive_file 0",
        },
        800_000_000,
    ),
    "a container's own view": (
        {
            "proc/self/cgroup": "4:memory:/docker/0123456789ab",
            f"{V1}/memory.limit_in_bytes": 700_000_000,
            f"{V1}/memory.usage_in_bytes": 100_000_000,
            f"{V1}/memory.stat": "total_inactive_file 0",
        },
        600_000_000,
    ),
    "more used than allowed": (
        {
            "proc/self/cgroup": "0::/../..",
            f"{V2}/memory.max": 3_000,
            f"{V2}/memory.current": 4_000,
            f"{V2}/memory.stat": "",
        },
        0,
    ),
    "files that say nothing": (
        {"proc/self/cgroup": "0::/", f"{V2}/memory.max": "", f"{V2}/memory.current": "many"},
        8_192_000_000,
    ),
}


@pytest.mark.parametrize(("files", "free"), GROUPS.values(), ids=GROUPS)
def test_groups_of_every_kind_are_asked(
    tmp_path: Path, files: dict[str, object], free: int
) -> None:
    assert _memory.free_bytes(_system(tmp_path, files)) == free


@pytest.mark.parametrize("option", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_limits_of_the_shell_are_asked(option: str) -> None:
    script = (
        "import resource, numpy as np\n"
        "from scipy import sparse; from scanpy_anim import _memory; from scanpy_anim.tl import *\n"
        "graph = sparse.eye_array(1000, k=1, format='csr') + sparse.eye_array(1000, k=-1)\n"
        "propagate(graph, np.eye(1000)[0], max_iter=2)\n"
        "used = [int(x) * 4096 for x in open('/proc/self/statm').read().split()]\n"
        f"used = used[{0 if option == 'RLIMIT_AS' else 5}]\n"
        f"resource.setrlimit(resource.{option}, (used + 200_000_000, -1))\n"
        "print(_memory.free_bytes())\n"
        "try: propagate(graph, np.eye(1000)[0], tol=0, max_iter=10**5)\n"
        "except MemoryError as error: print(error)\n"
    )
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr[-600:]
    free, _, said = out.stdout.partition("\n")
    assert 150_000_000 < int(free) <= 200_000_000
    assert "the history would take 400 MB (100002 columns of 4 kB)" in said


def test_a_history_that_does_not_fit_is_refused_before_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = _ring(1000)
    monkeypatch.setattr(_peak, "free_bytes", lambda: 100_000)
    message = r"404 kB \(101 columns of 4 kB\) and working on it .*, but 100 kB are free"
    with pytest.raises(MemoryError, match=message):
        propagate(graph, np.eye(1000)[0], tol=0, max_iter=100, limit=False)
    monkeypatch.setattr(_peak, "free_bytes", lambda: 5000)
    with pytest.raises(MemoryError, match="history='labels'"):
        propagate(graph, np.eye(1000)[0])


def test_what_is_worked_on_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, signal = _ring(1000), np.eye(1000)[:, :10]
    need = Peak.of(1000, graph.nnz, 10, Options.checked(method="direct"))
    assert need.work > 4 * need.column
    monkeypatch.setattr(_peak, "free_bytes", lambda: int(0.8 * (2 * need.column + need.work)))
    with pytest.raises(MemoryError, match=r"2 columns of 40 kB\) and working on it"):
        propagate(graph, signal, method="direct")
    monkeypatch.setattr(_peak, "free_bytes", lambda: int(1.2 * (2 * need.column + need.work)))
    propagate(graph, signal, method="direct")


def test_very_many_classes_are_refused_before_their_signal_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_peak, "free_bytes", lambda: 10**9)
    with pytest.raises(MemoryError, match=r"40000 seed cells of 40000 classes take 6\.4 GB"):
        require_room(40_000, 40_000)
    require_room(40_000, 100)


def test_a_way_of_unknown_length_ends_where_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = _ring(1000)
    signal = np.eye(1000)[0]
    need = Peak.of(1000, graph.nnz, 1, Options.checked())
    monkeypatch.setattr(_peak, "free_bytes", lambda: int((11.5 * need.column + need.work) / 0.9))
    outcome = propagate(graph, signal, tol=1e-30, max_iter=100)
    assert outcome.cut_short
    assert not outcome.converged
    assert outcome.history.shape[1] == 11
    assert outcome.limit is not None
    assert not propagate(graph, signal, tol=0.1, max_iter=100).cut_short


@pytest.mark.parametrize(("n_classes", "n_iter"), [(1, 18), (6, 18)])
def test_the_history_is_not_taken_twice(n_classes: int, n_iter: int) -> None:
    n_obs = 60_000
    graph = _ring(n_obs)
    signal = sparse.csr_array(np.eye(n_obs, n_classes)[:n_classes])
    signal.resize(n_obs, n_classes)
    how = {"tol": 0, "max_iter": n_iter, "limit": False}
    for _ in range(2):
        # what is compiled or read from a cache for the first time counts too
        propagate(graph, signal, **how)
    tracemalloc.start()
    outcome = propagate(graph, signal, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    allowed = outcome.history.nbytes + (3 * n_classes + 2) * 4 * n_obs
    # twice would be 1.8 times this; what else a machine's Python allocates meanwhile is far less
    assert peak < 1.4 * allowed


# process of its own: its peak is the system's word, `VmHWM` since it was last cleared
MEASURE = """
import json, sys
import numpy as np
from scipy import sparse
from scanpy_anim.tl import propagate
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._peak import Peak

def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def cells(n_obs, n_classes):
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(n_obs), 12)
    columns = (rows + random.integers(1, n_obs // 50, len(rows))) % n_obs
    weights = np.ones(len(rows), np.float32)
    graph = sparse.csr_array((weights, (rows, columns)), (n_obs, n_obs))
    graph = sparse.csr_array(graph + graph.T).astype(np.float32)
    seeds = random.choice(n_obs, 10 * n_classes, replace=False)
    which = np.arange(10 * n_classes) % n_classes
    signal = sparse.csr_array((np.ones(len(seeds)), (seeds, which)), (n_obs, n_classes))
    return graph, signal

for n_obs, n_classes, how in json.loads(sys.argv[1]):
    # compiled functions and threads are there from now on
    propagate(*cells(20_000, n_classes), **how)
    graph, signal = cells(n_obs, n_classes)
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    outcome = propagate(graph, signal, **how)
    peak = status("VmHWM") - before
    need = Peak.of(n_obs, graph.nnz, n_classes, Options.checked(**how))
    print(json.dumps([need.column * outcome.history.shape[1] + need.work, peak]))
    del outcome, graph, signal
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
def test_the_peak_is_foreseen_within_15_percent() -> None:
    cases = [
        [200_000, 1, {"tol": 0, "max_iter": 30, "limit": False}],
        [120_000, 12, {"tol": 0, "max_iter": 10, "limit": False}],
        [120_000, 12, {"tol": 0, "max_iter": 10}],
        [60_000, 30, {"method": "direct"}],
        [120_000, 12, {"method": "direct", "clamp": "hard"}],
        [120_000, 12, {"tol": 0, "max_iter": 5, "history": "labels"}],
    ]
    # blocks of memory go back at once, or an earlier case's would be taken for free
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, json.dumps(cases)]
    for _ in range(3):  # what compiles leaves memory behind: a later run has it compiled
        out = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert out.returncode == 0, out.stderr[-600:]
        told = [json.loads(line) for line in out.stdout.splitlines()]
        ratios = {str(case): need / peak for case, (need, peak) in zip(cases, told, strict=True)}
        off = {case: ratio for case, ratio in ratios.items() if not 0.85 < ratio < 1.15}
        if not off:
            return
    pytest.fail(f"foreseen over taken: {off}")


# elimination is measured by itself: what it takes depends on the pattern of the graph
ELIMINATE = """
import json, sys
import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree
from scanpy_anim.tl import _limit_direct

def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def cells(kind, n_obs):
    random = np.random.default_rng(0)
    if kind == "tissue":
        side = int(n_obs**0.5)
        line = sparse.diags_array([np.ones(side - 1)] * 2, offsets=[1, -1])
        here = sparse.eye_array(side)
        return sparse.kron(here, line) + sparse.kron(line, here) + sparse.kron(line, line)
    length = {"sheet": 1, "trajectory": 200}[kind]
    where = random.random((n_obs, 2 if kind == "sheet" else 3))
    where[:, 0] *= length
    _, found = cKDTree(where).query(where, k=11)
    rows = np.repeat(np.arange(n_obs), 10)
    graph = sparse.csr_array((np.ones(len(rows)), (rows, found[:, 1:].ravel())), (n_obs, n_obs))
    return graph + graph.T

for kind, n_obs in json.loads(sys.argv[1]):
    graph = sparse.csr_array(cells(kind, n_obs))
    n_obs = graph.shape[0]
    inverse = 0.99 / np.asarray(graph.sum(axis=1)).ravel()
    step = sparse.diags_array(inverse) @ graph
    matrix = sparse.csc_array(sparse.eye_array(n_obs) - step)
    del graph, step
    need = _limit_direct._foreseen_bytes(matrix) - 12 * matrix.nnz
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    factors = _limit_direct.splu(matrix, **_limit_direct._ORDERLY)
    print(json.dumps([need, status("VmHWM") - before]))
    del factors, matrix
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
def test_what_elimination_takes_is_foreseen_within_15_percent() -> None:
    cases = [["tissue", 40_000], ["sheet", 40_000], ["trajectory", 30_000]]
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ELIMINATE, json.dumps(cases)],
        capture_output=True,
        text=True,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
        check=False,
    )
    assert out.returncode == 0, out.stderr[-600:]
    told = [json.loads(line) for line in out.stdout.splitlines()]
    ratios = {case[0]: need / peak for case, (need, peak) in zip(cases, told, strict=True)}
    assert len(ratios) == len(cases)
    assert not {case: ratio for case, ratio in ratios.items() if not 0.85 < ratio < 1.15}, ratios


def test_where_elimination_does_not_fit_the_limit_is_iterated_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = sparse.csr_array(sparse.diags_array([np.ones(2999)] * 2, offsets=[1, -1]))
    signal = np.eye(3000)[:, [0, 1500]]
    how = {"alpha": 0.9, "method": "direct"}
    eliminated = propagate(path, signal, **how)
    assert eliminated.limit_iterations == 1
    monkeypatch.setattr(_limit_direct, "free_bytes", lambda: 100_000)
    iterated = propagate(path, signal, **how)
    assert iterated.limit_iterations > 1
    np.testing.assert_allclose(iterated.limit, eliminated.limit, rtol=1e-3)
