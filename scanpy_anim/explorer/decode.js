/**
 * The parts of a page: base64 of deflate-raw bytes in scripts that do not run.
 *
 * @typedef {{x: Uint16Array, y: Uint16Array, nowhere: Uint8Array | null}} Stop
 * @typedef {{n: number, x: Uint16Array | Float32Array, y: Uint16Array | Float32Array,
 *   stops: Stop[] | null, space: Uint16Array[] | null, order: Int32Array | null, place: number, source: Uint32Array | null, levels: (Uint8Array | Uint16Array)[],
 *   steps: Uint8Array[], missing: (Uint8Array | null)[], values: Float32Array, ranks: Uint16Array,
 *   rows: Uint16Array | null, full: Uint8Array | null}} Cells
 * x, y: where cells are, at a place between stops or an angle in space if they move; order: back to
 * front, if that changes; source: which cell of an earlier
 * panel each is; levels, steps, missing: one array a
 * plane; values, ranks, rows: 256 a plane
 */

class Damaged extends Error {}

/** The bytes of a part. @param {HTMLElement} host @param {any} header @param {string} name */
async function partBytes(host, header, name) {
  name = (header.prefix ?? '') + name;
  const [characters, bytes] = header.parts[name];
  const text = host.querySelector(`[data-part="${name}"]`)?.textContent?.trim() ?? '';
  if (text.length !== characters) throw new Damaged();
  const from = /** @type {any} */ (Uint8Array).fromBase64;
  try {
    const packed = from ? from.call(Uint8Array, text) : letterBytes(atob(text));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const content = new Uint8Array(await new Response(stream).arrayBuffer());
    if (content.length === bytes) return content;
  } catch { /* said below */ }
  throw new Damaged();
}

/** @param {string} letters */
function letterBytes(letters) {
  const bytes = new Uint8Array(letters.length);
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

/** Numbers from four planes of bytes. @param {Uint8Array} bytes @param {number} n */
function floats(bytes, n) {
  const mixed = new Uint8Array(4 * n);
  for (let k = 0; k < 4; k++) for (let i = 0; i < n; i++) mixed[4 * i + k] = bytes[k * n + i];
  return new Float32Array(mixed.buffer);
}

/** Sums of zigzag differences, modulo 2 ** bits.
 * @template {Uint16Array<any> | Uint32Array<any>} T @param {T} steps @returns {T} */
function undelta(steps) {
  let sum = 0;
  for (let i = 0; i < steps.length; i++) {
    steps[i] = sum = (sum + ((steps[i] >>> 1) ^ -(steps[i] & 1))) | 0;
  }
  return steps;
}

/** Places from how far each is from the one before along a Hilbert curve.
 * @param {Uint32Array} steps @returns {Stop} */
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
  return {x: xs, y: ys, nowhere: null};
}

/** Add, or for bits xor, what an earlier plane had at first .. last, four bytes at a time.
 * @param {Uint8Array} bytes @param {Uint8Array} before @param {number} n bytes that are added */
function undiff(bytes, before, n) {
  const four = n >> 2;
  const a = new Int32Array(bytes.buffer, 0, four), b = new Int32Array(before.buffer, 0, four);
  for (let i = 0; i < four; i++) {
    a[i] = ((a[i] & 0x7f7f7f7f) + (b[i] & 0x7f7f7f7f)) ^ ((a[i] ^ b[i]) & 0x80808080);
  }
  for (let i = four << 2; i < n; i++) bytes[i] += before[i];
  for (let i = n; i < Math.min(bytes.length, before.length); i++) bytes[i] ^= before[i];
}

/** Coordinates of other cells. @param {Cells['x']} axis @param {Uint32Array | null} cells */
function takenFrom(axis, cells) {
  return /** @type {Uint16Array} */ (cells ? Uint16Array.from(cells, (cell) => axis[cell]) : axis);
}

/** All cells and planes of a panel. @param {HTMLElement} host @param {any} header
 * @param {Cells[]} [earlier] those of the panels before it @returns {Promise<Cells>} */
async function decodeCells(host, header, earlier = []) {
  const {n, planes, kind, wide, shares} = header, labels = kind === 'labels';
  const numbered = (/** @type {string} */ name, /** @type {any[]} */ list) => list.map((_, k) => `${name}-${k}`);
  const has = (/** @type {string} */ name) => header.parts[(header.prefix ?? '') + name];
  const places = ['xy', ...numbered('xy', header.stops ?? []).slice(1)].filter(has);
  const names = [...places, ...numbered('frame', planes)];
  for (const name of ['tables', 'full', 'cells']) if (has(name)) names.push(name);
  const parts = await Promise.all(names.map((name) => partBytes(host, header, name)));
  const raw = parts.slice(places.length, places.length + planes.length);
  const rest = new Map(names.map((name, k) => [name, parts[k]])), numbers = rest.get('cells');
  const source = numbers ? undelta(new Uint32Array(floats(numbers, n).buffer)) : null;
  const like = earlier[header.like], turns = header.turn !== undefined, moves = turns || !!header.stops;
  const stops = !places.length ? [{x: takenFrom(like.x, source), y: takenFrom(like.y, source), nowhere: null}] :
    moves ? decodeStops(header, parts.slice(0, places.length)) : [alongCurve(new Uint32Array(floats(parts[0], n).buffer))];
  const space = turns ? [stops[0].x, stops[0].y, undelta(words(parts[0], 4 * n, n))] : null;
  /** @type {Cells} */
  const cells = {n, x: moves ? new Float32Array(n) : stops[0].x, y: moves ? new Float32Array(n) : stops[0].y,
    stops: header.stops ? stops : null, space, order: null, place: NaN, source, levels: [], steps: [], missing: [],
    values: new Float32Array(0), ranks: new Uint16Array(0), rows: null, full: null};
  const summed = labels ? n * ((wide ? 2 : 1) + (shares ? 1 : 0)) : n;
  planes.forEach((/** @type {any} */ plane, /** @type {number} */ k) => {
    if (plane.from >= 0) undiff(raw[k], raw[plane.from], summed);
    cells.levels.push(labels && wide ? words(raw[k], 0, n) : raw[k].subarray(0, n));
    cells.steps.push(raw[k].subarray(wide ? 2 * n : n));
    cells.missing.push(!labels && plane.missing ? raw[k].subarray(n) : null);
  });
  const tables = rest.get('tables'), size = 256 * planes.length;
  if (tables) {
    cells.values = floats(tables, size);
    cells.ranks = words(tables, 4 * size, size);
    if (tables.length > 6 * size) cells.rows = words(tables, 6 * size, size);
  }
  cells.full = rest.get('full') ?? null;
  return cells;
}

/** Names of all cells. @param {HTMLElement} host @param {any} header
 * @returns {Promise<(cell: number) => string>} */
async function decodeNames(host, header) {
  const {names, n} = header;
  if (!names) return (cell) => `${cell}`;
  const bytes = await partBytes(host, header, 'names');
  if (names.kind === 'text') {
    const texts = JSON.parse(new TextDecoder().decode(bytes));
    return (cell) => texts[cell];
  }
  const forms = names.wide ? words(bytes, 0, n) : bytes.subarray(0, n);
  const begin = names.wide ? 2 * n : n, starts = new Uint32Array(n + 1);
  for (let i = 0; i < n; i++) starts[i + 1] = starts[i] + names.forms[forms[i]][1];
  return (cell) => {
    const [prefix, length, suffix] = names.forms[forms[cell]];
    let text = prefix;
    for (let k = starts[cell]; k < starts[cell] + length; k++) {
      text += 'ACGT'[(bytes[begin + (k >> 2)] >> (6 - 2 * (k & 3))) & 3];
    }
    return text + suffix;
  };
}

/** What further columns say of a cell. @param {HTMLElement} host @param {any} header
 * @returns {Promise<((cell: number) => string)[]>} */
function decodeHover(host, header) {
  return Promise.all(header.hover.map(async (/** @type {any} */ column, /** @type {number} */ k) => {
    const bytes = await partBytes(host, header, `hover-${k}`), {n} = header;
    if (column.kind === 'text') {
      const texts = JSON.parse(new TextDecoder().decode(bytes));
      return (/** @type {number} */ cell) => texts[cell];
    }
    if (column.kind === 'numbers') {
      const numbers = floats(bytes, n);
      return (/** @type {number} */ cell) => inShort(numbers[cell]);
    }
    const codes = column.wide ? words(bytes, 0, n) : bytes;
    return (/** @type {number} */ cell) => codes[cell] ? column.names[codes[cell] - 1] : 'NA';
  }));
}

/** A number for people. @param {number} value */
function inShort(value) {
  if (Number.isNaN(value)) return 'NA';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return `${value}`;
  return `${Number(value.toPrecision(3))}`;
}
