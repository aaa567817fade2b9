/** Cells that move from stop to stop.
 * @param {Cells} cells @param {number[][]} stops whether each is differences to the one before, and
 * whether cells are nowhere there @param {Uint8Array[]} parts of each stop */
function moveCells(cells, stops, parts) {
  const {n, x, y} = cells;
  const places = [{x, y, nowhere: stops[0][1] ? parts[0].subarray(4 * n) : null}];
  for (let k = 1; k < stops.length; k++) {
    const [differs, nowhere] = stops[k];
    const axis = (/** @type {number} */ at, /** @type {Cells['x']} */ before) => {
      const steps = words(parts[k], at, n);
      if (!differs) return undelta(steps);
      for (let i = 0; i < n; i++) steps[i] = before[i] + ((steps[i] >>> 1) ^ -(steps[i] & 1));
      return steps;
    };
    const {x, y} = places[k - 1];
    places.push({x: axis(0, x), y: axis(2 * n, y), nowhere: nowhere ? parts[k].subarray(4 * n) : null});
  }
  cells.x = new Float32Array(n);
  cells.y = new Float32Array(n);
  cells.move = (place) => {
    const k = Math.floor(place), w = place - k, from = places[k], to = places[w ? k + 1 : k], {x, y} = cells;
    for (let i = 0; i < n; i++) {
      x[i] = from.x[i] + (to.x[i] - from.x[i]) * w;
      y[i] = from.y[i] + (to.y[i] - from.y[i]) * w;
    }
    for (const {nowhere} of [from, to]) {
      if (nowhere) for (let i = 0; i < n; i++) if (bit(nowhere, i)) x[i] = NaN;
    }
  };
}
