/** Cells that turn in space around the upright axis, ordered by how near they are, in 65,536 steps.
 * @param {Cells} cells @param {any} header @param {Uint8Array} bytes */
function turnCells(cells, {turn, xy: {origin, step}}, bytes) {
  const {n, x: px, y: py} = cells, z = undelta(words(bytes, 4 * n, n)), x = cells.x = new Float32Array(n), y = cells.y = new Float32Array(n);
  const depth = new Float64Array(n), keys = new Uint16Array(n), ct = Math.cos(turn), st = Math.sin(turn);
  cells.move = (angle) => {
    const c = Math.cos(angle), s = Math.sin(angle);
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < n; i++) {
      const u = origin[0] + step * px[i], v = origin[1] + step * py[i], up = origin[2] + step * z[i];
      const away = u * s + v * c, near = up * st - away * ct;
      x[i] = u * c - v * s;
      y[i] = up * ct + away * st;
      depth[i] = near;
      if (near < low) low = near;
      if (near > high) high = near;
    }
    const scale = high > low ? 65535 / (high - low) : 0;
    for (let i = 0; i < n; i++) keys[i] = (depth[i] - low) * scale;
    cells.order = sortedBy(keys);
  };
}
