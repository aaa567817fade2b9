/** Numbers and places that are told by differences. */

/** Sums of zigzag differences, modulo 2 ** bits.
 * @template {Uint16Array<any> | Uint32Array<any>} T @param {T} steps @returns {T} */
function undelta(steps) {
  let sum = 0;
  for (let i = 0; i < steps.length; i++) {
    steps[i] = sum = (sum + ((steps[i] >>> 1) ^ -(steps[i] & 1))) | 0;
  }
  return steps;
}

/** @param {Uint8Array} bytes @param {number} n */
function byDeltas(bytes, n) {
  return [undelta(words(bytes, 0, n)), undelta(words(bytes, 2 * n, n))];
}
