"""A film's frames share one figure: cheaply, among threads, in pickles, on axes used twice."""

from __future__ import annotations

import cProfile
import io
import pickle
import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest

import scanpy_anim as sca
from scanpy_anim.pl._record import _StageCamera

from .pictures import drawn_by_matplotlib


@pytest.fixture
def noise(pbmc):
    pbmc.obsm["noise"] = np.random.default_rng(0).random((700, 3))
    return pbmc


def same(a, b) -> bool:
    return all((x == y).all() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    "arguments",
    [
        {"color": "noise"},
        {"color": "bulk_labels", "basis": ["pca", "umap"]},
        {"color": "noise", "components": ["1,2", "2,1"], "progress_line": True},
    ],
)
def test_a_film_comes_back_from_its_pickle(noise, arguments):
    film = sca.pl.animate_embedding(noise, **arguments)
    again = pickle.loads(pickle.dumps(film))
    assert same(film.frames(50), again.frames(50))
    assert same(film.frames(50), pickle.loads(pickle.dumps(again)).frames(50))
    assert again.metadata == film.metadata
    assert (again.timeline.seconds() == film.timeline.seconds()).all()
    assert len(again.filmstrip([0, -1]).axes) == len(film.filmstrip([0, -1]).axes)


def test_figures_and_stills_come_back_from_their_pickles(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    still = film.still(-1)
    again = pickle.loads(pickle.dumps(still))
    assert (drawn_by_matplotlib(again) == drawn_by_matplotlib(still)).all()
    stage = pickle.loads(pickle.dumps(film.figure))
    assert (drawn_by_matplotlib(stage) == drawn_by_matplotlib(film.still(0))).all()


@pytest.mark.parametrize("library", ["joblib", "cloudpickle"])
def test_other_libraries_pickle_films(noise, library, tmp_path):
    module = pytest.importorskip(library)
    film = sca.pl.animate_embedding(noise, color="noise")
    if library == "joblib":
        module.dump(film, tmp_path / "film")
        again = module.load(tmp_path / "film")
    else:
        again = pickle.loads(module.dumps(film))
    assert same(film.frames(50), again.frames(50))


def test_threads_may_share_a_film(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    alone, drawn = list(film.frames(50)), {}

    def draw(i):
        drawn[i] = list(film.frames(50))

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(frames, alone) for frames in drawn.values())


def test_threads_may_draw_two_films_of_one_figure(noise):
    fig, axes = plt.subplots(1, 2)
    films = [
        sca.pl.animate_embedding(noise, color=c, ax=ax)
        for c, ax in zip(["noise", "noise"], axes, strict=True)
    ]
    alone, drawn = [list(film.frames(50)) for film in films], {}

    def draw(i):
        for again in range(3):
            drawn[i, again] = list(films[i % 2].frames(50))

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plt.close(fig)
    assert len(drawn) == 12
    assert all(same(frames, alone[i % 2]) for (i, _), frames in drawn.items())


def test_frames_may_be_asked_for_at_the_same_time(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    for a, b in zip(film.frames(50), film.frames(50), strict=True):
        assert (a == b).all()
    assert (next(film.frames(50)) == next(iter(list(film.frames(50))))).all()


def test_only_the_artists_of_one_frame_are_on_the_axes(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    before = len(film.figure.axes[0].get_children())
    list(film.frames(50))
    film.still(2)
    assert len(film.figure.axes[0].get_children()) == before
    assert [artist for artist in film.photos[0] if artist.axes is None] == []
    assert all(artist.axes is None for artist in film.photos[1])


def test_many_frames_take_their_number_times_one():
    """celluloid's contract in linear time: its own camera looks at all artists in each snap."""
    fig, ax = plt.subplots()
    camera = _StageCamera(fig)
    calls = []
    for _ in range(2):
        profile = cProfile.Profile()
        with profile:
            for _ in range(500):
                ax.text(0, 0, "frame")
                photo = camera.snap()
        calls.append(sum(entry.callcount for entry in profile.getstats()))
    plt.close(fig)
    assert len(photo) == 1
    assert calls[1] < 1.2 * calls[0]


def test_axes_may_be_cleared_and_used_again(noise):
    fig, ax = plt.subplots()
    first = sca.pl.animate_embedding(noise, color="noise", ax=ax)
    ax.clear()
    second = sca.pl.animate_embedding(noise, color="n_counts", ax=ax)
    alone, axes = plt.subplots()
    fresh = sca.pl.animate_embedding(noise, color="n_counts", ax=axes, colorbar_loc=None)
    assert len(list(second.frames(50))) == len(list(fresh.frames(50)))
    with pytest.raises(ValueError, match="axes have been cleared"):
        next(first.frames(50))
    with pytest.raises(ValueError, match="axes have been cleared"):
        first.still(0)
    plt.close(fig)
    plt.close(alone)


def test_axes_where_nothing_would_be_seen_are_refused(noise):
    fig, ax = plt.subplots()
    with pytest.raises(ValueError, match="ax is an inset"):
        sca.pl.animate_embedding(noise, color="noise", ax=ax.inset_axes([0.5, 0.5, 0.4, 0.4]))
    fig.set_visible(False)
    with pytest.raises(ValueError, match="ax is invisible"):
        sca.pl.animate_embedding(noise, color="noise", ax=ax)
    plt.close(fig)


def test_a_strip_of_one_thing_says_what_it_is(noise):
    film = sca.pl.animate_embedding(noise, color="bulk_labels")
    assert film.filmstrip().axes[0].get_title() == "bulk_labels"


def test_figures_may_be_cleared_and_used_again(noise):
    drawn = []
    for color in ["noise", "bulk_labels", "noise"]:
        fig, ax = plt.subplots(num="films", clear=True)
        drawn.append(list(sca.pl.animate_embedding(noise, color=color, ax=ax).frames(50)))
    plt.close(fig)
    assert same(drawn[0], drawn[2])


def test_a_still_gives_up_its_color_bar(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    still = film.still(0)
    still.axes[1]._colorbar.remove()
    assert len(still.axes) == 1
    still.savefig(io.BytesIO())
    still = film.still(0)
    still.axes[1].remove()
    still.savefig(io.BytesIO())
    assert len(film.figure.axes) == 2
