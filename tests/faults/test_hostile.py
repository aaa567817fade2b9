"""Texts that want to be code, in a real browser where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scanpy_anim.video import Film, player, write

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
RUN = "document.documentElement.setAttribute('data-run','1')"
HOSTILE = [
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><svg onload={RUN}>',
    f"' onmouseover={RUN} autofocus onfocus={RUN} '",
    f"</title></style></textarea></noscript></video><script>{RUN}</script>",
    f"<!--<script>--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"javascript:{RUN}",
    f"`;{RUN};`${{{RUN}}}",
    f"\\u003c/script\\u003e\\u003cscript\\u003e{RUN}",
    f"\u2028{RUN}\u2029//",
    f"*/{RUN}/*",
    f"{{film}}{{0}}%s{{{{{RUN}}}}}",
    f"\x00<\x00script>{RUN}</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"+ADw-script+AD4-{RUN}",
    "\ud800\udfff" + f"<script>{RUN}</script>",
]


def film_of(text: str) -> Film:
    frame = np.full((24, 32, 3), 128, np.uint8)
    return Film(
        lambda scale: iter([frame, frame]),
        [0.5, 0.5],
        titles=[text, text],
        description=text,
        metadata={"title": text, "comment": text, text: text},
    )


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_no_text_runs_in_a_browser(tmp_path: Path) -> None:
    """All in one page of fragments, and a page of its own for the worst together."""
    fragments = "".join(player(film_of(text)) for text in HOSTILE)
    head = "<!DOCTYPE html><meta charset=utf-8>"
    (tmp_path / "all.html").write_text(head + f"<body>{fragments}</body>", "utf-8")
    write(film_of("".join(HOSTILE)), tmp_path / "own.html")
    # the check itself works: this one does run
    (tmp_path / "runs.html").write_text(head + f"<body>{HOSTILE[1]}</body>", "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    for name, ran in (("all", False), ("own", False), ("runs", True)):
        command = [BROWSER, *options, (tmp_path / f"{name}.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert "<html" in done.stdout, done.stderr[-500:]
        opening = re.search(r"<html[^>]*>", done.stdout)[0]
        assert ("data-run" in opening) == ran, name
        assert done.stdout.count("scanpy-anim") >= {"all": len(HOSTILE), "own": 1, "runs": 0}[name]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".mov", ".webm", ".webp", ".apng", ".avif"])
def test_any_text_fits_into_any_file(tmp_path: Path, suffix: str, text: str) -> None:
    assert write(film_of(text), tmp_path / f"film{suffix}").size > 0
