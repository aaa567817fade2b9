"""Films saved and shown, decoded by another program than the one that wrote them."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import av
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import scanpy_anim as sca


@pytest.fixture(scope="module")
def film(_propagated):
    return sca.pl.animate_embedding(_propagated, fps=5, hold=1)


@pytest.fixture(scope="module")
def frames(film):
    return list(film.frames(dpi=50))


def decoded_by_pyav(path) -> tuple[list[np.ndarray], float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(stream)]
        seconds = float(container.duration / av.time_base)
    return pictures, seconds


def decoded_by_pillow(path) -> tuple[list[np.ndarray], list[int]]:
    with Image.open(path) as picture:
        pictures, durations = [], []
        for i in range(picture.n_frames):
            picture.seek(i)
            pictures.append(np.asarray(picture.convert("RGB")))
            durations.append(picture.info["duration"])
    return pictures, durations


def test_mp4_is_what_players_expect(film, frames, tmp_path):
    path = tmp_path / "film.mp4"
    film.save(path, dpi=50)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.width % 2 == stream.height % 2 == 0
    pictures, seconds = decoded_by_pyav(path)
    assert len(pictures) == len(film)
    assert seconds == pytest.approx(film.timeline.seconds().sum(), abs=0.25)
    for picture, frame in zip(pictures, frames, strict=True):
        inside = picture[: frame.shape[0], : frame.shape[1]].astype(int)
        assert np.abs(inside - frame).mean() < 3


def test_gif_shows_the_colors_of_the_frames(film, frames, tmp_path):
    path = tmp_path / "film.gif"
    film.save(path, dpi=50)
    pictures, durations = decoded_by_pillow(path)
    assert durations == [200] * (len(film) - 1) + [1000]
    for picture, frame in zip(pictures, frames, strict=True):
        assert np.abs(picture.astype(int) - frame).mean() < 1.5
    for k in range(len(frames) - 1):  # what does not change does not flicker
        same = (frames[k] == frames[k + 1]).all(axis=-1)
        assert (pictures[k][same] == pictures[k + 1][same]).all()


def test_webp(film, frames, tmp_path):
    path = tmp_path / "film.webp"
    film.save(path, dpi=50)
    pictures, durations = decoded_by_pillow(path)
    assert len(pictures) == len(film)
    assert sum(durations) == pytest.approx(1000 * film.timeline.seconds().sum(), abs=10)
    assert np.abs(pictures[3].astype(int) - frames[3]).mean() < 3


def test_html_is_one_file_that_needs_no_network(film, tmp_path):
    path = tmp_path / "film.html"
    film.save(path, dpi=50)
    page = path.read_text()
    assert "<html" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "iteration 3" in page


def test_apng_loses_nothing(film, frames, tmp_path):
    path = tmp_path / "film.apng"
    film.save(path, dpi=50)
    pictures, _ = decoded_by_pillow(path)
    assert len(pictures) == len(frames)
    for picture, frame in zip(pictures, frames, strict=True):
        np.testing.assert_array_equal(picture, frame)


@pytest.mark.parametrize("suffix", ["webm", "apng", "avif"])
def test_other_formats_are_written(film, tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    film.save(path, dpi=40)
    assert path.stat().st_size > 1000


def test_fps_and_hold_of_the_file_alone(film, tmp_path):
    film.save(tmp_path / "fast.gif", dpi=30, fps=20, hold=0.5)
    _, durations = decoded_by_pillow(tmp_path / "fast.gif")
    assert durations == [50] * (len(film) - 1) + [500]


def test_dpi_is_that_of_savefig(film, tmp_path):
    with mpl.rc_context({"savefig.dpi": 40}):
        film.save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.size[1] == round(40 * film.figure.get_size_inches()[1])


def test_transparent(film, tmp_path):
    film.save(tmp_path / "clear.webp", dpi=50, transparent=True)
    with Image.open(tmp_path / "clear.webp") as picture:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    assert alpha[2, 2] == 0
    assert alpha.max() == 255


def test_matplotlibs_own_way_still_works(film, tmp_path):
    film.save(tmp_path / "own.gif", writer="pillow", dpi=40, fps=5)
    pictures, _ = decoded_by_pillow(tmp_path / "own.gif")
    assert len(pictures) == len(film)
    reference = list(film.frames(dpi=40))
    assert np.abs(pictures[5].astype(int) - reference[5]).mean() < 3


def test_a_file_that_is_there_stays_until_the_new_one_is_complete(film, tmp_path, monkeypatch):
    path = tmp_path / "film.gif"
    path.write_bytes(b"what was there")

    def failing(self, *args):
        raise MemoryError("in the middle of the film")

    with monkeypatch.context() as patch:
        patch.setattr("scanpy_anim.pl._backdrop._Backdrop.frame", failing)
        with pytest.raises(MemoryError):
            film.save(path)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]
    film.save(path, dpi=30)
    assert path.read_bytes()[:3] == b"GIF"


@pytest.mark.parametrize(
    ("name", "extra", "error", "message"),
    [
        ("film.mov2", {}, ValueError, r"suffix.*\.gif"),
        ("film", {}, ValueError, r"suffix"),
        ("no/such/film.gif", {}, FileNotFoundError, "no"),
        ("film.gif", {"fps": 0}, ValueError, "fps"),
        ("film.gif", {"fps": float("nan")}, ValueError, "fps"),
        ("film.gif", {"hold": -1}, ValueError, "hold"),
        ("film.gif", {"hold": 0}, ValueError, "hold"),
        ("film.gif", {"dpi": float("nan")}, ValueError, "dpi=nan"),
        ("film.gif", {"dpi": -5}, ValueError, "dpi=-5: dots per inch, 10 or more"),
        ("film.gif", {"dpi": 2}, ValueError, "dpi=2"),  # matplotlib: a bare RuntimeError
        ("film.gif", {"dpi": "high"}, ValueError, "dpi='high'"),
        ("film.gif", {"codec": "h264"}, TypeError, "codec= is an argument of matplotlib"),
        ("film.gif", {"target": "myspace"}, ValueError, "myspace"),
        ("film.gif", {"max_bytes": "much"}, ValueError, "much"),
        ("film.gif", {"max_bytes": True}, ValueError, "True"),
        ("film.gif", {"max_bytes": ["1MB"]}, ValueError, "1MB"),
        ("film.gif", {"bitrat": 5}, TypeError, "no argument bitrat=.*quality"),
        (
            "film.gif",
            {"writer": "pillow", "hold": 2},
            TypeError,
            "hold= is not known to matplotlib",
        ),
        ("film.mp4", {"writer": "ffmpeg", "quality": 90}, TypeError, "quality= is not known"),
        ("film.mp4", {"writer": "ffmpeg", "max_bytes": "1MB"}, TypeError, "max_bytes= is not"),
    ],
)
def test_bad_saves_fail_before_anything_is_drawn(
    film, tmp_path, monkeypatch, name, extra, error, message
):
    monkeypatch.setattr("scanpy_anim.pl._backdrop._Backdrop", None)  # calling it would fail
    with pytest.raises(error, match=message):
        film.save(tmp_path / name, **extra)
    assert list(tmp_path.iterdir()) == []


def test_it_shows_itself_in_a_notebook(film):
    shown = film._repr_html_()
    assert "<video" in shown
    assert len(shown) < 2_000_000
    with mpl.rc_context({"animation.html": "html5"}):
        assert film._repr_html_().startswith("<video")


def test_html_is_complete_whatever_matplotlibs_limit(film, tmp_path):
    with mpl.rc_context({"animation.embed_limit": 0.001}):
        assert film.to_jshtml().count("iteration") >= len(film) - 1
        video = film.to_html5_video()
    content = base64.b64decode(re.search(r"base64,([^\"]+)", video)[1])
    Path(tmp_path / "video.mp4").write_bytes(content)
    assert len(decoded_by_pyav(tmp_path / "video.mp4")[0]) == len(film)


def test_a_callers_figure_is_not_shown_twice(propagated, monkeypatch):
    figure, ax = plt.subplots()
    film = sca.pl.animate_embedding(propagated, ax=ax)
    assert plt.fignum_exists(figure.number)
    monkeypatch.setattr(mpl, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    film._repr_html_()
    assert not plt.fignum_exists(figure.number)


def test_anyones_animation_can_use_our_encoders(tmp_path):
    from matplotlib.animation import FuncAnimation

    figure, ax = plt.subplots(figsize=(2, 2))
    (line,) = ax.plot([0, 1], [0, 1])
    animation = FuncAnimation(figure, lambda i: line.set_ydata([0, i]), frames=4)
    animation.save(tmp_path / "line.mp4", writer="scanpy_anim", fps=5)
    plt.close(figure)
    pictures, seconds = decoded_by_pyav(tmp_path / "line.mp4")
    assert len(pictures) == 4
    assert seconds == pytest.approx(0.8, abs=0.05)


def test_metadata_says_what_it_is(propagated, tmp_path):
    film = sca.pl.animate_embedding(propagated, color="types", fps=5, cmap=None)
    film.save(tmp_path / "film.mp4", dpi=30)
    with av.open(str(tmp_path / "film.mp4")) as container:
        said = " ".join(container.metadata.values())
    assert "types on umap" in said
    assert "animate_embedding(adata, color='types', fps=5)" in said
    assert f"scanpy-anim {sca.__version__}" in said
    sca.pl.animate_embedding(propagated).save(tmp_path / "film.gif", dpi=30)
    assert b"animate_embedding(adata)\n" in (tmp_path / "film.gif").read_bytes()


def test_metadata_of_ones_own(film, tmp_path):
    film.save(tmp_path / "film.mp4", dpi=30, metadata={"title": "Mine", "artist": "Me", "year": 26})
    with av.open(str(tmp_path / "film.mp4")) as container:
        said = dict(container.metadata)
    assert (said["title"], said["artist"]) == ("Mine", "Me")
    assert "year: 26" in said["comment"]
    assert f"scanpy-anim {sca.__version__}" in said["comment"]
    film.save(tmp_path / "film.gif", writer="pillow", dpi=30, metadata={"title": "Mine"})


def test_opacity_takes_no_room_where_there_is_none(film, tmp_path):
    for transparent in (False, True):
        film.save(tmp_path / "film.avif", dpi=50, transparent=transparent)
        with av.open(str(tmp_path / "film.avif")) as container:
            kinds = {stream.pix_fmt for stream in container.streams.video}
        assert any("gray" in kind for kind in kinds) == transparent  # opacity is a stream beside
        film.save(tmp_path / "film.apng", dpi=50, transparent=transparent)
        color_type = (tmp_path / "film.apng").read_bytes()[25]  # PNG, 11.2.1: 2 is RGB, 6 RGBA
        assert color_type == (6 if transparent else 2)


def test_names_from_the_data_are_only_text(propagated):
    propagated.obsm["<script>alert(1)</script>"] = propagated.obsm["label_propagation"]
    page = sca.pl.animate_embedding(propagated, color="<script>alert(1)</script>").to_jshtml()
    assert "<script>alert" not in page


def test_arrays_are_not_spelled_to_find_that_they_are_too_long(pbmc):
    """A list of thousands took longer to spell than the film to make."""

    class Unspelled(np.ndarray):
        def __repr__(self) -> str:
            raise AssertionError("an array was spelled")

    columns = list(np.random.default_rng(0).random((3, pbmc.n_obs)).view(Unspelled))
    film = sca.pl.animate_embedding(pbmc, color=columns, figsize=(4, 3))
    assert film.metadata["comment"].endswith("animate_embedding(adata, figsize=(4, 3))")
    film = sca.pl.animate_embedding(pbmc, color="n_genes", title=["a" * 200])
    assert film.metadata["comment"].endswith("animate_embedding(adata, color='n_genes')")
