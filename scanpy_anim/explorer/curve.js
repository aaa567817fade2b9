/** Places from how far each is from the one before along a Hilbert curve. @param {Uint32Array} steps */
function alongCurve(steps) {
  const n = steps.length, xs = new Uint16Array(n), ys = new Uint16Array(n);
  for (let i = 0, at = 0; i < n; i++) {
    at = (at + steps[i]) | 0;
    let x = 0, y = 0, swap = 0, flip = 0;
    for (let shift = 30; shift >= 0; shift -= 2) { // the quarter of a quarter, mirrored as the curve turns
      const right = (at >> (shift + 1)) & 1, up = ((at >> shift) ^ right) & 1, other = (right ^ up) & swap;
      x = (x << 1) | (right ^ other ^ flip);
      y = (y << 1) | (up ^ other ^ flip);
      swap ^= up ^ 1;
      flip ^= right & ~up;
    }
    xs[i] = x;
    ys[i] = y;
  }
  return [xs, ys];
}
