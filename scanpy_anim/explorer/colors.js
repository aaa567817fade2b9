/** Colors of cells at a moment, and what is said of them. Colors are 0xAABBGGRR. */

/** @param {string} hex "#rrggbb" or "#rrggbbaa" @param {number} [alpha] */
function hexColor(hex, alpha = 1) {
  const [r, g, b, a = 255] = (hex.match(/\w\w/g) ?? []).map((two) => parseInt(two, 16));
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

/** What scores and labels have in common. */
class Colors {
  /** @param {any} header */
  constructor(header) {
    this.header = header;
    /** @type {Cells} */ this.cells = {n: 0, x: new Uint16Array(0), y: new Uint16Array(0), levels: [], steps: [], missing: []};
    /** @type {Int32Array} */ this.rows = new Int32Array(0);
    this.hiding = this.alpha = 255;
  }

  /** @param {Int32Array} rows all colors there are */
  setRows(rows) {
    this.rows = rows;
    this.hiding = rows.reduce((least, color) => Math.min(least, color >>> 24), 255);
    /** Their opacity, if they have one, else -1. */
    this.alpha = rows.every((color) => color >>> 24 === this.hiding) ? this.hiding : -1;
  }

  /** What says which cells lie below others in a plane; empty: none. @param {number} plane */
  layering(plane) {
    return this.header.planes[plane].resort ? `${plane}` : '';
  }

  /** 0 for cells that lie below others; null: order of the file.
   * @param {number} plane @returns {View['layers']} */
  layers(plane) {
    if (!this.layering(plane)) return null;
    const out = new Uint8Array(this.cells.n);
    for (let i = 0; i < out.length; i++) out[i] = this.has(plane, i) ? 1 : 0;
    return out;
  }

  /** Whether a class is shown. @param {number} c */
  shown(c) {
    return true;
  }

  /** Whether a cell has a value. @param {number} plane @param {number} cell */
  has(plane, cell) {
    return this.cells.levels[plane][cell] > 0;
  }

  /** Call things as a plane does. @param {number} plane */
  rename(plane) {}
}
