"""A page read back, by what docs/explorer.md says and nothing of the encoder."""

from __future__ import annotations

import base64
import json
import zlib
from html.parser import HTMLParser

import numpy as np


class _Scripts(HTMLParser):
    """The elements of a page that hold its parts, found as a browser finds them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: dict[str, str] = {}
        self.tags: list[tuple[str, dict]] = []
        self._open: str | None = None
        self.scripts: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag == "script":
            self._open = named.get("data-part", "")
            if self._open:
                assert self._open not in self.parts
                self.parts[self._open] = ""
            else:
                self.scripts.append("")

    def handle_endtag(self, tag):
        if tag == "script":
            self._open = None

    def handle_data(self, data):
        if self._open:
            self.parts[self._open] += data
        elif self._open == "":
            self.scripts[-1] += data


class Page:
    """What a page holds of a panel: header, coordinates, planes, names."""

    def __init__(self, html: str, panel: int = 0) -> None:
        self.html = _Scripts()
        self.html.feed(html)
        self.html.close()
        texts = dict(self.html.parts)
        self.header = json.loads(texts.pop("header"))
        assert texts.pop("end") == ""
        assert list(texts) == list(self.header["parts"])
        self.parts = {}
        for name, text in texts.items():
            characters, size = self.header["parts"][name]
            assert len(text) == characters
            self.parts[name] = zlib.decompress(base64.b64decode(text, validate=True), -15)
            assert len(self.parts[name]) == size
        self.several = self.header.get("panels", [self.header])
        assert self.header["format"] == 3
        self.header = self.header | self.several[panel]
        self.prefix = f"{panel}-" if panel else ""
        self.like = Page(html, self.header["like"]) if "like" in self.header else None
        self.n = self.header["n"]
        self.n_planes = len(self.header["planes"])
        self._planes = self._undone()

    def bytes_of(self, name: str) -> np.ndarray:
        return np.frombuffer(self.parts[self.prefix + name], np.uint8)

    def cells(self) -> np.ndarray:
        """Which cell of an earlier panel each is."""
        z = self._wide("cells")
        return np.cumsum((z >> 1).astype(np.int64) ^ -(z & 1).astype(np.int64)) % 2**32

    def _wide(self, part: str) -> np.ndarray:
        return self.bytes_of(part).reshape(4, self.n).T.copy().view("<u4").ravel()

    def positions(self, stop: int = 0) -> np.ndarray:
        """Where cells are; NaN where they are nowhere."""
        if "follows" in self.header and "stops" not in self.header:
            return self.like.positions()[self.cells()]
        whole, nowhere = self._whole(stop)
        origin, step = self.header["xy"]["origin"], self.header["xy"]["step"]
        found = np.column_stack([o + a * step for o, a in zip(origin, whole, strict=True)])
        found[nowhere] = np.nan
        return found

    def _whole(self, stop: int) -> tuple[list[np.ndarray], np.ndarray]:
        if not {"stops", "turn"} & set(self.header):
            along = np.cumsum(self._wide("xy"), dtype=np.int64)
            return self._off_curve(along), np.zeros(self.n, bool)
        raw = self.bytes_of(f"xy-{stop}" if stop else "xy")
        from_before, has_nowhere = self.header.get("stops", [[0, 0]])[stop]
        n_axes = len(self.header["xy"]["origin"])
        planes = raw[: 2 * n_axes * self.n].reshape(2 * n_axes, self.n).astype(np.uint32)
        axes = []
        for axis in range(n_axes):
            low, high = 2 * axis, 2 * axis + 1
            z = planes[low] | planes[high] << 8
            d = (z >> 1).astype(np.int64) ^ -(z & 1).astype(np.int64)
            places = self._whole(stop - 1)[0][axis] + d if from_before else np.cumsum(d)
            axes.append(places % 2**16)
        bits = raw[2 * n_axes * self.n :]
        assert len(bits) == (-(-self.n // 8) if has_nowhere else 0)
        nowhere = np.unpackbits(bits, count=self.n, bitorder="little") if has_nowhere else [0]
        return axes, np.broadcast_to(np.asarray(nowhere, bool), self.n)

    @staticmethod
    def _off_curve(along: np.ndarray) -> list[np.ndarray]:
        """A Hilbert curve, from its largest squares to its smallest.

        It goes through the quarters low left, high left, high right, low right; in the first one
        it is mirrored at one diagonal, in the last one at the other.
        """
        x, y = np.zeros_like(along), np.zeros_like(along)
        swapped, flipped = np.zeros(len(along), bool), np.zeros(len(along), bool)
        for level in range(15, -1, -1):
            quarter = along >> 2 * level & 3
            right, up = quarter >= 2, (quarter == 1) | (quarter == 2)
            a, b = np.where(swapped, up, right) ^ flipped, np.where(swapped, right, up) ^ flipped
            x, y = 2 * x + a, 2 * y + b
            swapped ^= ~up
            flipped ^= quarter == 3
        return [x, y]

    def places(self, moment: int) -> np.ndarray:
        """Where cells that move are in a frame of the film; those that turn, how near besides."""
        place = self.header["moments"][moment][4]
        if "turn" in self.header:
            x, y, z = self.positions().T
            c, s, up, aside = (f(a) for a in (place, self.header["turn"]) for f in (np.cos, np.sin))
            away = x * s + y * c
            return np.column_stack([x * c - y * s, z * up + away * aside, z * aside - away * up])
        stop, w = int(place), place % 1
        return self.positions(stop) * (1 - w) + self.positions(stop + (w > 0)) * w

    def _columns(self) -> int:
        if self.header["kind"] == "scores":
            return 1
        return 1 + self.header["wide"] + (self.header["shares"] is not None)

    def _undone(self) -> list[np.ndarray]:
        done: list[np.ndarray] = []
        n_bytes, bits = self._columns() * self.n, -(-self.n // 8)
        for k, told in enumerate(self.header["planes"]):
            raw = self.bytes_of(f"frame-{k}")
            columns, mask = raw[:n_bytes].copy(), np.zeros(bits, np.uint8)
            assert len(raw) == n_bytes + bits * told["missing"]
            if told["missing"]:
                mask = raw[n_bytes:].copy()
            if told["from"] >= 0:
                assert told["from"] < k
                columns += done[told["from"]][:n_bytes]
                if told["missing"]:
                    mask ^= done[told["from"]][n_bytes:]
            done.append(np.concatenate([columns, mask]))
        return done

    def levels(self, k: int) -> np.ndarray:
        return self._planes[k][: self.n]

    def missing(self, k: int) -> np.ndarray:
        if self.header["kind"] == "labels":
            return self.codes(k) == 0
        bits = self._planes[k][self.n :]
        return np.unpackbits(bits, count=self.n, bitorder="little").astype(bool)

    def codes(self, k: int) -> np.ndarray:
        codes = self._planes[k][: self.n].astype(int)
        if self.header["wide"]:
            codes += self._planes[k][self.n : 2 * self.n].astype(int) << 8
        return codes

    def steps(self, k: int) -> np.ndarray:
        first = (1 + self.header["wide"]) * self.n
        return self._planes[k][first : first + self.n]

    def tables(self) -> list[np.ndarray]:
        raw, size = self.bytes_of("tables"), self.n_planes * 256
        values = raw[: 4 * size].reshape(4, size).T.copy().view("<f4")
        found = [values.reshape(-1, 256)]
        for first in range(4 * size, len(raw), 2 * size):
            column = raw[first : first + 2 * size].reshape(2, size).T.copy().view("<u2")
            found.append(column.reshape(-1, 256))
        return found

    def values(self, k: int) -> np.ndarray:
        return np.where(self.missing(k), np.nan, self.tables()[0][k][self.levels(k)])

    def shades(self, k: int, scale: str | None = None) -> np.ndarray:
        """Where each cell lies in the color map, 0 to 1."""
        scale = scale or self.header["scale"]
        if scale == "rank":
            return self.tables()[1][k][self.levels(k)] / 65535
        return self._share(self.tables()[0][k][self.levels(k)].astype(float), scale)

    def _share(self, values: np.ndarray, scale: str) -> np.ndarray:
        low, high = self.header["limits"]
        if scale == "log":
            low = max(low, self.header["positive"])
            with np.errstate(divide="ignore", invalid="ignore"):
                values, low, high = np.log(values), np.log(low), np.log(high)
        return (values - low) / (high - low) if high > low else np.zeros(self.n)

    def rgb(self, moment: int) -> np.ndarray:
        """Color of each cell in a frame of the film."""
        a, b, w = self.header["moments"][moment][:3]
        return (self._scores if self.header["kind"] == "scores" else self._labels)(a, b, w)

    def _scores(self, a: int, b: int, w: float) -> np.ndarray:
        table = np.frombuffer(bytes.fromhex(self.header["colors"]), np.uint8).reshape(-1, 4)
        n, scale = len(table) - 3, self.header["scale"]
        column = {"rank": 1, "film": 2}.get(scale, 0)
        first, second, share = self._fading(a, b, w)
        gone, to_come = self.missing(second), self.missing(first)
        here, there = (self.tables()[column][k][self.levels(k)].astype(float) for k in (a, b))
        if a == first:
            here = np.where(to_come, there, here)
        if b == second:
            there = np.where(gone, here, there)
        between = here + (there - here) * w
        if scale == "film":
            rows = np.rint(between).astype(int)
        else:
            t = between / 65535 if scale == "rank" else self._share(between, scale)
            t = np.nan_to_num(t, nan=-1, neginf=-1)
            rows = np.clip(np.floor(t * n), 0, n - 1).astype(int)
            rows[t < 0] = n
            rows[t > 1] = n + 1
        colors = table[rows, :3].astype(float)
        absent = to_come * (1 - share) + gone * share
        return colors + (table[-1, :3] - colors) * absent[:, None]

    def _fading(self, a: int, b: int, w: float) -> tuple[int, int, float]:
        """The two frames around a moment, and how far it is from the first to the second."""
        around = [self.header["planes"][k].get("between") for k in (a, b)]
        known = around[0] or around[1]
        if known is None:
            return a, b, w
        ends = [
            0.0 if k == known[0] else 1.0 if k == known[1] else told[2]
            for k, told in zip((a, b), around, strict=True)
        ]
        return known[0], known[1], ends[0] + (ends[1] - ends[0]) * w

    def _labels(self, a: int, b: int, w: float) -> np.ndarray:
        here, there = self.strengths(a), self.strengths(b)
        here = np.where(self.missing(a), there, here)
        there = np.where(self.missing(b), here, there)
        s = here + (there - here) * w
        first, second = self._ramp(self.codes(a), s), self._ramp(self.codes(b), s)
        return first + (second - first) * w

    def strengths(self, k: int) -> np.ndarray:
        table = self.header["strengths"]
        if table is None:
            return np.ones(self.n)
        strengths = np.array(table)[self.steps(k)]
        if self.prefix + "full" in self.parts:
            full = np.unpackbits(self.bytes_of("full"), count=self.n, bitorder="little")
            strengths[full.astype(bool)] = 1
        return strengths

    def _ramp(self, codes: np.ndarray, s: np.ndarray) -> np.ndarray:
        missing = [self.header["missing"]] * 2
        ends = np.array([[_rgb(c) for c in pair] for pair in [missing, *self.header["palette"]]])
        pale, own = ends[codes, 0], ends[codes, 1]
        return pale + (own - pale) * s[:, None]

    def names(self) -> list[str]:
        if self.like is not None:
            names = self.like.names()
            return [names[cell] for cell in self.cells()]
        return self._texts("names", self.header["names"])

    def hover(self, k: int) -> list:
        return self._texts(f"hover-{k}", self.header["hover"][k])

    def _texts(self, part: str, told: dict) -> list:
        raw = self.bytes_of(part)
        if told["kind"] == "text":
            return json.loads(self.parts[self.prefix + part])
        if told["kind"] == "numbers":
            return raw.reshape(4, self.n).T.copy().view("<f4").ravel().tolist()
        codes = raw[: self.n].astype(int)
        if told["wide"]:
            codes += raw[self.n : 2 * self.n].astype(int) << 8
        if told["kind"] == "categories":
            return [None if c == 0 else told["names"][c - 1] for c in codes]
        bases = np.unpackbits(raw[(1 + told["wide"]) * self.n :]).reshape(-1, 2) @ [2, 1]
        names, first = [], 0
        for code in codes:
            prefix, length, suffix = told["forms"][code]
            names.append(
                prefix + "".join("ACGT"[b] for b in bases[first : first + length]) + suffix
            )
            first += length
        return names


def _rgb(color: str) -> list[int]:
    return list(bytes.fromhex(color[1:7]))
