"""Films in real notebooks: ``python benchmarks/check_jupyter.py [folder]``.

Needs ``jupyterlab``, ``notebook``, ``ipykernel``, ``nbclient`` and ``selenium`` in this package's
environment, and Debian's ``chromium`` and ``chromium-driver``. Opens a saved notebook with two
films in JupyterLab and in Notebook 7: as a stranger's (not trusted), trusted, and run anew. Writes
screenshots into the folder and prints one line a check; ends with an error at the first that fails.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import nbformat
from check_player import Browser, said, scrub
from nbclient import NotebookClient
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NASTY = "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'>"
CELLS = [
    """import scanpy as sc, scanpy_anim as sca
adata = sc.datasets.pbmc68k_reduced()
sca.tl.label_propagation(adata, [0, 5, 9])
sca.pl.animate_embedding(adata)""",
    f"""adata.obs[{NASTY!r}] = range(adata.n_obs)
sca.pl.animate_embedding(adata, color=[{NASTY!r}, "CD3D", "LYZ"], scale="linear", fps=2)""",
]
FRONTENDS = {"lab": "lab/tree/films.ipynb", "notebook": "notebooks/films.ipynb"}
OUTPUTS = "Array.from(document.querySelectorAll('.jp-OutputArea-output'))"
OLD = "document.querySelectorAll('.scanpy-anim').forEach(host => host.classList.add('old'))"
PLAYERS = (
    "return Array.from(document.querySelectorAll('.jp-OutputArea .scanpy-anim:not(.old)'))"
    ".filter(host => host.shadowRoot).length"
)


EXPLORERS = [
    f"{CELLS[0]}.explore(hover=['n_genes'])",
    "sca.pl.animate_embedding(adata, basis=['umap', 'pca'], tween=4).explore()",
    "sca.pl.animate_embedding(adata, panels=['label_propagation', 'bulk_labels']).explore()",
    "sca.pl.animate_embedding(adata, sort_order='frame').explore(hover=['louvain'])",
    """adata.obsm["X_space"] = adata.obsm["X_pca"][:, :3]
sca.pl.animate_embedding(adata, basis="space", projection="3d", rotate=90).explore()""",
]
PAGES = "document.querySelectorAll('.jp-OutputArea iframe[srcdoc]')"
EXPLORER_ROOT = "document.querySelector('.scanpy-anim-explorer').shadowRoot"
SHOWN = """
const root = document.querySelector('.scanpy-anim-explorer')?.shadowRoot;
const picture = root?.querySelector('.picture');
return Boolean(picture && !picture.hidden && picture.width > 100);
"""


def saved_notebook(path: Path, sources: Sequence[str] = CELLS) -> None:
    """Run films and save them, as anyone would; how large they are is said."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    NotebookClient(notebook, timeout=600).execute()
    nbformat.write(notebook, str(path))
    print(f"saved {path.name}: {path.stat().st_size:,} bytes")


@contextmanager
def server(folder: Path, app: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a folder with a frontend that has never seen it: nothing in it is trusted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        places = ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        environment = os.environ | {name: f"{home}/{name.lower()}" for name in places}
        command = [sys.executable, "-m", "jupyter", app, "--no-browser", f"--port={port}"]
        command += ["--ServerApp.token=", "--ServerApp.port_retries=0", "--allow-root"]
        command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class="]
        command[-1] += "jupyterlab.NeverCheckForUpdate"
        with (folder / f"{app}.log").open("w") as log:
            running = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            url = f"http://127.0.0.1:{port}/"
            Browser.wait(lambda: _answers(url), f"{app} is up", 60)
            yield url, environment
        finally:
            running.terminate()
            running.wait(30)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}api") as reply:
            return reply.status == 200
    except OSError:
        return False


def check_untrusted(browser: Browser, url: str, folder: Path, app: str) -> None:
    """What a stranger's notebook shows: no script, but a video with the browser's controls."""
    browser.driver.get(url + FRONTENDS[app])
    count = f"return {OUTPUTS}.length"
    browser.wait(lambda: browser.driver.execute_script(count) >= 2, "the notebook is open", 90)
    said(f"{app}, not trusted: no script runs", browser.driver.execute_script(PLAYERS) == 0)
    plain = f"return {OUTPUTS}.map(o => o.querySelectorAll('video[controls]').length)"
    videos = browser.driver.execute_script(plain)
    said(f"{app}, not trusted: a plain video each", videos == [1, 1], videos)
    first = f"const v = {OUTPUTS}[0].querySelector('video'); "
    browser.driver.execute_script(first + "v.play()")
    playing = first + "return v.currentTime > 0.3"
    browser.wait(lambda: browser.driver.execute_script(playing), "the plain video plays")
    browser.driver.save_screenshot(str(folder / f"{app}-untrusted.png"))
    said(f"{app}, not trusted: it plays", True)


def check_explorers(browser: Browser, url: str, folder: Path, app: str, how: str) -> None:
    """Pages that hold the scores: the last frame of each, and where scripts run itself."""
    browser.driver.get(url + FRONTENDS[app].replace("films", "explorer") + "?reset")
    many = len(EXPLORERS)
    poster = f"return {OUTPUTS}.flatMap(o => [...o.querySelectorAll('img')]).length"
    browser.wait(lambda: browser.driver.execute_script(poster) == many, "posters are there", 90)
    pages = browser.driver.execute_script(f"return {PAGES}.length")
    if how == "not trusted":
        said(f"{app}, explorers, {how}: pictures and no pages", pages == 0, pages)
    else:
        check_pages(browser, folder, app, how)
    browser.driver.save_screenshot(str(folder / f"{app}-explorer-{how.replace(' ', '-')}.png"))
    check_quiet(browser, url, app, f"explorers, {how}")


def check_pages(browser: Browser, folder: Path, app: str, how: str) -> None:
    """Each page shows its cells, and plays."""
    run, many = browser.driver.execute_script, len(EXPLORERS)
    browser.wait(lambda: run(f"return {PAGES}.length") == many, "a page each", 120)
    for number in range(many):
        run(f"{PAGES}[{number}].scrollIntoView({{block: 'center'}})")
        browser.driver.switch_to.frame(run(f"return {PAGES}[{number}]"))
        browser.wait(lambda: run(SHOWN), f"explorer {number} is shown", 60)
        run(f"{EXPLORER_ROOT}.querySelector('input').focus()")
        browser.driver.switch_to.active_element.send_keys(Keys.HOME, " ")
        frame = f"return Number({EXPLORER_ROOT}.querySelector('input').value)"
        browser.wait(lambda: run(frame) > 0, f"explorer {number} plays", 30)  # noqa: B023
        browser.driver.switch_to.default_content()
        browser.driver.save_screenshot(str(folder / f"{app}-explorer-{how}-{number}.png"))
    said(f"{app}, explorers, {how}: all are shown, and play", True)


def check_players(browser: Browser, folder: Path, app: str, how: str) -> None:
    """Two players that obey and do not know of each other."""
    browser.wait(lambda: browser.driver.execute_script(PLAYERS) == 2, f"{how}: two players", 180)
    show(browser, 0)
    browser.wait(lambda: browser.state(0)["ready"] >= 2, "the first film is loaded", 30)
    browser.wait(lambda: browser.state(0)["frame"] >= 2, "it plays by itself", 30)
    browser.find(".play", 0).click()
    said(f"{app}, {how}: pause", browser.settle(0)["paused"])
    slider = browser.find("input", 0)
    slider.send_keys(Keys.HOME)
    said(f"{app}, {how}: Home", browser.settle(0)["frame"] == 0)
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    state = browser.settle(0)
    said(f"{app}, {how}: arrow keys", state["frame"] == 2, state["valuetext"])
    scrub(browser, 0, 5)
    said(f"{app}, {how}: scrub", browser.settle(0)["frame"] == 5)
    browser.find("input", 0).send_keys(" ")
    browser.wait(lambda: not browser.state(0)["paused"], "space plays")
    browser.driver.save_screenshot(str(folder / f"{app}-{how}-1.png"))
    browser.find("input", 0).send_keys(" ")
    browser.wait(lambda: browser.state(0)["paused"], "space pauses")
    frame = browser.settle(0)["frame"]
    show(browser, 1)
    browser.wait(lambda: browser.state(1)["ready"] >= 2, "the second film is loaded", 30)
    browser.find("input", 1).send_keys(Keys.END)
    state = browser.settle(1)
    said(f"{app}, {how}: the second film", state["count"] == "3 / 3", state["title"])
    browser.driver.save_screenshot(str(folder / f"{app}-{how}-2.png"))
    said(f"{app}, {how}: the first stays", browser.state(0)["frame"] == frame)
    hacked = browser.driver.execute_script("return window.hacked")
    said(f"{app}, {how}: keys are text", hacked is None, browser.state(1)["valuetext"][:24])


def show(browser: Browser, number: int) -> None:
    browser.driver.execute_script(
        "document.querySelectorAll('.jp-OutputArea .scanpy-anim')[arguments[0]]"
        ".scrollIntoView({block: 'center'})",
        number,
    )


def check_quiet(browser: Browser, url: str, app: str, how: str) -> None:
    own = ("data:", "blob:", "chrome:", "chrome-untrusted:")
    inside = (url, url.replace("http", "ws", 1), *own)
    outside = [asked for asked in browser.requests() if not asked.startswith(inside)]
    said(f"{app}, {how}: no request beyond the server", not outside, outside or "")
    ours = [text for text in browser.complaints() if "SEVERE" in text or "anim" in text]
    said(f"{app}, {how}: nothing on the console", not ours, ours or "")


def run_all(browser: Browser, mark: str) -> None:
    """Run everything from the menu; a script marks or removes what is there already."""
    browser.driver.execute_script(mark)
    menu = "//div[contains(@class, 'lm-MenuBar-itemLabel') and text() = 'Run']"
    browser.driver.find_element(By.XPATH, menu).click()
    item = ".lm-Menu-item[data-command='runmenu:run-all']"
    found = partial(browser.driver.find_elements, By.CSS_SELECTOR, item)
    browser.wait(found, "the menu opens")
    found()[0].click()
    browser.wait(
        lambda: not browser.driver.find_elements(By.CSS_SELECTOR, ".scanpy-anim.old"),
        "all cells are run",
        180,
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    saved_notebook(path := folder / "films.ipynb")
    saved_notebook(page := folder / "explorer.ipynb", EXPLORERS)
    for app in FRONTENDS:
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            server(folder, app) as (url, environment),
        ):
            browser = Browser(profile)
            browser.driver.set_window_size(1300, 1000)
            try:
                check_untrusted(browser, url, folder, app)
                check_explorers(browser, url, folder, app, "not trusted")
                trust = [sys.executable, "-m", "jupyter", "trust", str(path), str(page)]
                subprocess.run(trust, env=environment, check=True, capture_output=True)
                check_explorers(browser, url, folder, app, "trusted")
                run_all(browser, f"{PAGES}.forEach(page => page.remove())")
                check_pages(browser, folder, app, "run")
                check_quiet(browser, url, app, "explorers, run")
                browser.driver.get(url + FRONTENDS[app] + "?reset")
                check_players(browser, folder, app, "trusted")
                check_quiet(browser, url, app, "trusted")
                run_all(browser, OLD)
                check_players(browser, folder, app, "run")
                outputs = browser.driver.execute_script(f"return {OUTPUTS}.length")
                said(f"{app}, run: one output a film, no picture besides", outputs == 2, outputs)
                check_quiet(browser, url, app, "run")
            finally:
                browser.driver.quit()
    print(f"screenshots in {folder}")


if __name__ == "__main__":
    main()
