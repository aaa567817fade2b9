/** Labels: a color a class, the stronger the surer, and a legend. */
class Labels extends Colors {
  /** @param {any} header */
  constructor(header) {
    super(header);
    /** Class that is highlighted; -1: none. */
    this.lit = -1;
    this.on = new Uint8Array(header.categories.length).fill(1);
    /** @type {Map<number, any>} */ this.buttons = new Map();
    this.refresh();
  }

  /** Find the colors anew of 256 strengths of each class; row 0: missing. */
  refresh() {
    const {header: {alpha, palette, missing}} = this, rows = new Int32Array(256 * (palette.length + 1)).fill(hexColor(missing, alpha));
    palette.forEach((/** @type {string[]} */ ends, /** @type {number} */ c) => {
      const [from, to] = ends.map((end) => hexColor(end, alpha));
      if (this.shown(c)) for (let s = 0; s < 256; s++) rows[256 * (c + 1) + s] = mixed(from, to, s / 255);
    });
    this.setRows(rows);
  }

  /** @param {number} c class; -1: none */
  shown(c) {
    return this.lit < 0 ? this.on[c] !== 0 : this.lit === c;
  }

  /** Classes that are shown lie on top, and so few cells do so at once. @param {number} plane */
  layering(plane) {
    const picky = this.on.includes(0) || (this.lit >= 0 && this.cells.n < 3e5);
    return picky ? `${[plane, this.lit, this.on]}` : super.layering(plane);
  }

  /** @param {number} plane */
  layers(plane) {
    if (!this.layering(plane).includes(',')) return super.layers(plane);
    const shown = [0, ...this.on.map((_, c) => this.shown(c) ? 1 : 0)];
    return this.cells.levels[plane].map((code) => shown[code]);
  }

  /** Whether a cell is a seed, at full strength. @param {number} cell */
  sure(cell) {
    const {full} = this.cells;
    return full && bit(full, cell);
  }

  /** Fill in the colors of some cells at a moment. @param {Int32Array} which
   * @param {number[]} moment @param {Int32Array} out */
  fill(which, [a, b, w], out) {
    const {rows, header: {strengths}, cells: {levels, steps}} = this, la = levels[a], lb = levels[b], sa = steps[a], sb = steps[b];
    const table = Float64Array.from(strengths ?? []), still = !w || a === b, bytes = Uint8Array.from(table, (s) => s * 255 + 0.5);
    for (let k = 0; k < which.length; k++) {
      const i = which[k], sure = !strengths || this.sure(i), c = la[i];
      if (still) {
        out[k] = rows[256 * c + (sure ? 255 : bytes[sa[i]])];
        continue;
      }
      const d = lb[i], s = table[c ? sa[i] : sb[i]], t = d ? table[sb[i]] : s;
      const step = sure ? 255 : ((s + (t - s) * w) * 255 + 0.5) | 0;
      out[k] = mixed(rows[256 * c + step], rows[256 * d + step], w);
    }
  }

  /** @param {number} plane */
  names(plane) {
    const {planes, categories} = this.header;
    return planes[plane].names ?? categories;
  }

  /** What is said of a cell in a plane: texts, and height of its curve.
   * @param {number} plane @param {number} cell */
  told(plane, cell) {
    const {rows, header: {shares, strengths, missingName = 'NA'}, cells: {levels, steps}} = this, code = levels[plane][cell];
    if (!code) return {texts: [missingName], height: NaN, color: rows[0]};
    const step = steps[plane][cell], sure = !strengths || this.sure(cell), told = shares && !this.sure(cell);
    return {texts: [this.names(plane)[code - 1], told ? `${Math.round(shares[step] * 100)} %` : ''],
      height: told ? shares[step] : 1, color: rows[256 * code + (sure ? 255 : Math.round(strengths[step] * 255))]};
  }

  /** A button for each class. @param {() => void} changed toggled or highlighted */
  beside(changed) {
    const {on, buttons, header: {legend, palette}} = this;
    const light = (/** @type {number} */ c) => {
      this.lit = c;
      this.refresh();
      changed();
    };
    const update = () => {
      for (const [c, button] of buttons) press(button, on[c]);
      all.hidden = !on.includes(0);
      light(-1);
    };
    const all = make('button', {class: 'all', hidden: true, onclick: () => {
      on.fill(1);
      update();
    }}, 'show all');
    for (const c of legend) {
      buttons.set(c, make('button', {'aria-pressed': true,
        onclick: (/** @type {MouseEvent} */ {shiftKey}) => {
          const alone = on[c] && on.reduce((a, b) => a + b) === 1;
          if (shiftKey) on.fill(alone ? 1 : 0);
          on[c] = shiftKey || !on[c] ? 1 : 0;
          update();
        },
        onpointerenter: (/** @type {PointerEvent} */ event) => event.pointerType === 'mouse' && light(c),
        onpointerleave: () => this.lit < 0 || light(-1)},
      make('i', {style: `background:${palette[c][1]}`}), make('span')));
    }
    return make('div', {class: 'legend', role: 'group', 'aria-label': 'classes'}, ...buttons.values(), all);
  }

  /** Call the classes as a plane does. @param {number} plane */
  rename(plane) {
    const names = this.names(plane);
    for (const [c, button] of this.buttons) {
      const name = names[c] ?? this.header.categories[c];
      if (button.lastChild.textContent === name) continue;
      button.lastChild.textContent = name;
      button.title = `${name}: click to hide or show, shift-click for this one alone`;
    }
  }
}
