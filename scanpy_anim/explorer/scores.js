/** Scores on a color map. */
class Scores extends Colors {
  /** @param {any} header */
  constructor(header) {
    super(header);
    this.scale = header.scale;
    const rows = header.colors.match(/.{8}/g); // then below, above, missing
    this.setRows(Int32Array.from(rows, (hex) => hexColor(/** @type {any} */ (hex), header.alpha)));
  }

  /** The frames that a moment lies between.
   * @param {number} a @param {number} b @returns {number[]} */
  frames(a, b) {
    const {planes} = this.header;
    return planes[a].between ?? planes[b].between ?? [a, b];
  }

  /** Whether a cell has a value in a plane, or in the frame nearest to it.
   * @param {number} plane @param {number} cell */
  has(plane, cell) {
    const [first, second, share = 0] = this.frames(plane, plane);
    const missing = this.cells.missing[share > 0.5 ? second : first];
    return !missing || !bit(missing, cell);
  }

  /** What the 256 levels of a plane are on the scale that is shown. @param {number} plane */
  levelValues(plane) {
    const {scale, cells} = this, {values, ranks, rows} = cells, rank = scale === 'rank';
    const table = rank ? ranks : scale === 'film' ? rows : values;
    return Float64Array.from(table.subarray(256 * plane, 256 * plane + 256), (v) => rank ? v / 65535 : v);
  }

  limits() {
    const {scale, header: {limits: [low, high], positive}} = this;
    return scale === 'rank' ? [0, 1] : [scale === 'log' ? Math.max(low, positive) : low, high];
  }

  /** Color of a value on the scale that is shown. @returns {(value: number) => number} */
  ruler() {
    const {rows, scale} = this, n = rows.length - 3, log = scale === 'log';
    if (scale === 'film') return (value) => rows[value | 0];
    const [low, high] = this.limits().map((end) => log ? Math.log(end) : end), wide = high - low;
    return (value) => {
      const t = wide ? ((log ? Math.log(value) : value) - low) / wide : 0;
      return rows[log && !(value > 0) ? n + 2 : t < 0 ? n : t > 1 ? n + 1 : t === 1 ? n - 1 : t >= 0 ? t * n | 0 : n + 2];
    };
  }

  /** Fill in the colors of some cells at a moment. @param {Int32Array} which
   * @param {number[]} moment @param {Int32Array} out */
  fill(which, moment, out) {
    const {missing, levels} = this.cells, [a, b, w] = moment, [first, second] = this.frames(a, b);
    if ((w && a !== b) || missing[first] || missing[second]) return blendScores(this, which, moment, out);
    const plain = Int32Array.from(this.levelValues(a), this.ruler()), codes = levels[a];
    for (let k = 0; k < which.length; k++) out[k] = plain[codes[which[k]]];
  }

  /** What is said of a cell in a plane: texts, and height of its curve.
   * @param {number} plane @param {number} cell */
  told(plane, cell) {
    const {cells: {levels, ranks, values}, header: {limits: [low, high]}} = this, level = levels[plane][cell], at = 256 * plane + level;
    if (!this.has(plane, cell)) return {texts: ['NA'], height: NaN, color: this.rows[this.rows.length - 1]};
    const rank = ranks[at] / 65535, height = this.scale === 'rank' ? rank : high > low ? (values[at] - low) / (high - low) : 0.5;
    return {texts: [inShort(values[at]), `rank ${Math.round(rank * 100)} %`],
      height: Math.min(1, Math.max(0, height)), color: this.ruler()(this.levelValues(plane)[level])};
  }

  /** A color bar with its scale to choose. @param {() => void} changed */
  beside(changed) {
    const {header, rows} = this, n = rows.length - 3;
    const strip = make('canvas', {width: 1, height: n, 'aria-hidden': true}), context = strip.getContext('2d');
    for (let k = 0; k < n; k++) {
      context.fillStyle = cssColor(rows[n - 1 - k]);
      context.fillRect(0, k, 1, 1);
    }
    const ticks = make('div', {class: 'ticks'}), label = make('span', {class: 'label'});
    const scales = ['rank', 'linear'];
    if (header.scale === 'film') scales.unshift('film');
    if (header.positive > 0 && header.limits[1] > header.positive) scales.push('log');
    const select = make('select', {'aria-label': 'color scale', onchange: () => {
      this.scale = select.value;
      update();
      changed();
    }}, ...scales.map((scale) => make('option', {value: scale, selected: scale === header.scale},
      scale === 'film' ? 'as in the film' : scale)));
    const update = () => {
      const {scale} = this, [low, high] = this.limits();
      const shown = scale === 'film' ? [] : [high, scale === 'log' ? Math.sqrt(low * high) : (low + high) / 2, low];
      ticks.replaceChildren(...shown.map((value) => make('span', {}, inShort(value))));
      label.textContent = scale === header.scale ? header.bar : scale === 'rank' ? scale : `value, ${scale}`;
    };
    update();
    return make('div', {class: 'scale'}, make('div', {class: 'strip'}, strip, ticks, label), select);
  }
}
