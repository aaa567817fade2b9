/** Scores of cells on their way from one frame to another, or without a value in one of them. */

/** Tell what cells go from and to at a moment, and whether the frames around have them.
 * @param {Scores} colors @param {number[]} moment @param {(plane: number) => Float64Array} table
 * @param {Int32Array} which
 * @param {(k: number, from: number, to: number, before: boolean, after: boolean) => void} tell */
function course(colors, [a, b], table, which, tell) {
  const {levels} = colors.cells, [first, second] = colors.frames(a, b), from = table(a), to = table(b), la = levels[a], lb = levels[b];
  for (let k = 0; k < which.length; k++) {
    const i = which[k], before = colors.has(first, i), after = colors.has(second, i);
    let p = from[la[i]], q = to[lb[i]];
    if (a === first && !before) p = q;
    else if (b === second && !after) q = p;
    tell(k, p, q, before, after);
  }
}

/** Fill in the colors of some cells at a moment. @param {Scores} colors @param {Int32Array} which
 * @param {number[]} moment @param {Int32Array} out */
function blendScores(colors, which, moment, out) {
  const {rows, scale, header: {planes}} = colors, [a, b, w] = moment, [first] = colors.frames(a, b);
  const color = colors.ruler(), bad = rows[rows.length - 1], last = rows.length - 3;
  const at = (/** @type {number} */ plane) => planes[plane].between?.[2] ?? (plane === first ? 0 : 1);
  const share = at(a) + (at(b) - at(a)) * w;
  course(colors, moment, (plane) => colors.levelValues(plane), which, (k, p, q, before, after) => {
    const own = scale === 'film' && (p >= last || q >= last) ? mixed(rows[p], rows[q], w) : color(p + (q - p) * w);
    out[k] = before && after ? own : before ? mixed(own, bad, share) : after ? mixed(bad, own, share) : bad;
  });
}
