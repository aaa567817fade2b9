/**
 * The parts of a page: base64 of deflate-raw bytes in scripts that do not run.
 *
 * @typedef {{n: number, x: Uint16Array | Float32Array, y: Uint16Array | Float32Array,
 *   move?: (place: number) => void, place?: number, order?: Int32Array, source?: Uint32Array | null,
 *   levels: (Uint8Array | Uint16Array)[], steps: Uint8Array[], missing: (Uint8Array | null)[],
 *   values?: any, ranks?: any, rows?: any, full?: Uint8Array}} Cells
 * x, y: where cells are, once they did `move` to a place between stops or an angle in space;
 * order: back to front, if that changes; source: which cell of an earlier panel each is; levels,
 * steps, missing: one array a plane; values, ranks, rows: 256 a plane
 */

class Damaged extends Error {}

/** The bytes of a part, if there is one. @param {HTMLElement} host @param {any} header
 * @param {string} name @returns {Promise<any>} */
async function partBytes(host, {prefix = '', parts}, name) {
  name = prefix + name;
  if (!parts[name]) return undefined;
  const [characters, length] = parts[name];
  const text = host.querySelector(`[data-part="${name}"]`)?.textContent?.trim() ?? '';
  if (text.length === characters) {
    try {
      const packed = letterBytes(text);
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
      if (bytes.length === length) return bytes;
    } catch { /* said below */ }
  }
  throw new Damaged();
}

/** @param {string} text */
function letterBytes(text) {
  const Bytes = /** @type {any} */ (Uint8Array);
  if (Bytes.fromBase64) return Bytes.fromBase64(text);
  const letters = atob(text), bytes = new Bytes(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Numbers of 16 bits from planes of low and high bytes. @param {Uint8Array} bytes
 * @param {number} at @param {number} n */
function words(bytes, at, n) {
  const out = new Uint16Array(n);
  for (let i = 0; i < n; i++) out[i] = bytes[at + i] | (bytes[at + n + i] << 8);
  return out;
}

/** Numbers of 32 bits from four planes of bytes. @param {Uint8Array} bytes @param {number} n */
function wholes(bytes, n) {
  const out = new Uint32Array(n);
  for (let i = 0; i < n; i++) out[i] = bytes[i] | (bytes[n + i] << 8) | (bytes[2 * n + i] << 16) | (bytes[3 * n + i] << 24);
  return out;
}

/** @param {Uint8Array} bytes @param {number} n */
function floats(bytes, n) {
  return new Float32Array(wholes(bytes, n).buffer);
}

/** @param {Uint8Array} bytes @param {number} i */
function bit(bytes, i) {
  return (bytes[i >> 3] >> (i & 7)) & 1;
}

/** All cells and planes of a panel. @param {HTMLElement} host @param {any} header
 * @param {Cells[]} [earlier] those of the panels before it @returns {Promise<Cells>} */
async function decodeCells(host, header, earlier = []) {
  const {n, planes, stops = [], turn, wide, shares} = header, labels = header.kind === 'labels';
  const numbered = (/** @type {string} */ name, /** @type {any[]} */ list) => list.map((_, k) => `${name}-${k}`);
  const names = ['xy', 'cells', 'tables', 'full', ...numbered('frame', planes), ...numbered('xy', stops)];
  const [xy, numbers, tables, full, ...more] = await Promise.all(names.map((name) => partBytes(host, header, name)));
  const source = numbers && undelta(wholes(numbers, n)), moves = stops[0] || turn !== undefined;
  const [x, y] = !xy ? placesOf(earlier[header.like], source) : moves ? byDeltas(xy, n) : alongCurve(wholes(xy, n));
  /** @type {Cells} */
  const cells = {n, x, y, source, full, levels: [], steps: [], missing: []};
  if (stops[0]) moveCells(cells, stops, [xy, ...more.slice(planes.length + 1)]);
  else if (moves) turnCells(cells, header, xy);
  const codes = wide ? 2 * n : n, summed = labels && shares ? codes + n : codes;
  planes.forEach((/** @type {any} */ {from, missing}, /** @type {number} */ k) => {
    const bytes = more[k], before = more[from];
    if (before) {
      for (let i = 0; i < summed; i++) bytes[i] += before[i];
      for (let i = summed; i < Math.min(bytes.length, before.length); i++) bytes[i] ^= before[i];
    }
    cells.levels.push(wide ? words(bytes, 0, n) : bytes.subarray(0, n));
    cells.steps.push(bytes.subarray(codes));
    cells.missing.push(!labels && missing ? bytes.subarray(n) : null);
  });
  if (tables) {
    const size = 256 * planes.length;
    Object.assign(cells, {values: floats(tables, size), ranks: words(tables, 4 * size, size), rows: words(tables, 6 * size, size)});
  }
  return cells;
}

/** What tells a text of each cell. @param {HTMLElement} host @param {any} header @param {string} name of the part
 * @param {any} column as the header describes it @returns {Promise<(cell: number) => string>} */
async function decodeColumn(host, header, name, column) {
  if (!column) return (cell) => `${cell}`;
  const bytes = await partBytes(host, header, name), {n} = header, {kind, names, wide} = column;
  if (kind === 'barcodes') return decodeBarcodes(bytes, n, column);
  if (kind === 'text') {
    const texts = JSON.parse(new TextDecoder().decode(bytes));
    return (cell) => texts[cell];
  }
  const numbers = kind === 'numbers' ? floats(bytes, n) : wide ? words(bytes, 0, n) : bytes;
  return (cell) => names ? names[numbers[cell] - 1] ?? 'NA' : inShort(numbers[cell]);
}

/** A number for people. @param {number} value */
function inShort(value) {
  if (Number.isNaN(value)) return 'NA';
  return `${Number.isInteger(value) && Math.abs(value) < 1e6 ? value : Number(value.toPrecision(3))}`;
}
