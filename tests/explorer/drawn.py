"""What the player's own JavaScript draws, in node or in Chromium, held against the film."""

from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from scanpy_anim.explorer._page import _player_script

NODE = shutil.which("node")
DRAW = Path(__file__).with_name("draw.js")


class _Parts(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: dict[str, str] = {}
        self._name = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._name = dict(attrs).get("data-part", "") if tag == "script" else ""

    def handle_endtag(self, tag):
        self._name = ""

    def handle_data(self, data):
        if self._name:
            self.parts[self._name] = self.parts.get(self._name, "") + data


def drawn(film, moments, folder, *, margin=3, **task):
    """Return what the player draws in the film's own pixels, and what took how long.

    Within the frame of the axes, `margin` pixels of which are left out.
    `task` goes to `draw.js`: another panel or scale, several rounds, a browser in place of node.
    """
    parts = _Parts(film.explore(names=None).to_html()).parts
    number, whole = task.get("panel", 0), json.loads(parts["header"])
    header = whole | whole.get("panels", [whole])[number]
    next(iter(film.frames()))
    panel = [panel for clip in film.clips for panel in clip.stage.panels][number]
    width, height = (round(float(side)) for side in film.figure.bbox.size)
    (left, bottom), (right, top) = panel.ax.transData.transform(
        [(header["view"]["x"][0], header["view"]["y"][0]), [header["view"][k][1] for k in "xy"]]
    )
    x, y = header["view"]["x"], header["view"]["y"]
    ax, ay = (right - left) / (x[1] - x[0]), -(top - bottom) / (y[1] - y[0])
    origin, step = (
        ([0, 0], 1) if "turn" in header else (header["xy"]["origin"], header["xy"]["step"])
    )
    view = {
        "ax": ax * step,
        "bx": left + ax * (origin[0] - x[0]),
        "ay": ay * step,
        "by": height - bottom + ay * (origin[1] - y[0]),
        "width": width,
        "height": height,
        "radius": header["view"]["radius"],
    }
    task |= {"script": _player_script(whole), "parts": parts, "view": view, "moments": moments}
    done = subprocess.run(
        [NODE, str(DRAW), str(folder)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
    )
    inside = (
        slice(round(height - top) + margin, round(height - bottom) - margin),
        slice(round(left) + margin, round(right) - margin),
    )
    pictures = [
        np.fromfile(folder / f"{number}.rgba", np.uint8).reshape(height, width, 4)[inside][..., :3]
        for number in moments
    ]
    return pictures, inside, json.loads(done.stdout)


def differences(film, moments, folder, **options):
    """Return mean difference and share of pixels within 8 of 255 for each moment."""
    pictures, inside, _ = drawn(film, moments, folder, **options)
    frames = list(film.frames())
    off = [
        np.abs(frames[number][inside][..., :3].astype(int) - picture)
        for number, picture in zip(moments, pictures, strict=True)
    ]
    return [(float(one.mean()), float((one.max(axis=2) <= 8).mean())) for one in off]
