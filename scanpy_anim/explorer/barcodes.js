/** Names that hold a barcode: two bits a base, and what stands around it.
 * @param {Uint8Array} bytes @param {number} n
 * @param {{forms: [string, number, string][], wide: number}} column prefix, bases, suffix of each form */
function decodeBarcodes(bytes, n, {forms, wide}) {
  const which = wide ? words(bytes, 0, n) : bytes, begin = wide ? 2 * n : n;
  const starts = new Uint32Array(n + 1);
  for (let i = 0; i < n; i++) starts[i + 1] = starts[i] + forms[which[i]][1];
  return (/** @type {number} */ cell) => {
    let [text, , suffix] = forms[which[cell]];
    for (let k = starts[cell]; k < starts[cell + 1]; k++) {
      text += 'ACGT'[(bytes[begin + (k >> 2)] >> (6 - 2 * (k & 3))) & 3];
    }
    return text + suffix;
  };
}
