/**
 * Cells on a canvas: what is seen through each pixel is listed once a view, front to back; a frame
 * is one pass over the lists, which blends bytes as Agg does.
 *
 * @typedef {{ax: number, bx: number, ay: number, by: number, width: number, height: number,
 *   radius: number, hiding: number, every?: number, top?: number, layers?: Uint8Array | Uint16Array | null,
 *   order?: Int32Array | null}} View
 * column = ax * x + bx, row = ay * y + by; hiding: least opacity of a cell, 0 to 255; layers: 0 for
 * cells that lie below all others but the last `top`; order: cells back to front, if not as they are
 */

/** Fixed-point step of a blend with each opacity, times 2 ** 22. */
const STEPS = Int32Array.from({length: 256}, (_, a) =>
  a === 255 ? 1 << 22 : Math.ceil((a * 2 ** 30) / (65280 + a)));

/** Circles at places within a pixel: each pixel's offset in a picture of some stride and coverage, 0 to
 * 255, in one number, drawn once needed. */
class Glyphs {
  /** @param {number} radius @param {number} steps @param {number} stride */
  constructor(radius, steps, stride) {
    this.radius = radius;
    this.steps = steps;
    this.stride = stride;
    this.corners = quarter(radius);
    this.starts = new Int32Array(steps * steps).fill(-1);
    this.ends = new Int32Array(steps * steps);
    this.ink = new Int32Array(1 << 12);
    this.count = 0;
  }

  /** @param {number} glyph */
  draw(glyph) {
    const {radius, steps, stride, corners} = this;
    const x = ((glyph % steps) + 0.5) / steps, y = (Math.floor(glyph / steps) + 0.5) / steps;
    this.starts[glyph] = this.count;
    for (let row = Math.floor(y - radius); row < y + radius; row++) {
      for (let col = Math.floor(x - radius); col < x + radius; col++) {
        const cover = Math.min(255, 256 * circleCover(col - x, row - y, corners) | 0); // as Agg rounds
        if (this.count === this.ink.length) this.ink = larger(this.ink);
        if (cover) this.ink[this.count++] = (row * stride + col) * 256 + cover;
      }
    }
    this.ends[glyph] = this.count;
  }
}

/** A quarter of the polygon that Agg draws for a circle, from its top: x and y of each vertex.
 * @param {number} radius */
function quarter(radius) {
  let turn = Math.PI / 4, bulge = 1, deep = 1;
  for (; ; turn /= 2) { // each of eight arcs is halved until its control points are near its chord
    const reach = (4 / 3) * Math.tan(turn / 4);
    deep = reach * Math.sin(turn / 2);
    bulge = Math.cos(turn / 2) + deep;
    if (2 * deep * radius <= 0.5) break;
  }
  const corners = [0, radius];
  for (const half of [0, Math.PI / 4]) {
    for (let angle = half + turn / 2; angle < half + Math.PI / 4; angle += turn) {
      corners.push(radius * bulge * Math.sin(angle), radius * bulge * Math.cos(angle));
    }
    const end = half + Math.PI / 4;
    corners.push(radius * Math.sin(end), radius * Math.cos(end));
  }
  return corners;
}

/** Part of a pixel with this corner that a circle around 0 covers, by its quarter.
 * @param {number} left @param {number} top @param {number[]} corners */
function circleCover(left, top, corners) {
  const radius = corners[1], x = Math.max(-left, left + 1), y = Math.max(-top, top + 1);
  if (x * x + y * y <= 0.94 * radius * radius) return 1;
  const from = Math.max(left, -radius), to = Math.min(left + 1, radius), parts = 24;
  let sum = 0;
  for (let k = 0; k < parts; k++) {
    const x = Math.abs(from + ((to - from) * (k + 0.5)) / parts);
    let c = 0;
    while (c < corners.length - 4 && x > corners[c + 2]) c += 2;
    const part = (x - corners[c]) / (corners[c + 2] - corners[c]);
    const half = Math.max(0, corners[c + 1] + (corners[c + 3] - corners[c + 1]) * part);
    sum += Math.max(0, Math.min(top + 1, half) - Math.max(top, -half));
  }
  return (sum * Math.max(0, to - from)) / parts;
}

/** @param {Int32Array} array */
function larger(array) {
  const twice = new Int32Array(array.length * 2);
  twice.set(array);
  return twice;
}

class Compositor {
  /** @param {Cells['x']} x @param {Cells['y']} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    /** Cells that are seen, in the order in which the lists meet them, and their colors. */
    this.cells = this.colors = new Int32Array(0);
    this.pixels = this.starts = this.members = new Int32Array(0);
    this.thickness = new Uint8Array(0);
    this.width = 0;
    this.number = new Int32Array(x.length);
    this.light = new Float32Array(0);
    this.counts = new Int32Array(0);
    /** What was met: pixel, cell, coverage. */
    this.met = new Int32Array(Math.min(1 << 24, Math.max(1 << 16, 12 * x.length))); // grows where more is met
    this.end = 0;
  }

  /** List what is seen through each pixel. @param {View} view */
  look(view) {
    const margin = 2 * Math.ceil(view.radius) + 2, stride = view.width + 2 * margin, n = this.x.length;
    const size = stride * (view.height + 2 * margin), top = Math.max(0, n - (view.top ?? 0));
    if (size !== this.light.length) {
      this.light = new Float32Array(size);
      this.counts = new Int32Array(size);
    }
    this.light.fill(1);
    this.counts.fill(0);
    this.end = 0;
    const glyphs = new Glyphs(view.radius, n > 4096 ? 32 : 256, stride);
    this._meet(view, glyphs, top, n, -1);
    for (const layer of view.layers ? [1, 0] : [-1]) this._meet(view, glyphs, 0, top, layer);
    this._list(view, margin, stride);
  }

  /** Meet the cells first .. last of a layer (-1: any), from the last.
   * @param {View} view @param {Glyphs} glyphs @param {number} first @param {number} last @param {number} layer */
  _meet(view, glyphs, first, last, layer) {
    const {x, y, light, counts} = this, {ax, ay, layers, order, every = 1} = view, {steps, stride, starts, ends} = glyphs;
    const reach = Math.ceil(view.radius) + 1, bx = view.bx + 2 * reach, by = view.by + 2 * reach;
    const right = view.width + 3 * reach, bottom = view.height + 3 * reach, hiding = view.hiding / (255 * 255);
    let {met, end} = this, {ink} = glyphs;
    for (let k = last - 1 - ((last - 1) % every); k >= first; k -= every) {
      const i = order ? order[k] : k, u = ax * x[i] + bx, v = ay * y[i] + by;
      if (!(u >= reach && u < right && v >= reach && v < bottom) || (layer >= 0 && layers?.[i] !== layer)) continue;
      const col = u | 0, row = v | 0, glyph = (((v - row) * steps) | 0) * steps + (((u - col) * steps) | 0), base = row * stride + col;
      if (starts[glyph] < 0) {
        glyphs.draw(glyph);
        ink = glyphs.ink;
      }
      const last = ends[glyph];
      while (end + 3 * (last - starts[glyph]) > met.length) met = this.met = larger(met);
      for (let e = starts[glyph]; e < last; e++) {
        const one = ink[e], p = base + (one >> 8), left = light[p];
        if (left < 1 / 256) continue;
        const cover = one & 255;
        light[p] = left * (1 - cover * hiding);
        counts[p]++;
        met[end] = p;
        met[end + 1] = i;
        met[end + 2] = cover;
        end += 3;
      }
    }
    this.end = end;
  }

  /** List what was met by pixel, back to front. @param {View} view @param {number} margin @param {number} stride */
  _list({width, height}, margin, stride) {
    const {counts, met, end, number} = this, pixels = new Int32Array(Math.min(width * height, end / 3)), starts = new Int32Array(pixels.length + 1);
    let touched = 0, n = 0;
    for (let row = -margin, p = 0; row < height + margin; row++) {
      for (let col = -margin; col < width + margin; col++, p++) {
        const many = counts[p], inside = many && row >= 0 && row < height && col >= 0 && col < width;
        if (inside) {
          pixels[touched++] = row * width + col;
          starts[touched] = n += many;
        }
        counts[p] = inside ? n : 0;
      }
    }
    const members = new Int32Array(n), thickness = new Uint8Array(n), cells = new Int32Array(Math.min(n, number.length));
    for (let k = 0; k < end; k += 3) {
      const p = met[k];
      if (!counts[p]) continue; // outside
      const at = --counts[p];
      members[at] = met[k + 1];
      thickness[at] = met[k + 2];
    }
    number.fill(0);
    let seen = 0;
    for (let k = 0; k < n; k++) { // a frame then meets them in this order
      const cell = members[k];
      if (!number[cell]) {
        cells[seen] = cell;
        number[cell] = ++seen;
      }
      members[k] = number[cell] - 1;
    }
    Object.assign(this, {pixels: pixels.subarray(0, touched), starts, members, thickness, width,
      cells: cells.subarray(0, seen), colors: new Int32Array(seen)});
  }

  /** Blend the colors of what is seen over a background, 0xAABBGGRR all of them.
   * @param {Int32Array} picture @param {number} background @param {number} alpha of all colors, or
   * -1 if they differ */
  paint(picture, background, alpha) {
    const {pixels, starts, members, thickness, colors} = this;
    const r0 = background & 255, g0 = (background >> 8) & 255, b0 = (background >> 16) & 255;
    const steps = STEPS.map((_, cover) => STEPS[timesByte(alpha & 255, cover)]);
    for (let i = 0, k = 0; i < pixels.length; i++) {
      let r = r0, g = g0, b = b0;
      for (const end = starts[i + 1]; k < end; k++) {
        const c = colors[members[k]];
        const s = alpha < 0 ? STEPS[timesByte(c >>> 24, thickness[k])] : steps[thickness[k]];
        r += (((c & 255) - r) * s) >> 22;
        g += ((((c >> 8) & 255) - g) * s) >> 22;
        b += ((((c >> 16) & 255) - b) * s) >> 22;
      }
      picture[pixels[i]] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
  }

  /** The cell in front at a pixel; -1: none. @param {number} col @param {number} row */
  at(col, row) {
    if (col < 0 || col >= this.width) return -1;
    const place = row * this.width + col, {pixels} = this;
    let low = 0, high = pixels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pixels[middle] < place) low = middle + 1;
      else high = middle;
    }
    return pixels[low] === place ? this.cells[this.members[this.starts[low + 1] - 1]] : -1;
  }
}

/** Product of two bytes as parts of 255, rounded. @param {number} a @param {number} b */
function timesByte(a, b) {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}
