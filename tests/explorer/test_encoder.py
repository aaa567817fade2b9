"""What the encoder writes, a decoder that knows only the format reads back."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from scanpy_anim.explorer import (
    Contents,
    Key,
    Plane,
    Poster,
    View,
    along_curve,
    drawing_order,
    film_steps,
    pack_categories,
    pack_names,
    pack_numbers,
    pack_texts,
    page,
)
from tests.explorer.decoder import Page

VIEW = View(x=(0.0, 1.0), y=(1.0, 0.0), width=400.5, height=300.0, radius=1.5)
POSTER = Poster(b"\x89PNG", "image/png", 4, 3)
LABELS = {"wide": 0, "shares": None, "strengths": None, "palette": [], "missing": "#d3d3d3ff"}


def contents(n: int, planes: list[Plane], kind: str = "labels", **others) -> Contents:
    positions = np.column_stack([np.arange(n), np.zeros(n)]).astype(float)
    made = {
        "title": "t",
        "description": "d",
        "kind": kind,
        "positions": positions,
        "view": VIEW,
        "poster": POSTER,
        "keys": [Key(f"frame {k}") for k in range(len(planes))],
        "planes": planes,
        "moments": [(k, k, 0.0, 0.1) for k in range(len(planes))],
        "titles": [],
        "colors": LABELS if kind == "labels" else {},
    }
    return Contents(**{**made, **others})


@given(
    st.integers(0, 40).flatmap(
        lambda n: st.lists(
            st.tuples(arrays(np.uint8, n), st.none() | arrays(np.bool_, n)), min_size=1, max_size=6
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_planes_come_back(drawn):
    n = len(drawn[0][0])
    read = Page(page(contents(n, [Plane((c,), m) for c, m in drawn], "scores")))
    for k, (column, mask) in enumerate(drawn):
        assert (read.levels(k) == column).all()
        assert (read.missing(k) == (np.zeros(n, bool) if mask is None else mask)).all()


@pytest.mark.parametrize("alike", ["sorted", "the frame before", "nothing"])
def test_planes_and_parts_are_the_shorter_of_what_they_may_be(alike):
    """Differences or none, repetitions or none: whichever zlib makes less of."""
    random, n = np.random.default_rng(0), 60_000
    noise = [random.integers(0, 100, n).astype(np.uint8) for _ in range(3)]
    ways = {"sorted": [np.sort(column) for column in noise], "nothing": noise}
    columns = ways.get(alike, [noise[0] + np.uint8(k) * (noise[1] > 97) for k in range(3)])
    read = Page(page(contents(n, [Plane((column,)) for column in columns], "scores")))
    assert [told["from"] for told in read.header["planes"]] == (
        [-1, 0, 1] if alike == "the frame before" else [-1, -1, -1]
    )
    for k, before in enumerate([None, *columns[:-1]]):
        options = [columns[k]] + ([] if before is None else [columns[k] - before])
        deflated = [_deflated(option.tobytes(), way) for option in options for way in (0, 3)]
        taken = len(base64.b64decode(read.html.parts[f"frame-{k}"]))
        assert taken <= 1.02 * min(map(len, deflated))


def _deflated(content, way):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, 7, way)
    return deflate.compress(content) + deflate.flush()


@given(arrays(np.float64, st.tuples(st.integers(0, 50), st.just(2)), elements=st.floats(-1e6, 1e6)))
@settings(max_examples=60, deadline=None)
def test_coordinates_come_back_within_half_a_step(positions):
    codes = Plane((np.zeros(len(positions), np.uint8),))
    read = Page(page(contents(len(positions), [codes], positions=positions)))
    step = read.header["xy"]["step"]
    assert np.abs(read.positions() - positions).max(initial=0) <= 0.5001 * step + 1e-9
    span = np.ptp(positions, axis=0).max() if len(positions) else 0
    assert step <= max(span / 65534, 1e-300) or span == 0


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(0, 20), st.just(2)),
        elements=st.floats(-1e6, 1e6) | st.just(np.nan),
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_stops_come_back_within_half_a_step(stops, slow):
    if slow:  # cells that hardly move are told by how far they do
        stops = np.concatenate([stops, stops[-1:] + 1e-3])
    n = stops.shape[1]
    moments = [(0, 0, 0.0, 0.1, float(k)) for k in range(len(stops))]
    codes = Plane((np.zeros(n, np.uint8),))
    read = Page(page(contents(n, [codes], positions=stops, moments=moments)))
    step = read.header["xy"]["step"]
    for k, stop in enumerate(stops):
        known = np.isfinite(stop).all(axis=1)
        places = read.places(k)
        assert (np.isnan(places).any(axis=1) == ~known).all()
        assert np.abs(places - stop)[known].max(initial=0) <= 0.5001 * step + 1e-9


def test_many_cells_share_the_grid_of_the_longer_side():
    positions = np.random.default_rng(0).normal(size=(70_000, 2)) * [3, 1]
    order = drawing_order(np.arange(70_000), along_curve(positions), positions, 0.1)
    codes = Plane((np.zeros(70_000, np.uint8),))
    read = Page(page(contents(70_000, [codes], positions=positions[order])))
    step = np.ptp(positions[:, 0]) / (2**14 - 1)
    assert read.header["xy"]["step"] == pytest.approx(step)
    assert np.abs(read.positions() - positions[order]).max() <= 0.51 * step


text = st.text(max_size=12)  # lone surrogates among them
barcode = st.from_regex(r"[a-z_]{0,3}[ACGT]{8,20}(-[0-9])?", fullmatch=True)


@given(st.lists(text | barcode, max_size=30) | st.lists(barcode, min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_names_come_back(names):
    n = len(names)
    made = contents(n, [Plane((np.zeros(n, np.uint8),))], names=pack_names(names))
    assert Page(page(made)).names() == names


def test_barcodes_take_two_bits_a_base():
    random = np.random.default_rng(0)
    names = [
        "".join(row) + f"-{i % 4}" for i, row in enumerate(random.choice([*"ACGT"], (999, 16)))
    ]
    packed = pack_names(names)
    assert packed.header["kind"] == "barcodes"
    assert len(packed.content) == 999 + 999 * 4
    names[500] = "no barcode"
    assert pack_names(names).header["kind"] == "text"


def test_what_is_told_of_cells_comes_back():
    numbers, texts = [1.5, np.nan, -2.0], ["</script>", "\u2028\n\ud800", ""]
    many = [f"type {i}" for i in range(300)]
    hover = {
        "n <b>": pack_numbers(numbers),
        "text": pack_texts(texts),
        "few": pack_categories([1, -1, 0], ["a", "b"]),
        "many": pack_categories([299, -1, 255], many),
    }
    read = Page(page(contents(3, [Plane((np.zeros(3, np.uint8),))], hover=hover)))
    np.testing.assert_array_equal(read.hover(0), numbers)
    assert read.hover(1) == texts
    assert read.hover(2) == ["b", None, "a"]
    assert read.hover(3) == ["type 299", None, "type 255"]
    assert [column["title"] for column in read.header["hover"]] == list(hover)


evil = '</script><script>alert(1)</script><!-- & "quoted" \u2028\u2029 \n ]]> <img onerror=x>'


def test_no_string_breaks_out():
    made = contents(
        1,
        [Plane((np.ones(1, np.uint8),))],
        title=evil,
        description=evil,
        titles=[evil],
        keys=[Key(evil, names=[evil])],
        colors={**LABELS, "categories": [evil]},
        names=pack_names([evil]),
        names_title=evil,
        hover={evil: pack_categories([0], [evil])},
    )
    html = page(made, {"comment": evil})
    plain = page(contents(1, [Plane((np.ones(1, np.uint8),))]), {"comment": ""})
    read = Page(html)
    assert read.header["titles"] == [evil]
    assert read.header["planes"][0]["names"] == [evil]
    assert read.names() == [evil]
    assert read.hover(0) == [evil]
    images = [named for tag, named in read.html.tags if tag == "img"]
    assert [image["alt"] for image in images] == [evil]
    tags = [tag for tag, _ in read.html.tags if tag != "script"]
    assert tags == [tag for tag, _ in Page(plain).html.tags if tag != "script"]
    assert len(read.html.scripts) == 1
    header = html.split('data-part="header">')[1].split("</script>")[0]
    assert header.isascii()
    assert json.loads(header)["title"] == evil


@pytest.mark.parametrize("scale", ["rank", "linear", "log"])
@given(
    arrays(
        np.float64,
        st.integers(1, 200),
        elements=st.floats(-10.0, 16384.0, width=32, allow_subnormal=False).map(float)
        | st.just(np.nan)
        | st.sampled_from([0.0, 1.0]),
    )
)
@settings(max_examples=40, deadline=None)
def test_one_byte_serves_all_scales(scale, values):
    """Ranks, values and logarithms, each within half a step of its own scale."""
    steps = film_steps(scale, [values], None)
    leveled = steps.of(values)
    known = ~np.isnan(values)
    assert (leveled.missing == ~known).all()
    if not known.any():
        return
    values, levels = values[known], leveled.levels[known]
    n = {s: 112 if s == scale else 26 for s in ("rank", "linear", "log")}
    back = leveled.values[levels].astype(float)
    span = steps.high - steps.low
    assert np.abs(back - values).max() <= span / n["linear"] + 1e-6 * (1 + abs(steps.high))
    ranks = rankdata(values)
    if np.ptp(ranks):
        share = (ranks - ranks.min()) / np.ptp(ranks)
        assert np.abs(leveled.ranks[levels] / 65535 - share).max() <= 1 / n["rank"] + 1e-4
    above = values > 0
    if above.any() and steps.high > steps.positive:
        logs = np.log(steps.high / steps.positive)
        off = np.abs(np.log(np.maximum(back[above], 1e-320) / values[above]))
        assert off.max() <= logs / n["log"] + 1e-4


@given(
    arrays(np.float64, st.tuples(st.integers(0, 60), st.just(2)), elements=st.floats(-9.0, 9.0)),
    st.sampled_from([0.05, 0.4, 3.0]),
    st.randoms(use_true_random=False),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_cells_that_touch_a_common_pixel_keep_their_order(pixels, radius, random, in_blocks):
    n = len(pixels)
    given_order = random.sample(range(n), n)
    blocks = np.zeros(n, int)
    blocks[given_order] = np.arange(n) // 7 * in_blocks
    order = drawing_order(given_order, along_curve(pixels), pixels, radius, blocks)
    assert sorted(order) == list(range(n))
    assert (np.diff(blocks[order]) >= 0).all()
    place, was = np.argsort(order), np.argsort(given_order)
    low, high = np.floor(pixels - radius), np.floor(pixels + radius)
    for i in range(n):
        common = ((low <= high[i]) & (high >= low[i])).all(axis=1)
        assert (place[common] > place[i])[was[common] > was[i]].all()


def test_neighbours_in_the_file_are_neighbours_on_the_plane():
    random = np.random.default_rng(1)
    pixels = random.random((100_000, 2)) * 300
    order = drawing_order(random.permutation(100_000), along_curve(pixels), pixels, 0.3)
    assert np.median(np.linalg.norm(np.diff(pixels[order], axis=0), axis=1)) < 8


@pytest.mark.parametrize("far", [1e6, 1e300, 1.7e308])
def test_cells_far_apart_have_an_order(far):
    pixels = np.array([[0.0, 0.0], [far, -far], [0.1, 0.1], [far, -far]])
    order = drawing_order([3, 2, 1, 0], along_curve(pixels), pixels, 0.5)
    assert sorted(order) == [0, 1, 2, 3]
    assert list(order).index(2) < list(order).index(0)
    assert list(order).index(3) < list(order).index(1)
