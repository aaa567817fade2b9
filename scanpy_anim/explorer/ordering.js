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
  const {n, values, rows} = cells, low = new Uint16Array(n), high = new Uint16Array(n);
  const film = colors.header.scale === 'film', below = colors.rows.length - 3, float = new Float32Array(1), bits = new Uint32Array(float.buffer);
  course(colors, moment, (plane) => { // on the film's own scale
    const table = (film ? rows : values).subarray(256 * plane, 256 * plane + 256);
    return Float64Array.from(table, (v) => film && v === below ? -1 : v);
  }, Int32Array.from(low.keys()), (k, p, q, before, after) => {
    float[0] = p + (q - p) * moment[2];
    const key = !(before || after) || Number.isNaN(float[0]) ? 0 : bits[0] >>> 31 ? ~bits[0] : bits[0] | 0x80000000;
    low[k] = key; // whole numbers that are in the order of the floats
    high[k] = key >>> 16;
  });
  cells.order = sortedBy(high, sortedBy(low));
}
