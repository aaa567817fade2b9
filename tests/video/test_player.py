"""The player's HTML: what it carries, what it escapes, what is left where scripts do not run."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from scanpy_anim.video import Film, player, write

from .conftest import film_of
from .decoders import as_rgb

if TYPE_CHECKING:
    from pathlib import Path

NASTY = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u2028&amp;'


def content(html: str) -> dict:
    return json.loads(re.search(r"^const film = (.*);$", html, re.MULTILINE)[1])


def video(html: str) -> bytes:
    (element,) = [attributes for tag, attributes in elements(html) if tag == "video"]
    head, stream = element["src"].split(",")
    assert head == "data:video/webm;base64"
    return base64.b64decode(stream)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict]]:
    parser = Elements()
    parser.feed(html)
    return parser.found


def test_it_carries_the_film(film: Film, frames: np.ndarray) -> None:
    carried = content(player(film))
    assert carried["titles"] == list(film.titles)
    assert carried["starts"] == pytest.approx([*np.arange(12) / 10, 2.6])
    assert (carried["width"], carried["height"]) == (128, 96)
    with av.open(BytesIO(video(player(film)))) as container:
        shown = list(container.decode(video=0))
        total = container.duration / av.time_base
    assert [float(picture.time) for picture in shown] == pytest.approx(np.arange(12) / 10)
    assert total == pytest.approx(2.6)
    back = np.array([as_rgb(p) for p in shown])
    assert np.abs(back.astype(int) - frames).mean() < 2.5


def test_scrubbing_meets_a_key_frame_soon() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (130, 48, 64, 3), dtype=np.uint8)
    with av.open(BytesIO(video(player(film_of(frames))))) as container:
        keys = [p.is_keyframe for p in container.demux(video=0) if p.size]
    assert max(np.diff([*np.flatnonzero(keys), 130])) <= 60


def test_texts_stay_texts(frames: np.ndarray) -> None:
    film = film_of(frames, titles=[NASTY] * 12, description=NASTY)
    html = player(film)
    assert [tag for tag, _ in elements(html)] == ["div", "video", "img", "script"]
    assert elements(html)[2][1]["alt"] == NASTY
    assert content(html)["titles"] == [NASTY] * 12
    assert html.count("</script") == 1


def test_a_still_without_scripts(film: Film, frames: np.ndarray) -> None:
    (_, image) = elements(player(film))[2]
    kind, still = re.fullmatch(r"data:image/(png|jpeg);base64,(.*)", image["src"]).groups()
    picture = Image.open(BytesIO(base64.b64decode(still)))
    assert picture.format.lower() == kind
    assert np.abs(np.array(picture.convert("RGB")).astype(int) - frames[-1]).mean() < 2
    assert image["alt"] == "dots that change their color"


@pytest.mark.parametrize("loop", [0, 2])
def test_a_plain_video_without_scripts(film: Film, loop: int) -> None:
    """What a sanitiser leaves of an untrusted notebook's output plays with native controls."""
    (_, plain) = elements(player(film, loop=loop))[1]
    assert {"controls", "muted", "playsinline"} <= set(plain)
    assert ("loop" in plain) == (loop == 0)


def test_nothing_is_fetched(film: Film, tmp_path: Path) -> None:
    write(film, path := tmp_path / "film.html")
    html = path.read_text("utf-8")
    for _, attributes in elements(html):
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(|@import|url\(", html)


def test_a_page_has_title_and_metadata(frames: np.ndarray, tmp_path: Path) -> None:
    film = film_of(frames, metadata={"title": NASTY, "comment": NASTY}, description="d")
    write(film, path := tmp_path / "film.html")
    html = path.read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    tags = [tag for tag, _ in elements(html)]
    assert tags.count("script") == 1
    assert tags.count("img") == 1
    (comment,) = [a for _, a in elements(html) if a.get("name") == "comment"]
    assert comment["content"] == NASTY


@pytest.mark.parametrize("loop", [0, 1, 4])
def test_loops(film: Film, loop: int) -> None:
    assert content(player(film, loop=loop))["loop"] == loop


def test_small(film: Film, tmp_path: Path) -> None:
    """The page costs what its film costs, and the player a few kilobytes."""
    write(film, path := tmp_path / "film.html")
    html = path.read_text("utf-8")
    still = elements(html)[[tag for tag, _ in elements(html)].index("img")][1]["src"]
    assert len(html) - len(video(html)) * 4 / 3 - len(still) < 16_000


def test_numbers_out_of_range(film: Film) -> None:
    with pytest.raises(ValueError, match="quality must be"):
        player(film, quality=1000)
    with pytest.raises(ValueError, match="loop must be"):
        player(film, loop=-1)
