"""Plots: films of an embedding.

`_animate_embedding`: the call, as a story: resolve, set the stage, record, hand over.
`_call`: the call as it was made, in the film's files; with `panels`, a call for each.
`_options`, `_drawing`: arguments that go to scanpy, and ours of drawing, checked and read once.
`_color`, `_names`, `_columns`, `_color_arrays`: what each frame shows, in any spelling.
`_results_source`, `_source`: the same of what an algorithm stored; frame by frame, as arrays.
`_parts`: a frame for each category, cells that appear along a number.
`_matching`: which cluster of one frame is which of the next.
`_scale`, `_limits`: what a color map sees of numbers; its ends.
`_palette`: colors of categories.
`_coloring`, `_continuous_coloring`, `_categorical_coloring`: cells in color at any moment.
`_draw_order`: which cells lie on top.
`_pacing`, `_pace`, `_timeline`: when each frame is shown: asked for, by what changes, laid out.
`_basis`, `_motion`, `_spatial`: which embedding, how cells move, what tissue they lie in.
`_stand_in`, `_scanpy_plot`: what scanpy draws from, of which few cells, and its call.
`_stage`, `_layout`, `_legends`: scanpy's own figure, complete but for the cells; where things are.
`_labels`: categories named where their cells are, in every frame anew.
`_titles`, `_overlays`: texts of the frames; rings, texts and lines over the cells.
`_clip`, `_photos`, `_record`: what is played, the artists of each frame, celluloid's camera.
`_backdrop`: the stage cut at the cells, frames as pixels, one frame as a figure.
`_animation`: the film, as the user has it; behind its methods lie
`_footage`, `_saving`, `_notebook`, `_filmstrip`: its frames as pixels, how it is saved, what a
notebook shows of it and when, its frames in a row.
`_explore`, `_explore_order`, `_explore_panel`, `_explore_route`, `_explore_planes`,
`_explore_names`, `_explore_check`, `_explore_memory`, `_explorer`:
the page that holds the scores: from a film to its contents, what it takes in memory, the object
that shows and saves it.
`_side_by_side`: several films in one, on one clock.
`_writer`: our encoders for any matplotlib animation.
"""

from scanpy_anim.pl._animate_embedding import animate_embedding
from scanpy_anim.pl._animation import EmbeddingAnimation
from scanpy_anim.pl._explorer import Explorer
from scanpy_anim.pl._side_by_side import side_by_side
from scanpy_anim.pl._writer import FilmWriter  # noqa: F401 (registers itself)

__all__ = ["EmbeddingAnimation", "Explorer", "animate_embedding", "side_by_side"]
