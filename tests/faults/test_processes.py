"""Processes that are killed, interrupted, out of disk, or two at once; memory; processors."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scanpy_anim.video import FORMATS, Film, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
KILLS = int(os.environ.get("FAULT_KILLS", "4"))  # of each format


def test_killed_at_any_moment(prepared: Callable[..., dict]) -> None:
    """The file is the old one or the new one, whole; what a killed process leaves has a dot."""
    report = prepared(
        """
        rng = np.random.default_rng(0)
        report = {}
        for suffix in FORMATS:
            path = FOLDER / f"film{suffix}"
            film = film_of(40)
            begun = time.perf_counter()
            assert ended(in_child(lambda: write(film, path)))[0] == 0
            lasts = time.perf_counter() - begun
            new = path.read_bytes()
            seen = []
            for kill in range(KILLS):
                path.write_bytes(b"old")
                child = in_child(lambda: write(film, path))
                time.sleep(lasts * rng.random())
                os.kill(child, signal.SIGKILL)
                code, _ = ended(child)
                content = path.read_bytes()
                seen.append("old" if content == b"old" else "new" if content == new else "broken")
            left = [p.name for p in FOLDER.iterdir() if p.name != path.name]
            assert all(n.startswith(".film.") and ".part" in n for n in left), left
            for name in left:
                (FOLDER / name).unlink()
            path.unlink()
            report[suffix] = seen
        print(json.dumps(report))
        """,
        KILLS=KILLS,
    )
    assert set(report) == set(FORMATS)
    assert all(seen in ("old", "new") for kinds in report.values() for seen in kinds), report


def test_ctrl_c_at_any_moment(prepared: Callable[..., dict]) -> None:
    report = prepared(
        """
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
        rng = np.random.default_rng(1)
        report = {}
        loaded = FOLDER.with_name(f"{FOLDER.name}-loaded")
        loaded.mkdir()
        for suffix in FORMATS:
            path = FOLDER / f"film{suffix}"
            path.write_bytes(b"old")

            def work():
                # while a kernel is loaded, llvmlite's callbacks print an interrupt and lose it
                write(film_of(2), loaded / f"film{suffix}")
                write(film_of(100_000), path)

            child = in_child(work)
            while not (loaded / f"film{suffix}").exists():
                time.sleep(0.01)
            time.sleep(0.1 + 0.3 * rng.random())
            os.kill(child, signal.SIGINT)
            code = ended_within(child, 60)
            if code is None:
                os.kill(child, signal.SIGKILL)
                ended(child)
            report[suffix] = [code, path.read_bytes() == b"old", len(list(FOLDER.iterdir()))]
            path.unlink()
        print(json.dumps(report))
        """
    )
    assert report == {suffix: [1, True, 1] for suffix in FORMATS}


def test_ctrl_c_while_the_encoders_are_imported() -> None:
    """Pressed in a callback of Python's import locks, where an exception is printed and lost."""
    script = """if True:
        import os, signal, sys
        from scanpy_anim.video import FORMATS

        signal.signal(signal.SIGINT, signal.default_int_handler)
        assert "av" not in sys.modules
        pressed = []

        def press(frame, event, arg):
            if frame.f_code.co_name == "cb" and "importlib" in frame.f_code.co_filename:
                if not pressed:
                    pressed.append(frame)
                    os.kill(os.getpid(), signal.SIGINT)

        sys.settrace(press)
        try:
            FORMATS[".mov"].missing()
        except KeyboardInterrupt:
            print("heard", len(pressed), "av" in sys.modules)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("heard 1 True\n", "")


def test_a_full_disk(prepared: Callable[..., dict]) -> None:
    """A limit on the size of files stands in for a disk that fills up at that point."""
    report = prepared(
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        noise = np.random.default_rng(0).integers(0, 256, (20, 96, 96, 3), dtype=np.uint8)
        film = Film(lambda scale: iter(noise), [0.2] * 20)

        def write_within(path, most):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            try:
                write(film, path)
            except OSError as error:
                os._exit(error.errno)

        report = {}
        for suffix in FORMATS:
            path = FOLDER / f"film{suffix}"
            for most in (1, 4_000, 20_000):
                path.write_bytes(b"old")
                code, _ = ended(in_child(lambda: write_within(path, most)))
                whole = path.read_bytes() == b"old" and len(list(FOLDER.iterdir())) == 1
                report[f"{suffix} {most}"] = [code, whole]
            path.unlink()
        print(json.dumps(report))
        """
    )
    assert set(map(tuple, report.values())) == {(errno.EFBIG, True)}, report


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    command = [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if None in (mount, unmount) or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run([unmount, str(folder)], check=True)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_system_that_is_full(small_disk: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 96, 96, 3), dtype=np.uint8)
    path = small_disk / f"film{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left") as raised:
        write(Film(lambda scale: iter(noise), [0.2] * 30), path, quality=100)
    assert raised.value.errno == errno.ENOSPC
    assert path.name in " ".join([str(raised.value), *raised.value.__notes__])
    assert path.read_bytes() == b"old"
    assert len(list(small_disk.iterdir())) == 1


def test_two_writers_of_one_file(prepared: Callable[..., dict]) -> None:
    """Each writes a file of its own, and the last to finish has its name."""
    report = prepared(
        """
        report = {}
        for suffix in FORMATS:
            path, contents = FOLDER / f"film{suffix}", []
            films = film_of(20, seed=0), film_of(20, seed=1)
            for film in films:
                assert ended(in_child(lambda: write(film, path)))[0] == 0
                contents.append(path.read_bytes())
            children = [in_child(lambda: write(film, path)) for film in films]
            codes = [ended(child)[0] for child in children]
            report[suffix] = [codes, path.read_bytes() in contents, len(list(FOLDER.iterdir()))]
            assert contents[0] != contents[1]
            path.unlink()
        print(json.dumps(report))
        """
    )
    assert report == {suffix: [[0, 0], True, 1] for suffix in FORMATS}


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two processors, and a system that lets them be chosen",
)
def test_bytes_do_not_depend_on_processors(prepared: Callable[..., dict]) -> None:
    report = prepared(
        """
        report, all_of_them = {}, sorted(os.sched_getaffinity(0))
        for suffix in FORMATS:
            contents = set()
            for processors in (all_of_them[:1], all_of_them[:2], all_of_them):
                path = FOLDER / f"film{suffix}"
                def work():
                    os.sched_setaffinity(0, processors)
                    write(film_of(24, side=640), path)
                assert ended(in_child(work))[0] == 0
                contents.add(path.read_bytes())
            report[suffix] = len(contents)
        print(json.dumps(report))
        """
    )
    assert report == dict.fromkeys(FORMATS, 1)


def test_memory_does_not_grow_with_frames(prepared: Callable[..., dict]) -> None:
    """2,000 frames against 100: what is kept of each is its bytes in the file, at most."""
    report = prepared(
        """
        report = {}
        write(film_of(2), FOLDER / "warm.gif")
        for suffix in FORMATS:
            path, peaks = FOLDER / f"film{suffix}", []
            for n_frames in (100, 2000):
                code, peak = ended(in_child(lambda: write(film_of(n_frames), path)))
                assert code == 0
                peaks.append(peak)
            report[suffix] = [peaks[1] - peaks[0], path.stat().st_size]
        print(json.dumps(report))
        """
    )
    for suffix, (growth, size) in report.items():
        all_frames = 2000 * 64 * 64 * 3
        assert growth < 4 * size + 6e6 < all_frames, (suffix, growth, size)


def test_a_hundred_films_in_one_process(prepared: Callable[..., dict]) -> None:
    """Neither memory, nor open files, nor figures are left behind."""
    report = prepared(
        """
        import gc, warnings
        import matplotlib.pyplot as plt
        import scanpy as sc
        import scanpy_anim as sca

        sc.settings.verbosity = 0
        adata = sc.datasets.pbmc68k_reduced()[::10].copy()
        adata.obsm["s"] = np.random.default_rng(0).random((adata.n_obs, 3))

        def resident():
            gc.collect()
            return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

        def open_files():
            return len(os.listdir("/proc/self/fd"))

        seen = []
        for number in range(100):
            suffix = list(FORMATS)[number % len(FORMATS)]
            film = sca.pl.animate_embedding(adata, color="s")
            film.save(FOLDER / f"film{suffix}", dpi=30)
            if number in (39, 99):
                seen.append([resident(), open_files(), len(plt.get_fignums())])
        print(json.dumps({"seen": seen}))
        """
    )
    (early, files_then, figures_then), (late, files_now, figures_now) = report["seen"]
    assert late - early < 30e6
    assert files_now == files_then
    assert figures_now == figures_then == 0


STARTED = '''
import hashlib, multiprocessing, sys, warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

warnings.simplefilter("ignore")
import joblib
import matplotlib
import numpy as np
import scanpy as sc
import scanpy_anim as sca

matplotlib.use("agg")
FOLDER = Path(__file__).parent
# read once: several threads that read HDF5 at once may crash h5py
CELLS = sc.datasets.pbmc68k_reduced()


def work(name):
    """Propagate, make a film of it, save it; return what tells files and scores apart."""
    sc.settings.verbosity = 0
    adata = CELLS.copy()
    sca.tl.label_propagation(adata, "bulk_labels", alpha=0.9, max_iter=3)
    film = sca.pl.animate_embedding(adata, frames=[0, -1])
    paths = [FOLDER / f"{name}{suffix}" for suffix in (".gif", ".mp4")]
    for path in paths:
        film.save(path, dpi=30)
    said = b"".join(path.read_bytes() for path in paths)
    return hashlib.sha256(said + adata.obsm["label_propagation"].tobytes()).hexdigest()


if __name__ == "__main__":
    found = {"here": work("here")}
    for way in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(way).Pool(1) as pool:
            (found[way],) = pool.map(work, [way])
    (found["loky"],) = joblib.Parallel(n_jobs=2)([joblib.delayed(work)("loky")])
    with ThreadPoolExecutor(4) as threads:
        found |= dict(enumerate(threads.map(work, map(str, range(4)))))
    print(len(found), len(set(found.values())))
'''


def test_however_processes_and_threads_are_started(tmp_path: Path) -> None:
    """Forked after work, spawned, by joblib, four threads at once: the same bytes."""
    (script := tmp_path / "script.py").write_text(STARTED)
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found, different = map(int, done.stdout.split())
    assert (found >= 7, different) == (True, 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peak")
def test_a_history_is_not_copied_by_its_film(prepared: Callable[..., dict]) -> None:
    """A save takes the same however large the scores are that it shows."""
    report = prepared(
        """
        import warnings
        import scanpy as sc
        import scanpy_anim as sca

        warnings.simplefilter("ignore")
        sc.settings.verbosity = 0
        adata = sc.datasets.pbmc68k_reduced()

        def saved(n_columns):
            rows = np.random.default_rng(0).random((adata.n_obs, n_columns), np.float32)
            adata.obsm["scores"] = rows  # where it is, each frame is a column
            film = sca.pl.animate_embedding(
                adata, color="scores", scale="linear", vmin=0, vmax=1, frames=[0, 1, -1]
            )
            film.save(FOLDER / "film.gif", dpi=20)

        peaks = []
        for n_columns in (10, 100_000):  # 28 kB and 280 MB
            saved(10)
            peaks.append(ended(in_child(lambda: saved(n_columns)))[1])
        print(json.dumps(peaks))
        """
    )
    few, many = report
    scores = 700 * 100_000 * 4
    # while they are made they are there once, and once more for the film nowhere
    assert many - few < 1.35 * scores
