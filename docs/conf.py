"""Sphinx configuration: built without network, notebooks shown as they were saved."""

import re
from math import inf
from pathlib import Path
from shutil import copy

from scanpy_anim import __version__ as release
from scanpy_anim.video import TARGETS, Target

project = "scanpy-anim"
author = copyright = "scanpy-anim developers"
version = release

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
]
default_role = "code"

# Notebooks stand beside the documentation, Sphinx wants them inside; limits of places where films
# go are told as the package knows them.
HERE = Path(__file__).parent
GENERATED = HERE / "generated"
(GENERATED / "notebooks").mkdir(parents=True, exist_ok=True)
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
    copy(notebook, GENERATED / "notebooks")


def _format(target: Target, suffix: str) -> str:
    most, frames = target.max_bytes[suffix], target.max_frames.get(suffix)
    pixels, all_pixels = target.max_pixels.get(suffix), target.max_film_pixels.get(suffix)
    limits = [
        f"{most / 1e6:,.0f} MB" if most else "",
        f"{pixels:,} pixels" if pixels else "",
        f"{frames} frames" if frames else "",
        f"{all_pixels / 1e6:,.0f} million pixels in all frames" if all_pixels else "",
    ]
    return f"`{suffix}` {', '.join(filter(None, limits))}".strip()


def _row(target: Target) -> str:
    limits = "; ".join(_format(target, suffix) for suffix in target.max_bytes)
    shortest, longest = target.seconds
    length = "any" if longest == inf else f"{shortest:g} to {longest:g} s"
    size = f"{target.max_width} × {target.max_height}"
    source = re.sub(r"https://\S+?(?=[;,]?(?:\s|$))", r"<\g<0>>", target.source)
    cells = (f'`"{target.name}"`', target.title, limits, size, length, source, target.looked_up)
    return f"| {' | '.join(cells)} |"


(GENERATED / "targets.md").write_text(
    "\n".join(
        [
            "| `target=` | place | formats, at most | pixels, at most | length | where it is said "
            "| looked up |",
            "|---|---|---|---|---|---|---|",
            *map(_row, TARGETS.values()),
            "",
            "Places change their limits without notice.",
            "",
        ]
    ),
    encoding="utf-8",
)

# Tables that a benchmark has written: docs/<what>_benchmarks.md.
(GENERATED / "measured.md").write_text(
    "\n".join(
        f"```{{include}} /{table.name}\n:heading-offset: 1\n```\n"
        for table in sorted(HERE.glob("*_benchmarks.md"))
    )
    or "No table has been recorded yet.\n",
    encoding="utf-8",
)
exclude_patterns = ["_build", "generated/*.md", "*_benchmarks.md"]

nb_execution_mode = "off"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"scanpy-anim {release}"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
