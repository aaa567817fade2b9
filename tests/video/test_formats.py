"""Every format, decoded by something else: number of frames, times, sizes, colors, loops."""

from __future__ import annotations

import re
import struct
import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from scanpy_anim.video import FORMATS, Film, check, write

from .conftest import INK, dots, film_of
from .decoders import boxes, by_ffmpeg, by_pillow, by_pyav

if TYPE_CHECKING:
    from pathlib import Path


def mean_error(frames: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(frames.astype(int) - expected.astype(int)).mean())


@pytest.mark.parametrize("size", [(40, 60), (41, 60)], ids=["even", "odd"])
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_opaque_frames_with_alpha_look_like_those_without(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    with_alpha = dots(*size, 4, channels=4)
    with_alpha[..., 3] = 255
    seen = []
    for name, frames in (("a", with_alpha), ("b", with_alpha[..., :3].copy())):
        write(film_of(frames), tmp_path / f"{name}.{suffix}")
        seen.append(by_pyav(tmp_path / f"{name}.{suffix}").frames)
    np.testing.assert_array_equal(seen[0], seen[1])


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_video_holds_the_frames_at_their_times(
    film: Film, frames: np.ndarray, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"film{suffix}"
    written = write(film, path)
    assert written.size == path.stat().st_size
    decoded = by_pyav(path)
    assert decoded.durations == pytest.approx(film.durations, abs=1e-3)
    assert mean_error(by_ffmpeg(path), frames) < 2.5
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.pix_fmt == "yuv420p"
        assert stream.codec_context.name in ("h264", "libvpx-vp9", "vp9")
        metadata = {name.lower(): text for name, text in container.metadata.items()}
        assert metadata["title"] == "dots"
        assert metadata["comment"] == "alpha=0.99"


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_large_areas_come_back_in_their_color(tmp_path: Path, suffix: str) -> None:
    """White, black and the colors of a palette survive the way to YUV and back."""
    areas = np.repeat(np.repeat(INK, 32, axis=0)[:, None], 64, axis=1)
    write(film_of(np.stack([areas] * 3)), path := tmp_path / f"film{suffix}", quality=100)
    back = by_ffmpeg(path)[-1].astype(int)
    centres = back[16::32, 32]
    assert np.abs(centres - INK).max() <= 3


def test_mp4_is_ready_to_stream_and_ends_with_its_hold(film: Film, tmp_path: Path) -> None:
    write(film, path := tmp_path / "film.mp4")
    top = boxes(path.read_bytes())
    order = list(top)
    assert order.index("moov") < order.index("mdat")
    header = boxes(top["moov"])["mvhd"]
    scale, duration = struct.unpack(">II", header[12:20])
    assert duration / scale == pytest.approx(2.6, abs=2e-3)
    track = boxes(boxes(top["moov"])["trak"])
    shown = struct.unpack(">I", boxes(track["edts"])["elst"][8:12])[0] / scale
    assert shown == pytest.approx(2.6, abs=2e-3)
    media = boxes(track["mdia"])
    table = boxes(boxes(media["minf"])["stbl"])
    ticks = struct.unpack(">I", media["mdhd"][12:16])[0]
    assert struct.unpack(">I", table["stts"][-4:])[0] / ticks == pytest.approx(1.5)
    (n_samples,) = struct.unpack(">I", table["stsz"][8:12])
    assert n_samples == len(film), "the hold must not be made of repeated frames"


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5), (17, 33), (101, 67)])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_padded_not_rescaled(
    tmp_path: Path, shape: tuple[int, int], suffix: str
) -> None:
    color = (200, 30, 60)
    frames = np.broadcast_to(np.array(color, np.uint8), (3, *shape, 3)).copy()
    film = film_of(frames, background=color)
    write(film, path := tmp_path / f"film{suffix}")
    back = by_ffmpeg(path)
    assert back.shape[1:3] == (shape[0] + shape[0] % 2, shape[1] + shape[1] % 2)
    assert np.abs(back.astype(int) - color).max() <= 4


def test_gif_is_exact_and_plays_right(film: Film, frames: np.ndarray, tmp_path: Path) -> None:
    written = write(film, path := tmp_path / "film.gif")
    decoded = by_pillow(path)
    np.testing.assert_array_equal(decoded.frames, frames)
    assert decoded.durations == pytest.approx(film.durations)
    assert written.notes == ()


@pytest.mark.parametrize(
    ("loop", "extension"), [(0, 0), (1, None), (3, 2)], ids=["for ever", "once", "three times"]
)
def test_gif_loops(film: Film, tmp_path: Path, loop: int, extension: int | None) -> None:
    write(film, path := tmp_path / "film.gif", loop=loop)
    block = re.search(rb"NETSCAPE2\.0\x03\x01(..)\x00", path.read_bytes(), re.DOTALL)
    assert (struct.unpack("<H", block[1])[0] if block else None) == extension


@pytest.mark.parametrize("loop", [0, 1, 3])
def test_webp_loops(film: Film, frames: np.ndarray, tmp_path: Path, loop: int) -> None:
    write(film, path := tmp_path / "film.webp", loop=loop, quality=90)
    content = path.read_bytes()
    at = content.index(b"ANIM")
    assert struct.unpack("<H", content[at + 12 : at + 14])[0] == loop
    at, durations = 12, []
    while at < len(content):
        kind, size = struct.unpack("<4sI", content[at : at + 8])
        if kind == b"ANMF":
            durations.append(int.from_bytes(content[at + 20 : at + 23], "little") / 1000)
        at += 8 + size + size % 2
    assert durations == pytest.approx(film.durations)
    assert mean_error(by_pillow(path).frames, frames) < 4


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_one_frame_is_a_film(tmp_path: Path, suffix: str) -> None:
    film = film_of(dots(40, 60, 1))
    path = tmp_path / f"film{suffix}"
    assert write(film, path).size > 0
    if suffix in (".webp", ".apng", ".avif"):
        assert len(by_pillow(path).frames) == 1
    elif suffix != ".html":
        assert len(by_pyav(path).frames) == 1


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("quality", [60, 100])
def test_one_frame_of_a_webp_lasts_its_time(tmp_path: Path, channels: int, quality: int) -> None:
    frames = dots(41, 63, 1, channels)
    if channels == 4:
        frames[:, 20:, :, 3] = 0
    path = tmp_path / "film.webp"
    write(film_of(frames, durations=[2.5], alpha=channels == 4), path, quality=quality)
    shown = by_pillow(path, "RGBA")
    assert shown.durations == [2.5]
    visible = shown.frames[0, ..., 3] > 0
    assert (visible == (frames[0, ..., 3] > 0 if channels == 4 else True)).all()
    assert mean_error(shown.frames[0, visible, :3], frames[0, visible, :3]) < 10


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_the_same_film_gives_the_same_bytes(film: Film, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    write(film, first)
    write(film, second)
    assert first.read_bytes() == second.read_bytes()


def test_apng_is_lossless(film: Film, frames: np.ndarray, tmp_path: Path) -> None:
    write(film, path := tmp_path / "film.apng")
    decoded = by_pillow(path)
    np.testing.assert_array_equal(decoded.frames, frames)
    assert decoded.durations == pytest.approx(film.durations)
    np.testing.assert_array_equal(by_ffmpeg(path), frames)


def test_apng_with_a_palette(film: Film, frames: np.ndarray, tmp_path: Path) -> None:
    lossless = write(film, tmp_path / "lossless.apng").size
    written = write(film, path := tmp_path / "film.apng", quality=70)
    assert written.size < lossless
    np.testing.assert_array_equal(by_pillow(path).frames, frames)


@pytest.mark.parametrize("loop", [0, 1, 3])
def test_apng_loops(film: Film, tmp_path: Path, loop: int) -> None:
    write(film, path := tmp_path / "film.apng", loop=loop)
    content = path.read_bytes()
    at = content.index(b"acTL")
    assert struct.unpack(">II", content[at + 4 : at + 12]) == (12, loop)
    assert struct.unpack(">I", content[at + 12 : at + 16])[0] == zlib.crc32(content[at : at + 12])


def test_avif_does_not_tell_when_it_was_made(film: Film, tmp_path: Path) -> None:
    write(film, path := tmp_path / "film.avif")
    with av.open(str(path)) as container:
        dates = [container.metadata, *(stream.metadata for stream in container.streams)]
    assert not any("creation_time" in told for told in dates)
    first = path.read_bytes()
    time.sleep(1.1 - time.time() % 1)  # into the next second: dates are whole ones
    write(film, path)
    assert path.read_bytes() == first


def test_avif(film: Film, frames: np.ndarray, tmp_path: Path) -> None:
    written = write(film, path := tmp_path / "film.avif")
    assert written.notes == ()
    decoded = by_pillow(path)
    assert mean_error(decoded.frames, frames) < 3
    assert decoded.durations == pytest.approx(film.durations)
    assert mean_error(by_pyav(path).frames, frames) < 3
    with av.open(str(path)) as container:
        picture = next(container.decode(container.streams.video[-1]))
        assert picture.color_range == 1, "browsers take full range for limited"
    assert "for ever" in write(film, path, loop=2).notes[0]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".avif"])
def test_transparent_frames_stay_transparent(tmp_path: Path, suffix: str) -> None:
    frames = dots(40, 60, 4, channels=4)
    frames[..., 3] = np.where((frames[..., :3] == 255).all(-1), 0, 255)
    path = tmp_path / f"film{suffix}"
    write(film_of(frames), path)
    shown = by_pillow(path, "RGBA").frames
    assert shown.shape == frames.shape
    assert (np.abs(shown[..., 3].astype(int) - frames[..., 3]) > 20).mean() < 0.02
    if suffix in (".gif", ".apng"):
        np.testing.assert_array_equal(shown[..., 3], frames[..., 3])
        solid = frames[..., 3] == 255
        np.testing.assert_array_equal(shown[..., :3][solid], frames[..., :3][solid])


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_transparent_frames_lie_on_the_background(tmp_path: Path, suffix: str) -> None:
    frames = np.zeros((2, 32, 32, 4), np.uint8)
    frames[:, :16] = (200, 0, 0, 128)
    write(film_of(frames, background=(0, 0, 200)), path := tmp_path / f"film{suffix}")
    back = by_ffmpeg(path)[0].astype(int)
    assert np.abs(back[8, 8] - (100, 0, 100)).max() < 6
    assert np.abs(back[24, 8] - (0, 0, 200)).max() < 6


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_frames_that_do_not_change_are_kept_or_merged_in_time(tmp_path: Path, suffix: str) -> None:
    still = np.repeat(dots(40, 60, 2), [5, 1], axis=0)
    durations = [0.1, 0.2, 0.3, 0.4, 2.0, 0.5]
    write(film_of(still, durations=durations), path := tmp_path / f"film{suffix}")
    decoded = by_pillow(path)
    assert sum(decoded.durations) == pytest.approx(3.5)
    two = write(film_of(still[-2:], durations=[3.0, 0.5]), tmp_path / f"two{suffix}").size
    assert path.stat().st_size < two + 600, "a hold is free"


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_metadata(film: Film, tmp_path: Path, suffix: str) -> None:
    film = replace(film, metadata=dict(film.metadata) | {"software": "scanpy-anim 0.1"})
    write(film, path := tmp_path / f"film{suffix}")
    content = path.read_bytes()
    assert b"dots" in content
    assert b"alpha=0.99" in content
    assert b"scanpy-anim 0.1" in content


def test_a_very_long_hold(tmp_path: Path) -> None:
    frames = dots(40, 60, 2)
    film = film_of(frames, durations=[0.1, 100.0])
    for suffix, decode in [(".gif", by_pillow), (".apng", by_pillow), (".mp4", by_pyav)]:
        write(film, path := tmp_path / f"film{suffix}")
        assert decode(path).durations == pytest.approx([0.1, 100.0])


@pytest.mark.parametrize("fps", [12, 24, 25, 30, 40, 50])
def test_a_gif_lasts_as_long_as_asked(tmp_path: Path, fps: int) -> None:
    frames = np.repeat(dots(40, 60, 24), 3, axis=0)
    written = write(
        film_of(frames, durations=[1 / fps] * 72), path := tmp_path / "film.gif", loop=1
    )
    assert sum(by_pillow(path).durations) == pytest.approx(72 / fps, abs=0.006)
    assert not any("gif:" in note for note in written.notes)


@pytest.mark.parametrize(
    ("suffix", "shortest"), [(".gif", 0.02), (".webp", 0.011), (".apng", 0.011)]
)
def test_pictures_too_fast_for_browsers_are_slowed_down_and_said(
    tmp_path: Path, suffix: str, shortest: float
) -> None:
    frames = dots(40, 60, 20)
    written = write(
        film_of(frames, durations=[0.005] * 20), path := tmp_path / f"film{suffix}", loop=1
    )
    assert by_pillow(path).durations == pytest.approx([shortest] * 20)
    assert f"0.005 s is shown for {shortest} s" in written.notes[0]
    # a long frame makes up for short ones before it
    write(film_of(frames[:3], durations=[0.005, 0.005, 1.0]), path)
    assert sum(by_pillow(path).durations) == pytest.approx(1.01)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_times_beyond_the_format(tmp_path: Path, suffix: str) -> None:
    longest, path = FORMATS[suffix].max_seconds, tmp_path / f"film{suffix}"
    drawn = []
    film = Film(lambda scale: drawn.append(scale) or iter(()), [1.0, longest * 1.01])
    with pytest.raises(ValueError, match=r"durations\[1\] is .*: change fps or hold"):
        write(film, path)
    for wrong in ({"hold": longest * 1.01}, {"fps": 1e6}, {"fps": 1e-9}):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))} must be .* not"):
            check(path, **wrong)
    check(path, hold=longest, fps=1000)
    assert not drawn
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".mp4", ".mov", ".webp"])
def test_the_longest_hold_of_each_format(tmp_path: Path, suffix: str) -> None:
    longest = FORMATS[suffix].max_seconds
    film = film_of(dots(40, 60, 2), durations=[0.1, longest])
    write(film, path := tmp_path / f"film{suffix}")
    decode = by_pyav if suffix in (".mp4", ".mov") else by_pillow
    assert decode(path).durations == pytest.approx([0.1, longest], abs=0.2)


def half_transparent() -> np.ndarray:
    """A ramp of opacity over colors that change, and a part without any."""
    frames = dots(64, 96, 3, channels=4)
    frames[..., 3] = np.linspace(0, 255, 96).astype(np.uint8)
    frames[:, :8, :, 3] = 0
    return frames


def laid_on(frames: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    alpha = frames[..., 3:] / 255
    return frames[..., :3] * alpha + np.array(color) * (1 - alpha)


@pytest.mark.parametrize("suffix", [".webp", ".apng", ".avif"])
def test_half_transparent_frames_shine_through_once(tmp_path: Path, suffix: str) -> None:
    frames = half_transparent()
    write(film_of(frames, durations=[0.5] * 3), path := tmp_path / f"film{suffix}", quality=95)
    shown = by_pillow(path, "RGBA").frames
    for color in ((0, 255, 0), (255, 255, 255), (0, 0, 0)):
        assert mean_error(laid_on(shown, color), laid_on(frames, color)) < 3


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".avif", ".mp4", ".webm", ".mov"])
def test_a_film_that_is_not_to_be_transparent_lies_on_its_background(
    tmp_path: Path, suffix: str
) -> None:
    frames, ground = half_transparent(), (250, 240, 200)
    film = film_of(frames, durations=[0.5] * 3, alpha=False, background=ground)
    write(film, path := tmp_path / f"film{suffix}", quality=95)
    expected = laid_on(frames, ground)
    if suffix in (".mp4", ".webm", ".mov"):
        assert mean_error(by_pyav(path).frames, expected) < 5
    else:
        shown = by_pillow(path, "RGBA").frames
        assert (shown[..., 3] == 255).all()
        assert mean_error(shown[..., :3], expected) < 6


def test_a_quicktime_movie_is_an_mp4_in_its_own_container(film: Film, tmp_path: Path) -> None:
    write(film, tmp_path / "film.mp4")
    write(film, path := tmp_path / "film.mov")
    assert path.read_bytes()[4:12] == b"ftypqt  "
    mp4, mov = by_pyav(tmp_path / "film.mp4"), by_pyav(path)
    np.testing.assert_array_equal(mov.frames, mp4.frames)
    assert mov.durations == pytest.approx(film.durations, abs=1e-3)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_what_no_file_can_say_is_left_out(tmp_path: Path, suffix: str) -> None:
    nasty = "a\0b\x1b[31mc\ud800d\uffff\x85e"
    film = film_of(
        dots(40, 60, 2),
        metadata={"title": nasty, "comment": nasty},
        titles=[nasty] * 2,
        description=nasty,
    )
    assert film.description == film.titles[0] == film.metadata["title"] == "ab[31mcde"
    write(film, path := tmp_path / f"film{suffix}")
    assert b"ab[31mcde" in path.read_bytes()


@pytest.mark.parametrize("wrong", ["title", ["title"], {1: "a"}, {"": "a"}, {"\0": "a"}])
def test_metadata_without_names(tmp_path: Path, wrong: object) -> None:
    for refuses in (
        lambda: check("film.gif", metadata=wrong),
        lambda: film_of(dots(40, 60, 1), metadata=wrong),
    ):
        with pytest.raises(TypeError, match="metadata must"):
            refuses()


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_frames_too_large_are_refused_before_the_first(tmp_path: Path, suffix: str) -> None:
    drawn = []
    film = Film(lambda scale: drawn.append(scale) or iter(()), [1.0], size=(16_384, 16_385))
    with pytest.raises(ValueError, match=r"16,384 × 16,385 pixels is too large"):
        write(film, tmp_path / f"film{suffix}")
    assert not drawn
