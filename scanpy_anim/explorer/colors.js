/** Colors of cells at a moment, and what is said of them. Colors are 0xAABBGGRR. */

/** @param {string} hex "#rrggbb" or "#rrggbbaa" @param {number} [alpha] */
function hexColor(hex, alpha = 1) {
  const [r, g, b, a = 255] = (hex.replace('#', '').match(/../g) ?? []).map((two) => parseInt(two, 16));
  return (Math.round(a * alpha) << 24) | (b << 16) | (g << 8) | r;
}

/** @param {number} a @param {number} b @param {number} w part of b */
function mixed(a, b, w) {
  if (a === b) return a;
  let out = 0;
  for (let bit = 0; bit < 32; bit += 8) {
    const from = (a >>> bit) & 255;
    out |= (from + (((b >>> bit) & 255) - from) * w + 0.5) << bit;
  }
  return out;
}

/** @param {number} color */
function cssColor(color) {
  return `rgb(${color & 255} ${(color >> 8) & 255} ${(color >> 16) & 255})`;
}

class Colors {
  /** @param {any} header @param {Cells} cells */
  constructor(header, cells) {
    this.header = header;
    this.cells = cells;
    this.scale = header.scale;
    /** Whether all colors have one opacity: that, else -1. */
    this.alpha = 255;
    this.hiding = 255;
    this.lit = -1;
    this.on = new Uint8Array(header.categories?.length ?? 0).fill(1);
    const {alpha} = header;
    if (header.kind === 'scores') {
      const rows = header.colors.match(/.{8}/g).map((/** @type {string} */ h) => hexColor(h, alpha));
      this.rows = Int32Array.from(rows);
      this.opacities(rows);
    } else {
      this.refresh();
    }
  }

  /** @param {Iterable<number>} colors */
  opacities(colors) {
    const alphas = new Set([...colors].map((c) => c >>> 24));
    this.hiding = Math.min(...alphas);
    this.alpha = alphas.size > 1 ? -1 : this.hiding;
  }

  /** Labels: find the colors anew of 256 strengths of each class; row 0: missing. */
  refresh() {
    const {header} = this, {alpha, palette} = header;
    const missing = hexColor(header.missing, alpha);
    const rows = new Int32Array(256 * (palette.length + 1)).fill(missing);
    palette.forEach((/** @type {string[]} */ [pale, full], /** @type {number} */ c) => {
      if (!this.shown(c)) return;
      const from = hexColor(pale, alpha), to = hexColor(full, alpha);
      for (let s = 0; s < 256; s++) rows[256 * (c + 1) + s] = mixed(from, to, s / 255);
    });
    this.rows = rows;
    this.opacities([missing, ...palette.map((/** @type {string[]} */ p) => hexColor(p[1], alpha))]);
  }

  /** @param {number} c class */
  shown(c) {
    return this.lit < 0 ? !!this.on[c] : this.lit === c;
  }

  /** Whether some classes are to lie on top: few cells do so at once. */
  picky() {
    return this.on.some((on) => !on) || (this.lit >= 0 && this.cells.n < 3e5);
  }

  /** Cells of classes that are shown lie on top, in this plane; null: order of the file.
   * @param {number} plane @returns {Uint8Array | null} */
  layers(plane) {
    const {header, cells} = this, {n} = cells, levels = cells.levels[plane];
    if (this.picky()) {
      const shown = Uint8Array.from(this.on, (_, c) => (this.shown(c) ? 1 : 0));
      return Uint8Array.from(levels, (code) => (code ? shown[code - 1] : 0));
    }
    if (!header.planes[plane]?.resort) return null;
    const out = new Uint8Array(n);
    for (let i = 0; i < n; i++) out[i] = this.has(plane, i) ? 1 : 0;
    return out;
  }

  /** The frames that a plane lies between, and how far. @param {number} plane @returns {number[]} */
  between(plane) {
    return this.header.planes[plane].between ?? [plane, plane, 0];
  }

  /** Whether a cell has a value in a plane, or in the frame nearest to it.
   * @param {number} plane @param {number} cell */
  has(plane, cell) {
    if (this.header.kind === 'labels') return this.cells.levels[plane][cell] > 0;
    const [first, second, share] = this.between(plane), missing = this.cells.missing[share > 0.5 ? second : first];
    return !missing || !((missing[cell >> 3] >> (cell & 7)) & 1);
  }

  /** What the 256 levels of a plane are on the scale that is shown. @param {number} plane */
  levelValues(plane) {
    const {cells} = this, from = 256 * plane;
    if (this.scale === 'rank') return Float64Array.from(cells.ranks.subarray(from, from + 256), (r) => r / 65535);
    if (this.scale === 'film' && cells.rows) return Float64Array.from(cells.rows.subarray(from, from + 256));
    return Float64Array.from(cells.values.subarray(from, from + 256));
  }

  limits() {
    const {limits: [low, high], positive} = this.header;
    return this.scale === 'rank' ? [0, 1] : [this.scale === 'log' ? Math.max(low, positive) : low, high];
  }

  /** Color of a value on the scale that is shown. */
  ruler() {
    const {rows} = this, n = (rows?.length ?? 3) - 3, missing = n + 2;
    let [low, high] = this.limits();
    const log = this.scale === 'log';
    if (log) [low, high] = [Math.log(low), Math.log(high)];
    const wide = high - low, film = this.scale === 'film';
    return (/** @type {number} */ value) => {
      if (film) return value | 0;
      if (log && value <= 0) return missing;
      const t = wide ? ((log ? Math.log(value) : value) - low) / wide : 0;
      return t < 0 ? n : t > 1 ? n + 1 : t === 1 ? n - 1 : t >= 0 ? (t * n) | 0 : missing;
    };
  }

  /** Fill in the colors of some cells at a moment. @param {Int32Array} which
   * @param {number[]} moment @param {Int32Array} out */
  fill(which, [a, b, w], out) {
    if (this.header.kind === 'labels') this.fillLabels(which, a, b, w, out);
    else this.fillScores(which, a, b, w, out);
  }

  /** @param {Int32Array} which @param {number} a @param {number} b @param {number} w
   * @param {Int32Array} out */
  fillScores(which, a, b, w, out) {
    const rows = /** @type {Int32Array} */ (this.rows), {levels, missing} = this.cells;
    const row = this.ruler(), bad = rows[rows.length - 1], last = rows.length - 3, n = which.length;
    const from = this.levelValues(a), to = this.levelValues(b), la = levels[a], lb = levels[b];
    const {planes} = this.header, [first, second] = planes[a].between ?? planes[b].between ?? [a, b];
    const at = planes[a].between?.[2] ?? (a === first ? 0 : 1);
    const share = at + ((planes[b].between?.[2] ?? (b === first ? 0 : 1)) - at) * w;
    const all = !missing[first] && !missing[second], plain = Int32Array.from(from, (value) => rows[row(value)]);
    const still = !w || a === b;
    if (still && all) {
      for (let v = 0; v < n; v++) out[v] = plain[la[which[v]]];
      return;
    }
    for (let v = 0; v < n; v++) {
      const i = which[v], before = all || this.has(first, i), after = all || this.has(second, i);
      if (!before && !after) {
        out[v] = bad;
        continue;
      }
      let p = from[la[i]], q = to[lb[i]];
      if (a === first && !before) p = q;
      else if (b === second && !after) q = p;
      const color = still ? rows[row(p)] : this.scale === 'film' && (p >= last || q >= last) ?
        mixed(rows[p], rows[q], w) : rows[row(p + (q - p) * w)];
      out[v] = before && after ? color : before ? mixed(color, bad, share) : mixed(bad, color, share);
    }
  }

  /** Values of all cells at a moment, on the scale of the film; not a number where there is none.
   * @param {number[]} moment */
  shownValues([a, b, w]) {
    const {cells, header: {planes, scale}} = this, {n, levels, rows} = cells, film = scale === 'film' && rows;
    const [first, second] = planes[a].between ?? planes[b].between ?? [a, b], out = new Float32Array(n);
    const last = (this.rows?.length ?? 3) - 1, table = film ? Float32Array.from(rows, (row) => row === last - 2 ? -1 : row) : cells.values;
    for (let i = 0; i < n; i++) {
      const before = this.has(first, i), after = this.has(second, i);
      let p = table[256 * a + levels[a][i]], q = table[256 * b + levels[b][i]];
      if (a === first && !before) p = q;
      else if (b === second && !after) q = p;
      out[i] = before || after ? p + (q - p) * w : NaN;
    }
    return out;
  }

  /** How strong a cell's color is, 0 to 1. @param {number} plane @param {number} i */
  strength(plane, i) {
    const {header, cells} = this, {full} = cells;
    if (!header.strengths || (full && (full[i >> 3] >> (i & 7)) & 1)) return 1;
    return header.strengths[cells.steps[plane][i]];
  }

  /** @param {Int32Array} which @param {number} a @param {number} b @param {number} w
   * @param {Int32Array} out */
  fillLabels(which, a, b, w, out) {
    const rows = /** @type {Int32Array} */ (this.rows), {levels, steps, full} = this.cells;
    const la = levels[a], lb = levels[b], n = which.length, still = !w || a === b;
    const sa = steps[a], sb = steps[b], {strengths} = this.header;
    const table = Float64Array.from(strengths ?? []);
    const bytes = Uint8Array.from(table, (s) => s * 255 + 0.5);
    for (let v = 0; v < n; v++) {
      const i = which[v], c = la[i], sure = !strengths || (full && (full[i >> 3] >> (i & 7)) & 1);
      if (still) {
        out[v] = rows[256 * c + (sure ? 255 : bytes[sa[i]])];
        continue;
      }
      const d = lb[i], s = c ? table[sa[i]] : table[sb[i]], t = d ? table[sb[i]] : s;
      const step = sure ? 255 : ((s + (t - s) * w) * 255 + 0.5) | 0;
      out[v] = c === d ? rows[256 * c + step] : mixed(rows[256 * c + step], rows[256 * d + step], w);
    }
  }

  /** What is said of a cell in a plane: text, and height of its curve. @param {number} plane
   * @param {number} i @returns {{text: string, share: string, height: number, color: number}} */
  told(plane, i) {
    const {header, cells} = this, rows = /** @type {Int32Array} */ (this.rows);
    const level = cells.levels[plane][i];
    if (!this.has(plane, i)) {
      return {text: header.missingName ?? 'NA', share: '', height: NaN, color: rows[header.kind === 'labels' ? 0 : rows.length - 1]};
    }
    if (header.kind === 'scores') {
      const rank = cells.ranks[256 * plane + level] / 65535;
      const value = cells.values[256 * plane + level];
      const [low, high] = header.limits;
      const height = this.scale === 'rank' ? rank : high > low ? (value - low) / (high - low) : 0.5;
      return {text: inShort(value), share: `rank ${Math.round(rank * 100)} %`, height: Math.min(1, Math.max(0, height)), color: rows[this.ruler()(this.levelValues(plane)[level])]};
    }
    const strength = this.strength(plane, i), seed = header.shares && cells.full && (cells.full[i >> 3] >> (i & 7)) & 1;
    const share = header.shares ? header.shares[cells.steps[plane][i]] : 1;
    const names = header.planes[plane].names ?? header.categories;
    return {text: names[level - 1], share: seed || !header.shares ? '' : `${Math.round(share * 100)} %`,
      height: seed ? 1 : share, color: rows[256 * level + Math.round(strength * 255)]};
  }
}
