"""Every format through programs that are not ours: ``python benchmarks/check_formats.py [folder]``.

Needs Debian's ``ffmpeg``, ``gifsicle``, ``webp`` and, for what a browser shows, ``chromium`` with
``chromium-driver`` and ``selenium``. Prints one line a check; ends with an error at the first that
fails.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from check_player import Browser, said

from scanpy_anim.video import FORMATS, Film, write

INKS = np.array([[255, 255, 255], [0, 0, 0], [214, 39, 40], [31, 119, 180], [44, 160, 44]], "u1")
SIDE, N_FRAMES, HOLD, LOOP = 241, 12, 1.5, 3  # an odd size


def frames() -> np.ndarray:
    """Blocks in five inks that change places, one ink a frame in the middle."""
    pictures = np.full((N_FRAMES, SIDE, SIDE, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        for block in range(25):
            row, column = divmod(block, 5)
            ink = INKS[(block + (number if block % 2 else 0)) % 5]
            picture[row * 48 : row * 48 + 40, column * 48 : column * 48 + 40] = ink
        picture[96:136, 96:136] = middle(number)
    return pictures


def middle(number: int) -> tuple[int, int, int]:
    return (number * 37 % 200 + 20, number * 91 % 200 + 20, 120)


def run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def probe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format"]
    found = json.loads(run(*command, "-of", "json", path))
    stream = max(found["streams"], key=lambda s: int(s.get("nb_read_frames", 0)))
    return stream | {"total": float(found["format"].get("duration", "nan"))}


def decoded(path: Path, height: int, width: int, stream: int) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", f"0:{stream}"]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run([*map(str, command)], capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def check_with_ffmpeg(path: Path, expected: np.ndarray, tolerance: float) -> None:
    stream = probe(path)
    height, width = stream["height"], stream["width"]
    said(f"{path.suffix} ffprobe: frames", int(stream["nb_read_frames"]) == N_FRAMES)
    if path.suffix in (".mp4", ".webm"):
        said(f"{path.suffix} even size", (width, height) == (242, 242), (width, height))
        tags = [stream.get(f"color_{name}") for name in ("range", "space", "transfer")]
        said(f"{path.suffix} tags", tags == ["tv", "bt709", "iec61966-2-1"], tags)
        said(f"{path.suffix} pixel format", stream["pix_fmt"] == "yuv420p")
    else:
        said(f"{path.suffix} size", (width, height) == (SIDE, SIDE))
    total = 0.1 * (N_FRAMES - 1) + HOLD
    if path.suffix not in (".apng", ".avif"):  # ffprobe gives none for apng, -0.001 for avif
        length = stream["total"]
        said(f"{path.suffix} ffprobe: duration", abs(length - total) < 0.01, length)
    pictures = decoded(path, height, width, stream["index"])[:, :SIDE, :SIDE].astype(int)
    centres = pictures[:, 20::48, 20::48] - expected[:, 20::48, 20::48]
    off = int(np.abs(centres).max())
    said(f"{path.suffix} ffmpeg: colors within {tolerance}", off <= tolerance, f"({off})")


def check_gif(path: Path) -> None:
    info = run("gifsicle", "--info", path)
    said("gif gifsicle: images", f"{N_FRAMES} images" in info)
    said("gif gifsicle: loop", f"loop count {LOOP - 1}" in info, "(repeats)")
    said("gif gifsicle: one palette", "local color table" not in info)
    delays = re.findall(r"delay ([0-9.]+)s", info)
    said("gif gifsicle: delays", delays == ["0.10"] * (N_FRAMES - 1) + ["1.50"])
    said("gif gifsicle: comment", "comment" in info and "alpha" in info)


def check_webp(path: Path) -> None:
    info = run("webpmux", "-info", path)
    said("webp webpmux: frames", f"Number of frames: {N_FRAMES}" in info)
    said("webp webpmux: loop", f"Loop Count : {LOOP}" in info)
    durations = [int(row.split()[6]) for row in info.splitlines() if re.match(r"\s*\d+:", row)]
    said("webp webpmux: durations", durations == [100] * (N_FRAMES - 1) + [1500])


def check_in_browser(folder: Path) -> None:
    """What Chromium shows: colors and number of frames, durations and loops of images."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile, "--allow-file-access-from-files")
        try:
            for suffix, kind in [
                (".gif", "gif"), (".webp", "webp"), (".apng", "png"), (".avif", "avif"),
            ]:  # fmt: skip
                check_image(browser, folder, suffix, f"image/{kind}")
            for suffix in (".mp4", ".webm"):
                check_video(browser, folder, suffix)
        finally:
            browser.driver.quit()


IMAGE = """
const done = arguments[2];
fetch(arguments[0]).then(async (reply) => {
  const decoder = new ImageDecoder({data: await reply.arrayBuffer(), type: arguments[1]});
  await decoder.tracks.ready;
  await decoder.completed;
  const track = decoder.tracks.selectedTrack;
  const durations = [], colors = [];
  for (let i = 0; i < track.frameCount; i++) {
    const {image} = await decoder.decode({frameIndex: i});
    durations.push(image.duration / 1000);
    const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    colors.push(Array.from(context.getImageData(116, 116, 1, 1).data).slice(0, 3));
  }
  done({durations, colors, repetitions: track.repetitionCount});
}).catch((error) => done({error: String(error)}));
"""


def check_image(browser: Browser, folder: Path, suffix: str, kind: str) -> None:
    (page := folder / "empty.html").write_text("<!DOCTYPE html><link rel=icon href=data:,>")
    browser.driver.get(page.as_uri())
    url = (folder / f"film{suffix}").as_uri()
    shown = browser.driver.execute_async_script(IMAGE, url, kind)
    said(f"{suffix} Chromium: decodes", "error" not in shown, shown.get("error", ""))
    said(f"{suffix} Chromium: frames", len(shown["colors"]) == N_FRAMES)
    wanted = [100] * (N_FRAMES - 1) + [1500]
    said(f"{suffix} Chromium: durations", shown["durations"] == wanted, shown["durations"])
    repeats = shown["repetitions"]
    forever = repeats is None or repeats > 1e9
    right = forever if suffix == ".avif" else repeats == LOOP - 1
    said(f"{suffix} Chromium: repetitions", right, repeats)
    off = np.abs(np.array(shown["colors"]) - [middle(n) for n in range(N_FRAMES)]).max()
    said(f"{suffix} Chromium: colors", off <= {".webp": 12, ".avif": 12}.get(suffix, 0), off)


def check_video(browser: Browser, folder: Path, suffix: str) -> None:
    page = folder / "video.html"
    page.write_text(
        "<!DOCTYPE html><link rel=icon href=data:,><body style='margin:0'>"
        f"<video muted src='film{suffix}'></video></body>"
    )
    browser.driver.get(page.as_uri())
    script = "const v = document.querySelector('video'); return "
    ready = script + "v.readyState"
    browser.wait(lambda: browser.driver.execute_script(ready) >= 2, f"{suffix} plays in Chromium")
    length = browser.driver.execute_script(script + "v.duration")
    said(f"{suffix} Chromium: duration", abs(length - 2.6) < 0.01, length)
    for number in (0, 5, 11, 3):
        at = number * 0.1 + 0.05
        browser.driver.execute_script(script + f"v.currentTime = {at}")
        browser.wait(
            lambda: browser.driver.execute_script(script + "!v.seeking && v.readyState >= 2"),
            "seeking ends",
        )
        time.sleep(0.2)
        picture = folder / "shot.png"
        browser.driver.save_screenshot(str(picture))
        from PIL import Image

        shown = np.asarray(Image.open(picture).convert("RGB"))[116, 116].astype(int)
        off = np.abs(shown - middle(number)).max()
        said(f"{suffix} Chromium: frame {number} on screen", off <= 6, f"(off by {off})")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    expected = frames()
    film = Film(
        lambda scale: iter(expected),
        [0.1] * (N_FRAMES - 1) + [HOLD],
        palette=INKS,
        metadata={"title": "blocks", "comment": "alpha=0.99"},
    )
    for suffix in FORMATS:
        path = folder / f"film{suffix}"
        written = write(film, path, loop=LOOP)
        print(f"{path.name}: {written.size:,} bytes {' '.join(written.notes)}")
    for suffix, tolerance in ((".gif", 0), (".mp4", 6), (".webm", 6), (".apng", 0), (".avif", 8)):
        check_with_ffmpeg(folder / f"film{suffix}", expected.astype(int), tolerance)
    check_gif(folder / "film.gif")
    check_webp(folder / "film.webp")
    check_in_browser(folder)


if __name__ == "__main__":
    main()
