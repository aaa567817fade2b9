"""Sphinx configuration: built without network, notebooks shown as they were saved."""

from pathlib import Path
from shutil import copy

from scanpy_anim import __version__ as release

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
exclude_patterns = ["_build"]
default_role = "code"

# Notebooks stand beside the documentation; Sphinx wants them inside.
HERE = Path(__file__).parent
NOTEBOOKS = HERE / "generated" / "notebooks"
NOTEBOOKS.mkdir(parents=True, exist_ok=True)
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
    copy(notebook, NOTEBOOKS)
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
