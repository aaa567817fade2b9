/**
 * Cells on a canvas: what is seen through each pixel is listed once a view, front to back; a frame
 * is one pass over the lists, which blends bytes as Agg does.
 *
 * @typedef {{ax: number, bx: number, ay: number, by: number, width: number, height: number,
 *   radius: number, hiding: number, every?: number, top?: number, layers?: Uint8Array | null,
 *   order?: Int32Array | null}} View
 * column = ax * x + bx, row = ay * y + by; hiding: least opacity of a cell, 0 to 255; layers: 0 for
 * cells that lie below all others but the last `top`; order: cells back to front, if not as they are
 */

/** Fixed-point step of a blend with each opacity, times 2 ** 22. */
const STEPS = Int32Array.from({length: 256}, (_, a) =>
  a === 255 ? 1 << 22 : Math.ceil((a * 2 ** 30) / (65280 + a)));

/** Coverage, 0 to 255, of the pixels around a circle, as offsets in a picture of some stride. */
class Glyphs {
  /** @param {number} radius @param {number} steps @param {number} stride */
  constructor(radius, steps, stride) {
    this.radius = radius;
    this.corners = quarter(radius);
    this.steps = steps;
    this.stride = stride;
    this.number = new Int32Array(steps * steps).fill(-1);
    this.starts = new Int32Array(steps * steps + 1);
    this.offsets = new Int32Array(1 << 12);
    this.covers = new Int32Array(1 << 12);
    this.count = 0;
  }

  /** Draw the circle at a place within its pixel. @param {number} glyph */
  draw(glyph) {
    const {radius, steps} = this;
    const x = ((glyph % steps) + 0.5) / steps, y = (Math.floor(glyph / steps) + 0.5) / steps;
    let end = this.starts[this.count];
    for (let row = Math.floor(y - radius); row < y + radius; row++) {
      for (let col = Math.floor(x - radius); col < x + radius; col++) {
        const cover = Math.min(255, 256 * circleCover(col - x, row - y, this.corners) | 0); // as Agg rounds
        if (!cover) continue;
        if (end === this.offsets.length) {
          this.offsets = grown(this.offsets);
          this.covers = grown(this.covers);
        }
        this.offsets[end] = row * this.stride + col;
        this.covers[end++] = cover;
      }
    }
    this.starts[this.count + 1] = end;
    return (this.number[glyph] = this.count++);
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
  const radius = corners[1], far = Math.hypot(Math.max(-left, left + 1), Math.max(-top, top + 1));
  if (far <= radius * 0.97) return 1;
  const from = Math.max(left, -radius), to = Math.min(left + 1, radius), parts = 48;
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

/** @template {Int32Array<any> | Uint8Array<any>} T @param {T} array @returns {T} */
function grown(array) {
  const larger = new (/** @type {any} */ (array.constructor))(array.length * 2);
  larger.set(array);
  return larger;
}

class Compositor {
  /** @param {Cells['x']} x @param {Cells['y']} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    /** Cells that are seen, in the order in which the lists meet them. */
    this.cells = new Int32Array(0);
    this.colors = new Int32Array(0);
    this.pixels = new Int32Array(0);
    this.starts = new Int32Array(1);
    this.members = new Int32Array(0);
    this.thickness = new Uint8Array(0);
    this.width = 0;
    this.number = new Int32Array(x.length);
    const room = Math.min(1 << 22, Math.max(1 << 16, 4 * x.length)); // grows where more is met
    this.met = {pixels: new Int32Array(room), cells: new Int32Array(room), covers: new Uint8Array(room)};
  }

  /** List what is seen through each pixel. @param {View} view */
  look(view) {
    const margin = 2 * Math.ceil(view.radius) + 2, stride = view.width + 2 * margin;
    const light = new Float32Array(stride * (view.height + 2 * margin)).fill(1);
    const counts = new Int32Array(light.length + 1);
    const steps = this.x.length > 4096 ? 32 : 256;
    const glyphs = new Glyphs(view.radius, steps, stride);
    const n = this.x.length, top = Math.max(0, n - (view.top ?? 0)), layers = view.layers;
    let met = this._lookThrough(view, top, n, -1, glyphs, light, counts, 0);
    for (const layer of layers ? [1, 0] : [-1]) {
      met = this._lookThrough(view, 0, top, layer, glyphs, light, counts, met);
    }
    this._sort(view, margin, stride, counts, met);
  }

  /** Meet the cells first .. last of a layer (-1: any), from the last.
   * @param {View} view @param {number} first @param {number} last @param {number} layer
   * @param {Glyphs} glyphs @param {Float32Array} light @param {Int32Array} counts
   * @param {number} met */
  _lookThrough(view, first, last, layer, glyphs, light, counts, met) {
    const {x, y} = this, {ax, ay, layers, order} = view, {steps, stride, number} = glyphs;
    const reach = Math.ceil(view.radius) + 1, bx = view.bx + 2 * reach, by = view.by + 2 * reach;
    const right = view.width + 3 * reach, bottom = view.height + 3 * reach;
    const hiding = view.hiding / (255 * 255), every = view.every ?? 1;
    let {pixels, cells, covers} = this.met;
    let {offsets, covers: thick} = glyphs;
    const {starts} = glyphs;
    const start = every > 1 ? last - 1 - ((last - 1) % every) : last - 1;
    for (let k = start; k >= first; k -= every) {
      const i = order ? order[k] : k;
      if (layer >= 0 && layers && layers[i] !== layer) continue;
      const u = ax * x[i] + bx, v = ay * y[i] + by;
      if (!(u >= reach && u < right && v >= reach && v < bottom)) continue;
      const col = u | 0, row = v | 0;
      const glyph = (((v - row) * steps) | 0) * steps + (((u - col) * steps) | 0);
      let g = number[glyph];
      if (g < 0) {
        g = glyphs.draw(glyph);
        offsets = glyphs.offsets;
        thick = glyphs.covers;
      }
      const base = row * stride + col, end = starts[g + 1];
      let e = starts[g];
      while (met + end - e > pixels.length) {
        this.met = {pixels: grown(pixels), cells: grown(cells), covers: grown(covers)};
        ({pixels, cells, covers} = this.met);
      }
      for (; e < end; e++) {
        const p = base + offsets[e], left = light[p];
        if (left < 1 / 256) continue;
        const cover = thick[e];
        light[p] = left * (1 - cover * hiding);
        counts[p]++;
        pixels[met] = p;
        cells[met] = i;
        covers[met++] = cover;
      }
    }
    return met;
  }

  /** Sort what was met by pixel, back to front, and number the cells that are seen.
   * @param {View} view @param {number} margin @param {number} stride @param {Int32Array} counts
   * @param {number} met */
  _sort(view, margin, stride, counts, met) {
    const {width, height} = view, {pixels, cells, covers} = this.met;
    let touched = 0, n = 0;
    for (let row = 0; row < height; row++) {
      const at = (row + margin) * stride + margin;
      for (let p = at; p < at + width; p++) if (counts[p]) touched++;
    }
    const places = new Int32Array(touched), starts = new Int32Array(touched + 1);
    const ends = new Int32Array(counts.length);
    touched = 0;
    for (let row = 0; row < height; row++) {
      const at = (row + margin) * stride + margin;
      for (let col = 0; col < width; col++) {
        const count = counts[at + col];
        if (!count) continue;
        places[touched++] = row * width + col;
        ends[at + col] = starts[touched] = n += count;
      }
    }
    const members = new Int32Array(n), thickness = new Uint8Array(n);
    for (let k = 0; k < met; k++) {
      const p = pixels[k];
      if (!ends[p]) continue; // outside
      const at = --ends[p];
      members[at] = cells[k];
      thickness[at] = covers[k];
    }
    const {number} = this, seen = cells; // no longer needed
    number.fill(-1);
    let count = 0;
    for (let k = 0; k < n; k++) {
      const cell = members[k];
      if (number[cell] < 0) {
        number[cell] = count;
        seen[count++] = cell;
      }
      members[k] = number[cell];
    }
    Object.assign(this, {pixels: places, starts, members, thickness, width,
      cells: seen.slice(0, count), colors: new Int32Array(count)});
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
