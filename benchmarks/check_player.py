"""Drive the player in headless Chromium: ``python benchmarks/check_player.py [folder]``.

Needs ``selenium`` and Debian's ``chromium`` and ``chromium-driver``. Writes screenshots into the
folder and prints one line a check; ends with an error at the first check that fails.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scanpy_anim.video import Film, player, write

OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
]
N_FRAMES = 30
NASTY = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"

STATE = """
const root = document.querySelectorAll('.scanpy-anim')[arguments[0]].shadowRoot;
const video = root.querySelector('video');
return {
  time: video.currentTime, paused: video.paused, duration: video.duration, loop: video.loop,
  rate: video.playbackRate, seeking: video.seeking, ready: video.readyState,
  frame: Number(root.querySelector('input').value),
  valuetext: root.querySelector('input').getAttribute('aria-valuetext'),
  title: root.querySelector('.title').textContent, count: root.querySelector('.count').textContent,
  play: root.querySelector('.play').getAttribute('aria-label'),
  broken: root.querySelector('.player').classList.contains('broken'),
};
"""
PIXEL = """
const video = document.querySelectorAll('.scanpy-anim')[arguments[0]].shadowRoot
  .querySelector('video');
const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
const context = canvas.getContext('2d');
context.drawImage(video, 0, 0);
return Array.from(context.getImageData(arguments[1], arguments[2], 1, 1).data);
"""


def film(n_frames: int = N_FRAMES, side: int = 320) -> Film:
    """Each frame says its number in its color and in the length of a bar."""

    def render(scale: float):
        for number in range(n_frames):
            frame = np.full((side, side, 3), 255, np.uint8)
            frame[:40, : 10 * (number % 32 + 1)] = (31, 119, 180)
            frame[60:] = color(number)
            yield frame

    return Film(
        render,
        [0.1] * (n_frames - 1) + [1.0],
        titles=[f"iteration {number} {NASTY}" for number in range(n_frames)],
        description=f"squares {NASTY}",
        metadata={"title": f"page {NASTY}"},
    )


def color(number: int) -> tuple[int, int, int]:
    return (number * 37 % 200 + 20, number * 91 % 200 + 20, 120)


class Browser:
    def __init__(self, profile: str, *extra: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for option in [*OPTIONS, f"--user-data-dir={profile}", *extra]:
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options, service)

    def open(self, path: Path, size: tuple[int, int] = (900, 900)) -> None:
        self.driver.set_window_size(*size)
        self.driver.get(path.as_uri())
        self.wait(lambda: self.state()["ready"] >= 2, "the film is loaded")

    def state(self, number: int = 0) -> dict:
        return self.driver.execute_script(STATE, number)

    def find(self, selector: str, number: int = 0):
        host = self.driver.find_elements(By.CSS_SELECTOR, ".scanpy-anim")[number]
        return host.shadow_root.find_element(By.CSS_SELECTOR, selector)

    def pixel(self, number: int, x: int, y: int) -> list[int]:
        return self.driver.execute_script(PIXEL, number, x, y)

    def settle(self, number: int = 0) -> dict:
        self.wait(lambda: not self.state(number)["seeking"], "seeking ends")
        time.sleep(0.15)
        return self.state(number)

    @staticmethod
    def wait(condition, what: str, seconds: float = 10) -> None:
        end = time.time() + seconds
        while not condition():
            if time.time() > end:
                raise AssertionError(f"waited in vain: {what}")
            time.sleep(0.05)

    def requests(self) -> list[str]:
        import json

        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


def said(what: str, holds: bool, detail: object = "") -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what} {detail}".rstrip(), flush=True)
    if not holds:
        raise SystemExit(1)


def check_shown(browser: Browser, number: int, frame: int) -> None:
    shown = browser.pixel(number, 160, 200)[:3]
    off = np.abs(np.array(shown) - color(frame)).max()
    said(f"the picture is that of frame {frame}", off <= 8, f"({shown} for {color(frame)})")


def check_page(browser: Browser, folder: Path) -> None:
    path = folder / "page.html"
    size = write(film(), path).size
    print(f"page of {N_FRAMES} frames: {size:,} bytes")
    browser.open(path)
    browser.wait(lambda: not browser.state()["paused"], "it plays by itself")
    browser.wait(lambda: browser.state()["frame"] >= 3, "frames advance")
    state = browser.state()
    said("duration with the last frame's hold", abs(state["duration"] - 3.9) < 0.01, state)
    browser.wait(lambda: browser.state()["frame"] == N_FRAMES - 1, "the last frame is reached")
    browser.wait(lambda: browser.state()["frame"] < 5, "it loops")
    browser.find(".play").click()
    state = browser.settle()
    said("pause", state["paused"] and state["play"] == "Play")
    browser.find("input").send_keys(Keys.HOME)
    state = browser.settle()
    said("Home", state["frame"] == 0, state["valuetext"][:40])
    check_shown(browser, 0, 0)
    for step in range(1, 4):
        browser.find("input").send_keys(Keys.ARROW_RIGHT)
        said("arrow right", browser.settle()["frame"] == step)
        check_shown(browser, 0, step)
    browser.find("input").send_keys(Keys.ARROW_LEFT)
    browser.settle()
    check_shown(browser, 0, 2)
    browser.find(".next").click()
    browser.settle()
    check_shown(browser, 0, 3)
    browser.find(".back").send_keys(Keys.ARROW_LEFT)
    browser.settle()
    check_shown(browser, 0, 2)
    browser.find("input").send_keys(Keys.END)
    state = browser.settle()
    said("End", state["frame"] == N_FRAMES - 1, state["count"])
    check_shown(browser, 0, N_FRAMES - 1)
    browser.driver.save_screenshot(str(folder / "page.png"))
    for frame in (17, 4, 28, 11, 12, 13, 0, 23):  # every seek exact, in any order
        scrub(browser, 0, frame)
        browser.settle()
        check_shown(browser, 0, frame)
    for frame in range(N_FRAMES):  # faster than the decoder
        scrub(browser, 0, frame)
    browser.wait(lambda: browser.pixel(0, 160, 200)[:3] != [0, 0, 0], "drawn")
    time.sleep(0.8)
    check_shown(browser, 0, N_FRAMES - 1)
    browser.find("input").send_keys(" ")
    browser.wait(lambda: not browser.state()["paused"], "space plays")
    said("plays from the start after the end", browser.state()["frame"] < 10)
    select = browser.find("select")
    select.send_keys("4")
    browser.wait(lambda: browser.state()["rate"] == 4, "speed 4")
    browser.find(".loop").click()
    said("loop off", browser.state()["loop"] is False)
    browser.wait(lambda: browser.state()["paused"], "it stops at the end")
    said("on the last frame", browser.state()["frame"] == N_FRAMES - 1)
    said("texts stay texts", browser.driver.execute_script("return window.hacked") is None)
    said("as title too", NASTY in browser.driver.title and NASTY in browser.state()["title"])
    check_quiet(browser)


def check_pauses(browser: Browser, folder: Path) -> None:
    """However fast it plays: after a pause, the words are those of the picture."""
    browser.open(folder / "page.html")
    rng = np.random.default_rng(0)
    off = []
    for pause in range(40):
        if browser.state()["paused"]:
            browser.find(".play").click()
        time.sleep(0.05 + 0.3 * rng.random())
        browser.find(".play").click()
        frame = browser.settle()["frame"]
        shown = np.array(browser.pixel(0, 160, 200)[:3])
        if np.abs(shown - color(frame)).max() > 8:
            off.append((pause, frame, shown.tolist()))
    said("the words after 40 pauses are those of the picture", not off, off or "")


def check_keys_and_window(browser: Browser, folder: Path) -> None:
    """A page is the film's alone: keys work at once, and the film grows with the window."""
    browser.open(folder / "page.html", (1400, 1000))
    body = browser.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(" ")
    browser.wait(lambda: browser.state()["paused"], "space pauses without a click")
    body.send_keys(Keys.HOME)
    said("Home without a click", browser.settle()["frame"] == 0)
    body.send_keys(Keys.ARROW_RIGHT)
    said("arrow without a click", browser.settle()["frame"] == 1)
    check_shown(browser, 0, 1)
    wide = [browser.find("video").size["width"]]
    browser.driver.save_screenshot(str(folder / "large.png"))
    browser.driver.set_window_size(600, 700)
    time.sleep(0.2)
    wide.append(browser.find("video").size["width"])
    said("the film grows with its window", wide[0] > 700 > wide[1] > 320, wide)
    scroll = "return [document.documentElement.scrollWidth, innerWidth]"
    inner = browser.driver.execute_script(scroll)
    said("nothing sticks out", inner[0] <= inner[1], inner)
    browser.driver.set_window_size(1400, 1000)
    body.send_keys("f")
    full = "return document.fullscreenElement !== null"
    browser.wait(lambda: browser.driver.execute_script(full), "full screen")
    time.sleep(0.5)
    browser.driver.save_screenshot(str(folder / "full.png"))
    tall = browser.driver.execute_script("return innerHeight")
    said("full screen", browser.find("video").size["height"] > tall - 160)
    body.send_keys("f")
    browser.wait(lambda: not browser.driver.execute_script(full), "and back")


def check_policy(browser: Browser, folder: Path) -> None:
    """A policy that lets neither blobs nor style elements through, and one without any video."""
    page = (folder / "page.html").read_text("utf-8")
    for name, media in (("data", "data:"), ("none", "'none'")):
        rule = f"default-src 'none'; script-src 'unsafe-inline'; img-src data:; media-src {media}"
        policy = f'<meta http-equiv="Content-Security-Policy" content="{rule}">'
        path = folder / f"policy-{name}.html"
        path.write_text(page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{policy}'))
        browser.driver.get(path.as_uri())
        if media == "data:":
            browser.wait(lambda: browser.state()["frame"] >= 3, "plays under a strict policy")
            said("plays under a strict policy", not browser.state()["broken"])
        else:
            browser.wait(lambda: browser.state()["broken"], "it says that it cannot play")
            time.sleep(0.3)
            text = browser.find(".player").text
            said("a page that cannot play says one thing", text.count("\n") == 0, repr(text))
        browser.driver.save_screenshot(str(folder / f"policy-{name}.png"))
    browser.complaints()


def scrub(browser: Browser, number: int, frame: int) -> None:
    browser.driver.execute_script(
        "const slider = document.querySelectorAll('.scanpy-anim')[arguments[0]].shadowRoot"
        ".querySelector('input'); slider.value = arguments[1];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}));",
        number,
        frame,
    )


def check_quiet(browser: Browser) -> None:
    inside = ("file:", "data:", "blob:", "chrome:")  # the last one: the browser's empty tab
    outside = [url for url in browser.requests() if not url.startswith(inside)]
    said("no request to the network", not outside, outside or "")
    complaints = browser.complaints()
    said("nothing on the console", not complaints, complaints or "")


def check_two_on_a_page(browser: Browser, folder: Path) -> None:
    path = folder / "two.html"
    first, second = player(film()), player(film(20, 200))
    dark = "<body style='background:#111;color:#eee'>"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{dark}{first}{second}{first}</body>")
    browser.open(path, (900, 1500))
    for number in range(3):
        browser.wait(lambda n=number: browser.state(n)["ready"] >= 2, "all are loaded")
    browser.wait(lambda: not browser.state(0)["paused"], "the first plays")
    for number in range(3):
        if not browser.state(number)["paused"]:
            browser.find(".play", number).click()
    scrub(browser, 0, 5)
    scrub(browser, 1, 9)
    scrub(browser, 2, 14)
    frames = [browser.settle(number)["frame"] for number in range(3)]
    said("three players, three frames", frames == [5, 9, 14], frames)
    for number, frame in ((0, 5), (2, 14)):
        check_shown(browser, number, frame)
    browser.find(".play", 1).click()
    browser.wait(lambda: browser.state(1)["frame"] > 11, "the second plays")
    frames = [browser.state(number)["frame"] for number in (0, 2)]
    said("and the others do not", frames == [5, 14])
    browser.driver.save_screenshot(str(folder / "two.png"))
    check_quiet(browser)


def check_phone(browser: Browser, folder: Path) -> None:
    path = folder / "phone.html"
    write(film(N_FRAMES, 900), path)
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    browser.driver.get(path.as_uri())
    browser.wait(lambda: browser.state()["ready"] >= 2, "the film is loaded")
    wide = browser.driver.execute_script("return document.documentElement.scrollWidth")
    said("nothing sticks out on a phone", wide <= 360, wide)
    browser.driver.save_screenshot(str(folder / "phone.png"))
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def check_notebook(browser: Browser, folder: Path) -> None:
    """A saved notebook, converted to a page: with scripts, and with what a sanitiser leaves."""
    import nbformat
    from nbconvert import HTMLExporter

    outputs = [
        nbformat.v4.new_output("display_data", {"text/html": player(picture)})
        for picture in (film(), film(20, 200))
    ]
    cells = [nbformat.v4.new_code_cell("animation", outputs=[output]) for output in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    path = folder / "notebook.ipynb"
    nbformat.write(notebook, path)
    print(f"notebook with two players: {path.stat().st_size:,} bytes")
    notebook = nbformat.read(path, 4)
    local = {"require_js_url": "", "mathjax_url": ""}
    body, _ = HTMLExporter(**local).from_notebook_node(notebook)
    (page := folder / "notebook.html").write_text(body)
    browser.open(page, (900, 1300))
    browser.wait(lambda: browser.state(1)["ready"] >= 2, "both are loaded")
    browser.wait(lambda: browser.state(0)["frame"] > 3, "nbconvert: it plays")
    browser.driver.save_screenshot(str(folder / "notebook.png"))
    said("nbconvert: it plays", True)
    scripts = re.compile(r"<script>\s*\(\(\) => .*?</script>", re.DOTALL)
    untrusted = scripts.sub("", body).replace("data-film", "data-gone")
    (page := folder / "untrusted.html").write_text(untrusted)
    browser.driver.get(page.as_uri())
    plain = "const v = document.querySelectorAll('.jp-OutputArea video')[1]; return "
    browser.driver.execute_script(plain + "v.play()")
    browser.wait(
        lambda: browser.driver.execute_script(plain + "v.currentTime > 0.3"),
        "untrusted notebook: a plain video plays",
    )
    browser.driver.save_screenshot(str(folder / "untrusted.png"))
    said("untrusted notebook: a plain video plays", True)
    (page := folder / "github.html").write_text(re.sub(r"</?video[^>]*>", "", untrusted))
    browser.driver.get(page.as_uri())
    images = "return Array.from(document.querySelectorAll('.jp-OutputArea img'))"
    sizes = browser.driver.execute_script(images + ".map(i => [i.naturalWidth, i.alt.length])")
    browser.driver.save_screenshot(str(folder / "github.png"))
    said("no videos let through: stills", len(sizes) == 2 and all(map(all, sizes)), sizes)


def check_many_frames(browser: Browser, folder: Path) -> None:
    path = folder / "many.html"
    size = write(film(1000, 200), path).size
    browser.open(path)
    scrub(browser, 0, 777)
    state = browser.settle()
    said("1,000 frames", state["count"] == "778 / 1000", f"{size:,} bytes")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            check_page(browser, folder)
            check_pauses(browser, folder)
            check_keys_and_window(browser, folder)
            check_policy(browser, folder)
            check_two_on_a_page(browser, folder)
            check_notebook(browser, folder)
            check_many_frames(browser, folder)
            check_phone(browser, folder)
        finally:
            browser.driver.quit()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile, "--force-prefers-reduced-motion")
        try:
            browser.open(folder / "page.html")
            time.sleep(1)
            said("waits where motion is not wanted", browser.state()["paused"])
        finally:
            browser.driver.quit()
    print(f"screenshots in {folder}")


if __name__ == "__main__":
    main()
