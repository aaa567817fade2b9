/** Cells that move: from stop to stop, or in space around the upright axis; and orders that change. */

/** Where cells are at each stop. @param {any} header @param {Uint8Array[]} parts @returns {Stop[]} */
function decodeStops({n, stops}, parts) {
  /** @type {Stop[]} */
  const out = [];
  parts.forEach((bytes, k) => {
    const [fromBefore, nowhere] = stops?.[k] ?? [0, 0], before = out[k - 1];
    const axis = (/** @type {number} */ at, /** @type {Uint16Array} */ was) => {
      const steps = words(bytes, at, n);
      if (!fromBefore) return undelta(steps);
      for (let i = 0; i < n; i++) steps[i] = was[i] + ((steps[i] >>> 1) ^ -(steps[i] & 1));
      return steps;
    };
    out.push({x: axis(0, before?.x), y: axis(2 * n, before?.y), nowhere: nowhere ? bytes.subarray(4 * n) : null});
  });
  return out;
}

/** Have cells where they are at a moment. @param {Cells} cells @param {any} header
 * @param {number} place number of the stop, with a fraction on the way; in space an angle */
function moveCells(cells, header, place) {
  if (!(cells.stops || cells.space) || cells.place === place) return;
  cells.place = place;
  if (cells.space) turnCells(cells, header, place);
  else if (cells.stops) goBetween(cells, cells.stops, place);
}

/** @param {Cells} cells @param {Stop[]} stops @param {number} place */
function goBetween({x, y, n}, stops, place) {
  const k = Math.floor(place), w = place - k, from = stops[k], to = stops[w ? k + 1 : k];
  for (let i = 0; i < n; i++) {
    x[i] = from.x[i] + (to.x[i] - from.x[i]) * w;
    y[i] = from.y[i] + (to.y[i] - from.y[i]) * w;
  }
  for (const {nowhere} of [from, to]) {
    if (nowhere) for (let i = 0; i < n; i++) if ((nowhere[i >> 3] >> (i & 7)) & 1) x[i] = NaN;
  }
}

/** Turn cells, and order them by how near they are, in 65,536 steps. @param {Cells} cells
 * @param {any} header @param {number} angle */
function turnCells(cells, {turn, xy: {origin, step}}, angle) {
  const {x, y, n, space} = cells, [px, py, pz] = space ?? [];
  const c = Math.cos(angle), s = Math.sin(angle), ct = Math.cos(turn), st = Math.sin(turn);
  const depth = new Float64Array(n), keys = new Uint16Array(n);
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < n; i++) {
    const u = origin[0] + step * px[i], v = origin[1] + step * py[i], up = origin[2] + step * pz[i];
    const away = u * s + v * c, near = up * st - away * ct;
    x[i] = u * c - v * s;
    y[i] = up * ct + away * st;
    depth[i] = near;
    if (near < low) low = near;
    if (near > high) high = near;
  }
  const scale = high > low ? 65535 / (high - low) : 0;
  for (let i = 0; i < n; i++) keys[i] = (depth[i] - low) * scale;
  cells.order = sortedBy(Int32Array.from({length: n}, (_, i) => i), keys);
}

/** Numbers of cells, those of lower keys first; of equal ones as they were.
 * @param {Int32Array} order @param {Uint16Array} keys */
function sortedBy(order, keys) {
  const ends = new Int32Array(65537), out = new Int32Array(order.length);
  for (let i = 0; i < keys.length; i++) ends[keys[i] + 1]++;
  for (let k = 0; k < 65536; k++) ends[k + 1] += ends[k];
  for (let k = 0; k < order.length; k++) out[ends[keys[order[k]]]++] = order[k];
  return out;
}

/** Order cells by their values at a moment, those without one first. @param {Cells} cells
 * @param {Colors} colors @param {number[]} moment */
function orderByValue(cells, colors, moment) {
  const {n} = cells, values = colors.shownValues(moment), bits = new Uint32Array(values.buffer);
  const low = new Uint16Array(n), high = new Uint16Array(n);
  for (let i = 0; i < n; i++) { // as whole numbers that are in the order of the floats
    const key = Number.isNaN(values[i]) ? 0 : bits[i] >>> 31 ? ~bits[i] : bits[i] | 0x80000000;
    low[i] = key;
    high[i] = key >>> 16;
  }
  cells.order = sortedBy(sortedBy(Int32Array.from({length: n}, (_, i) => i), low), high);
}
