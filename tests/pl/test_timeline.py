"""When: moments, tweens, holds, pace, against sequences written out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanpy_anim.pl._pacing import Pacing
from scanpy_anim.pl._timeline import JUMP, Moment

PACES = "even", "change"


def shown(pacing: Pacing, n: int) -> list[tuple[int, int, float]]:
    return [(m.first, m.second, m.weight) for m in pacing.timeline(n).moments]


def test_every_frame_once_and_the_last_one_held():
    timeline = Pacing(fps=4, hold=1.5).timeline(3)
    assert [m.first for m in timeline.moments] == [0, 1, 2]
    np.testing.assert_allclose(timeline.seconds(), [0.25, 0.25, 1.5])


def test_another_pace_when_saving_keeps_the_hold():
    np.testing.assert_allclose(Pacing(fps=4, hold=1.5).timeline(3).seconds(10), [0.1, 0.1, 1.5])


def test_one_frame_stays_as_long_as_asked_when_saving():
    timeline = Pacing(duration=6).timeline(1)
    assert timeline.seconds().tolist() == [6]
    assert timeline.seconds(hold=2.5).tolist() == [2.5]


def test_tweens_lie_evenly_between_frames():
    between = [(0, 1, 1 / 3), (0, 1, 2 / 3)]
    expected = [(0, 0, 0), *between, (1, 1, 0), (1, 2, 1 / 3), (1, 2, 2 / 3), (2, 2, 0)]
    for got, want in zip(shown(Pacing(tween=2), 3), expected, strict=True):
        assert got == pytest.approx(want)


def test_ease_in_out_starts_and_ends_slowly():
    weights = [m.weight for m in Pacing(tween=3, ease="in-out").timeline(2).moments]
    assert weights[:4] == pytest.approx([0, 0.15625, 0.5, 0.84375])  # 3w² - 2w³
    assert Pacing(tween=1, ease=lambda w: w**2).timeline(2).moments[1].weight == 0.25


@pytest.mark.parametrize(
    ("pacing", "frames"),
    [
        (Pacing(every=2), [0, 2, 4, 5]),
        (Pacing(every=5), [0, 5]),
        (Pacing(frames=[0, -1, 3]), [0, 5, 3]),
        (Pacing(frames=slice(1, 4)), [1, 2, 3]),
        (Pacing(reverse=True), [5, 4, 3, 2, 1, 0]),
        (Pacing(bounce=True, every=5), [0, 5]),
        (Pacing(bounce=True, frames=slice(3)), [0, 1, 2, 1]),
    ],
)
def test_which_frames(pacing, frames):
    assert [m.first for m in pacing.timeline(6).moments] == frames


def test_first_and_last_are_held():
    timeline = Pacing(hold=(0.5, 2), fps=10).timeline(3)
    np.testing.assert_allclose(timeline.seconds(), [0.5, 0.1, 2])
    np.testing.assert_allclose(Pacing(hold=(0.5, 2)).timeline(1).seconds(), [2])


def test_duration_is_kept():
    timeline = Pacing(duration=6, hold=1).timeline(11)
    assert timeline.seconds().sum() == pytest.approx(6)
    with pytest.raises(ValueError, match=r"duration=1: the held frames alone last 2 s"):
        Pacing(duration=1, hold=2).timeline(3)


def picture(moment: Moment) -> float:
    """A picture of one number: nearly all happens between frames 0 and 1, half of it at once."""
    if 0 < moment.place < 1:
        return 5 * min(moment.place / JUMP, 1) + 5 * moment.place
    return {0: 0.0}.get(moment.place, 9 + moment.place)


def seen_change(a: Moment, b: Moment) -> float:
    return abs(picture(b) - picture(a))


def test_pace_of_change_shows_the_same_change_in_every_step():
    even, paced = (Pacing(pace=pace, tween=3).timeline(4, seen_change) for pace in PACES)
    steps = [np.diff([picture(m) for m in film.moments]) for film in (even, paced)]
    assert steps[0].max() > 5 * np.mean(steps[0])
    np.testing.assert_allclose(steps[1], 1.0, rtol=0.02)
    assert len(even) == len(paced)


def test_pace_of_change_eases_over_the_whole_film():
    film = Pacing(pace="change", tween=3, ease="in-out").timeline(4, seen_change)
    share = np.linspace(0, 1, 13)
    wanted = 12 * share**2 * (3 - 2 * share)
    np.testing.assert_allclose([picture(m) for m in film.moments], wanted, atol=0.05)


def test_pace_of_change_without_any_is_even():
    pacing = Pacing(pace="change", tween=2, ease="in-out")
    assert pacing.timeline(4, lambda a, b: 0.0) == Pacing(tween=2, ease="in-out").timeline(4)


@given(
    n=st.integers(1, 40),
    tween=st.integers(0, 5),
    every=st.integers(1, 50),
    bounce=st.booleans(),
    reverse=st.booleans(),
)
def test_a_film_starts_and_ends_where_it_should(n, tween, every, bounce, reverse):
    pacing = Pacing(tween=tween, every=every, bounce=bounce, reverse=reverse)
    moments = pacing.timeline(n).moments
    assert moments[0].nearest == (n - 1 if reverse else 0)
    assert all(0 <= m.weight < 1 and 0 <= m.first < n and 0 <= m.second < n for m in moments)
    whole = [m.first for m in moments if m.weight == 0]
    assert set(whole) == set(pacing.chosen(n))


def test_nearest_frame():
    assert Moment(3, 4, 0.4).nearest == 3
    assert Moment(3, 4, 0.6).nearest == 4


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "10"])
def test_bad_fps(value):
    with pytest.raises(ValueError, match="fps="):
        Pacing(fps=value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tween": -1}, r"tween=-1: a whole number, 0 or more"),
        ({"tween": 1.5}, r"tween=1.5"),
        ({"every": 0}, r"every=0: a whole number, 1 or more"),
        ({"hold": -1}, r"hold=-1"),
        ({"hold": math.nan}, r"hold=nan"),
        ({"hold": (1, 2, 3)}, r"pair \(first, last\)"),
        ({"ease": "slow"}, r"ease='slow': 'linear', 'in-out'"),
        ({"pace": "fast"}, r"pace='fast': 'auto', 'even' or 'change'"),
        ({"every": 2, "frames": [0, 1]}, r"every=2 beside frames=\[0, 1\]"),
        ({"fps": 5, "duration": 3}, r"fps=5, duration=3: one of the two"),
        ({"duration": 0}, r"duration=0"),
        ({"frames": 3}, r"frames=3: a list of numbers"),
        ({"frames": "all"}, r"frames='all': a list of numbers"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Pacing(**arguments)


@pytest.mark.parametrize("name", ["reverse", "bounce"])
@pytest.mark.parametrize("value", ["no", 1, None])
def test_switches_are_true_or_false(name, value):
    with pytest.raises(TypeError, match=f"{name}={value!r} must be True or False"):
        Pacing(**{name: value})


@pytest.mark.parametrize("gives", [None, "0.5", math.nan, [0.5]])
def test_an_ease_that_gives_no_number(gives):
    with pytest.raises(ValueError, match="ease: the function gave"):
        Pacing(tween=1, ease=lambda w: gives).timeline(2)


@pytest.mark.parametrize(("n", "fps"), [(1, 1), (2, 1), (8, 2), (20, 5), (40, 10), (400, 10)])
def test_short_films_are_slow_enough_to_be_watched(n, fps):
    assert Pacing().timeline(n).fps == fps
    assert Pacing(fps=25).timeline(n).fps == 25
    assert Pacing(flowing=True).timeline(n).fps == 10


@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_duration_is_that_of_the_whole_film(n):
    for duration in (0.5, 6):
        timeline = Pacing(duration=duration).timeline(n)
        assert timeline.seconds().sum() == pytest.approx(duration)


def test_a_closed_turn_goes_on_without_a_stop():
    assert Pacing(closed=True).timeline(3).seconds() == pytest.approx([1, 1, 1])
    assert Pacing(closed=True, hold=2).timeline(3).seconds()[-1] == 2


def test_the_way_to_the_limit_is_part_of_the_film():
    """Four steps of the same change and one eight times as large, where all of it is early."""
    places = np.array([0, 1, 2, 3, 4, 12])

    def change(a, b):
        at = [
            places[m.first] + (places[m.second] - places[m.first]) * math.sqrt(m.weight)
            for m in (a, b)
        ]
        return abs(at[1] - at[0])

    moments = Pacing().timeline(6, change, limit=True).moments
    assert [(m.first, m.weight) for m in moments[:5]] == [(i, 0) for i in range(5)]
    assert moments[-1] == Moment(5, 5, 0, 1.0)
    steps = [change(a, b) for a, b in itertools.pairwise(moments)]
    assert len(steps) == 4 + 8
    assert max(steps) < 1.2
    backwards = Pacing(reverse=True).timeline(6, change, limit=True).moments
    assert len(backwards) == len(moments)
    assert [m.first for m in backwards[-5:]] == [4, 3, 2, 1, 0]
    for even in (Pacing(pace="even"), Pacing(frames=range(6))):
        assert len(even.timeline(6, change, limit=True)) == 6
    assert len(Pacing().timeline(6, change)) == 6


def test_frames_that_are_not_there():
    with pytest.raises(ValueError, match=r"no frame 7; there are 0 to 5"):
        Pacing(frames=[0, 7]).timeline(6)
    with pytest.raises(ValueError, match=r"no frame True"):
        Pacing(frames=[True]).chosen(6)
    with pytest.raises(ValueError, match=r"leaves none of the 6 frames"):
        Pacing(frames=[]).timeline(6)


@pytest.mark.parametrize("pace", ["auto", "change"])
def test_a_way_that_starts_slowly_starts_at_its_frame(pace):
    def change(a, b):  # nothing until three quarters of the last step
        return abs(max(b.place, 2.75) - max(a.place, 2.75)) * 20 + (a.place < 2) * 0.1

    moments = Pacing(pace=pace, tween=0).timeline(4, change, limit=True).moments
    assert (moments[0].first, moments[0].weight) == (0, 0)
    if pace == "auto":
        assert (moments[2].first, moments[2].weight) == (2, 0)
        assert moments[3].weight > 0.7
    assert moments[-1].first == 3
