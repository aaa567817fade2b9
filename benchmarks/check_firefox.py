"""The page in headless Firefox: ``python benchmarks/check_firefox.py [folder]``.

Needs ``websocket-client``, ``selenium`` and ``nbconvert``, and Debian's ``firefox-esr``, which is
driven through WebDriver BiDi (W3C) without a driver of its own. Writes screenshots into the folder
and prints one line a check; ends with an error at the first check that fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scanpy as sc
from check_player import N_FRAMES, NASTY, PIXEL, STATE, Browser, color, film, said
from websocket import WebSocket, create_connection

import scanpy_anim as sca
from scanpy_anim.video import player, write

QUIET = """\
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("app.normandy.enabled", false);
"""
KEYS = {"ArrowLeft": "\ue012", "ArrowRight": "\ue014", "Home": "\ue011", "End": "\ue010"}
SLIDER = (
    "const slider = document.querySelectorAll('.scanpy-anim')[arguments[0]].shadowRoot"
    ".querySelector('input');"
)
SCRUB = (
    f"{SLIDER} slider.value = arguments[1];"
    "slider.dispatchEvent(new Event('input', {bubbles: true}));"
)


EXPLORER_STATE = """
const root = document.querySelector('.scanpy-anim-explorer').shadowRoot;
let sum = 0;
for (const canvas of root?.querySelectorAll('.picture') ?? []) {
  if (!canvas.width) return {frame: -1, sum: 0};
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (const byte of data) sum = (sum * 31 + byte) | 0;
}
const tip = [...root?.querySelectorAll('.tip') ?? []].find((one) => !one.hidden);
return {frame: Number(root?.querySelector('input').value), sum, tip: tip?.innerText ?? ''};
"""


class Firefox:
    def __init__(self, profile: str) -> None:
        (Path(profile) / "user.js").write_text(QUIET)
        command = ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port", "0"]
        self.running = subprocess.Popen(
            [*command, "--profile", profile],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.number = 0
        self.events: list[dict[str, Any]] = []
        self.socket = self._connect()
        self.ask("session.new", capabilities={})
        watched = ["log.entryAdded", "network.beforeRequestSent"]
        self.ask("session.subscribe", events=watched)
        self.tab = self.ask("browsingContext.create", type="tab")["context"]

    def _connect(self) -> WebSocket:
        assert self.running.stderr is not None
        for line in self.running.stderr:
            if "WebDriver BiDi listening on" in line:
                return create_connection(f"{line.split()[-1]}/session", suppress_origin=True)
        raise AssertionError("Firefox does not listen")

    def ask(self, method: str, **params: Any) -> Any:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("type") == "event":
                self.events.append(answer)
            elif answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, path: Path, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", context=self.tab, viewport=size)
        self.ask("browsingContext.navigate", context=self.tab, url=path.as_uri(), wait="complete")

    def run(self, script: str, *arguments: int) -> Any:
        """Run a script as Selenium does: with ``arguments``, giving what it returns."""
        function = f"(...given) => JSON.stringify((function() {{ {script} }})(...given) ?? null)"
        told = self.ask(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "number", "value": argument} for argument in arguments],
            awaitPromise=False,
            target={"context": self.tab},
        )
        assert told["type"] == "success", told
        return json.loads(told["result"]["value"])

    def state(self, number: int = 0) -> dict:
        return self.run(STATE, number)

    def settle(self, number: int = 0) -> dict:
        Browser.wait(lambda: not self.state(number)["seeking"], "seeking ends")
        time.sleep(0.3)
        return self.state(number)

    def press(self, *keys: str, number: int = 0) -> dict:
        """Press keys in a player's slider, and wait until the frame is there."""
        self.run(f"{SLIDER} slider.focus();", number)
        for key in keys:
            pressed = KEYS.get(key, key)
            actions = [{"type": kind, "value": pressed} for kind in ("keyDown", "keyUp")]
            source = {"type": "key", "id": "keyboard", "actions": actions}
            self.ask("input.performActions", context=self.tab, actions=[source])
        return self.settle(number)

    def screenshot(self, path: Path) -> None:
        told = self.ask("browsingContext.captureScreenshot", context=self.tab)
        path.write_bytes(b64decode(told["data"]))

    def close(self) -> None:
        self.socket.close()
        self.running.terminate()
        self.running.wait(30)


def check_shown(firefox: Firefox, number: int, frame: int) -> None:
    shown = firefox.run(PIXEL, number, 160, 200)[:3]
    off = np.abs(np.array(shown) - color(frame)).max()
    said(f"Firefox: the picture is that of frame {frame}", off <= 8, f"({shown})")


def check_page(firefox: Firefox, folder: Path) -> None:
    write(film(), path := folder / "page.html")
    firefox.open(path, 900, 900)
    Browser.wait(lambda: firefox.state()["frame"] >= 3, "Firefox: it plays by itself", 30)
    said("Firefox: it plays by itself", True)
    Browser.wait(lambda: firefox.state()["frame"] < 3, "Firefox: it loops", 30)
    said("Firefox: it loops", True)
    said("Firefox: space pauses", firefox.press(" ")["paused"])
    firefox.press("Home")
    check_shown(firefox, 0, 0)
    firefox.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    check_shown(firefox, 0, 2)
    firefox.press("End")
    check_shown(firefox, 0, N_FRAMES - 1)
    for frame in (17, 4, 28, 11):
        firefox.run(SCRUB, 0, frame)
        firefox.settle()
        check_shown(firefox, 0, frame)
    said("Firefox: texts stay texts", firefox.run("return window.hacked") is None)
    said("Firefox: as title too", NASTY in firefox.state()["title"])
    firefox.screenshot(folder / "firefox-page.png")


def check_notebook(firefox: Firefox, folder: Path) -> None:
    """A saved notebook with two films, as ``nbconvert --to html`` gives it."""
    import nbformat
    from nbconvert import HTMLExporter

    outputs = [
        nbformat.v4.new_output("display_data", {"text/html": player(picture)})
        for picture in (film(), film(20, 200))
    ]
    cells = [nbformat.v4.new_code_cell("animation", outputs=[output]) for output in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    body, _ = HTMLExporter(require_js_url="", mathjax_url="").from_notebook_node(notebook)
    (path := folder / "firefox-notebook.html").write_text(body)
    firefox.open(path, 900, 1200)
    Browser.wait(lambda: firefox.state(1)["ready"] >= 2, "Firefox: both are loaded", 30)
    firefox.press("Home", number=1)
    said("Firefox, nbconvert: End", firefox.press("End")["frame"] == N_FRAMES - 1)
    said("Firefox, nbconvert: the other stays", firefox.state(1)["frame"] == 0)
    firefox.screenshot(folder / "firefox-notebook.png")


def explorers() -> dict[str, Any]:
    """A page that holds the scores, of each kind."""
    cells = sc.datasets.pbmc68k_reduced()
    sca.tl.label_propagation(cells, [0, 1])
    cells.obsm["X_space"] = cells.obsm["X_pca"][:, :3]
    morph = {"color": "bulk_labels", "basis": ["pca", "umap"]}
    kinds: dict[str, dict[str, Any]] = {
        "scores": {},
        "labels": {"color": ["bulk_labels", "louvain"]},
        "morph": {"basis": ["umap", "pca"], "tween": 6},
        "turn": {"basis": "space", "projection": "3d", "rotate": 120},
        "sorted": {"sort_order": "frame"},
        "panels": {"panels": ["label_propagation", morph]},
    }
    return {
        name: sca.pl.animate_embedding(cells, **how).explore(hover="n_genes")
        for name, how in kinds.items()
    }


def check_explorer(firefox: Firefox, folder: Path, name: str, page: Any) -> None:
    """It shows its frames, plays, and tells what is there of a cell."""
    page.save(path := folder / f"firefox-{name}.html")
    firefox.open(path, 1200, 800)
    state = partial(firefox.run, EXPLORER_STATE)
    Browser.wait(lambda: state()["sum"], f"Firefox, {name}: the first picture", 30)
    last = state()

    def press(key: str) -> None:
        pressed = KEYS.get(key, key)
        actions = [{"type": kind, "value": pressed} for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        firefox.ask("input.performActions", context=firefox.tab, actions=[source])

    press("Home")
    Browser.wait(lambda: state()["frame"] == 0, f"{name}: Home")
    press(" ")
    Browser.wait(lambda: state()["frame"] > 0, f"{name}: it plays")
    press(" ")
    press("End")
    Browser.wait(lambda: state()["sum"] == last["sum"], f"{name}: End")
    said(f"Firefox, {name}: the last frame again", state()["frame"] == last["frame"])
    moves = [
        {"type": "pointerMove", "x": 150 + 12 * k, "y": 200 + 150 * (k % 3), "duration": 40}
        for k in range(60)
    ]
    for move in moves:
        source = {"type": "pointer", "id": "mouse", "actions": [move]}
        firefox.ask("input.performActions", context=firefox.tab, actions=[source])
        if state()["tip"]:
            break
    said(f"Firefox, {name}: a cell is told", "n_genes" in state()["tip"], state()["tip"][:20])
    firefox.screenshot(folder / f"firefox-{name}.png")


def check_quiet(firefox: Firefox) -> None:
    ours = [event for event in firefox.events if event["method"] == "network.beforeRequestSent"]
    asked = [
        event["params"]["request"]["url"]
        for event in ours
        if event["params"]["context"] == firefox.tab
    ]
    outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    said("Firefox: no request to the network", not outside, outside or "")
    logged = [
        event["params"]["text"]
        for event in firefox.events
        if event["method"] == "log.entryAdded" and event["params"]["level"] in ("warn", "error")
    ]
    said("Firefox: nothing on the console", not logged, logged or "")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        firefox = Firefox(profile)
        try:
            check_page(firefox, folder)
            check_notebook(firefox, folder)
            for name, shown in explorers().items():
                check_explorer(firefox, folder, name, shown)
            check_quiet(firefox)
        finally:
            firefox.close()
    print(f"screenshots in {folder}")


if __name__ == "__main__":
    main()
