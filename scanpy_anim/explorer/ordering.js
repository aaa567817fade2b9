/** Orders of cells that change from frame to frame. */

/** Numbers of cells, those of lower keys first; of equal ones as they were.
 * @param {Uint16Array} keys @param {Int32Array} [order] */
function sortedBy(keys, order = Int32Array.from(keys.keys())) {
  const ends = new Int32Array(65537), out = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) ends[keys[i] + 1]++;
  for (let k = 0; k < 65536; k++) ends[k + 1] += ends[k];
  for (let k = 0; k < keys.length; k++) out[ends[keys[order[k]]]++] = order[k];
  return out;
}

/** Order cells by their values at a moment, those without one first. @param {Cells} cells
 * @param {any} colors @param {number[]} moment */
function orderByValue(cells, colors, moment) {
  const {n} = cells, low = new Uint16Array(n), high = new Uint16Array(n);
  const values = colors.shownValues(moment), bits = new Uint32Array(values.buffer);
  for (let i = 0; i < n; i++) { // as whole numbers that are in the order of the floats
    const key = Number.isNaN(values[i]) ? 0 : bits[i] >>> 31 ? ~bits[i] : bits[i] | 0x80000000;
    low[i] = key;
    high[i] = key >>> 16;
  }
  cells.order = sortedBy(high, sortedBy(low));
}
