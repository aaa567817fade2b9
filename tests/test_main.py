"""The main job, as a stranger runs it."""

from __future__ import annotations

import os
import subprocess
import sys

from scanpy_anim.__main__ import main, notebook


def test_the_main_job(tmp_path, capsys):
    assert main([str(tmp_path / "films")]) == 0
    files = {f.name: f.read_bytes() for f in (tmp_path / "films").iterdir()}
    films = {f"label_propagation.{s}" for s in ("gif", "mp4", "html")}
    assert set(files) == films | {"label_propagation_explore.html"}
    assert b'data-part="end"' in files["label_propagation_explore.html"]
    assert files["label_propagation.gif"].startswith(b"GIF89a")
    assert b"ftyp" in files["label_propagation.mp4"][:12]
    said = capsys.readouterr().out
    assert notebook() in said
    for name in files:
        assert str(tmp_path / "films" / name) in said


def test_what_is_shown_makes_the_same_film():
    *lines, last = notebook().splitlines()
    names: dict = {}
    exec("\n".join(lines), names)
    film = eval(last, names)
    assert len(film) > 10
    assert "700 cells" in repr(names["page"])
    assert set(names["adata"].obsm) >= {"label_propagation", "types"}


def test_nothing_is_replaced_without_being_asked(tmp_path, capsys):
    (tmp_path / "label_propagation.mp4").write_text("mine")
    assert main([str(tmp_path)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert [f.read_text() for f in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file")]) == 1
    assert "is a file" in capsys.readouterr().err
    assert main([str(tmp_path / "no" / "such")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_a_folder_without_write_permission(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may everywhere
    assert main([str(tmp_path)]) == 1
    assert f"may not write into {str(tmp_path)!r}" in capsys.readouterr().err
    assert main([str(tmp_path / "new")]) == 1
    assert f"may not write into {str(tmp_path)!r}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_help_names_the_module():
    done = subprocess.run(
        [sys.executable, "-m", "scanpy_anim", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: python -m scanpy_anim")
    assert "--overwrite" in done.stdout


def test_import_loads_nothing_heavy():
    """What is compiled for other formats (PyAV, plugins of Pillow) comes when it is needed."""
    code = "import scanpy, sys; before = set(sys.modules); import scanpy_anim; "
    code += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if not name.startswith("scanpy_anim")}
    assert loaded <= {
        "PIL.features",
        "celluloid",
        "difflib",
        "matplotlib._animation_data",
        "matplotlib.animation",
        "matplotlib.backends._backend_agg",
        "matplotlib.backends.backend_agg",
    }
