/** @param {any} header of a panel */
function colorsOf(header) {
  return header.kind === 'labels' ? new Labels(header) : new Scores(header);
}

/** One panel: cells on a canvas, marks over them, what stands beside them, where one looks. */
class Panel {
  /** @param {Explorer} explorer @param {any} header of the panel */
  constructor(explorer, header) {
    const {view, name, description} = header, {panels} = explorer;
    this.explorer = explorer;
    this.header = header;
    /** What tells of names and further columns. */
    this.named = panels[header.like]?.header ?? header;
    this.camera = panels[header.follows]?.camera ?? new Camera(() => explorer.moved());
    /** @type {any} */ this.colors = colorsOf(header);
    this.paper = hexColor(view.background);
    this.ink = this.paper & 0x8000 ? '#222' : '#eee';
    this.tall = view.height / view.width; // in parts of its width
    this.ratio = 1;
    this.pointed = -1;
    this.slow = false;
    /** @type {any} */ this.cells = null;
    /** @type {any} */ this.compositor = null;
    /** @type {any} */ this.still = null;
    /** @type {Promise<((cell: number) => string)[] | void> | null} */ this.texts = null;
    this.pixels = new Int32Array(0);
    this.looked = this.marked = '';
    /** @type {number[][]} */ this.path = [];
    this.title = make('div', {class: 'title'});
    this.picture = make('canvas', {class: 'picture'});
    this.marks = make('canvas');
    this.tip = make('div', {class: 'tip', hidden: true});
    this.stage = make('div', {class: view.frame ? 'stage frame' : 'stage', tabindex: 0, role: 'img',
      'aria-label': name ? `${name}: ${description}` : description, 'aria-roledescription': 'picture of cells',
      style: `background:${view.background}`, ...gestures(this)}, make('div', {class: 'clip'}, this.picture, this.marks), this.tip);
    this.side = make('aside', {}, this.colors.beside(() => explorer.request()));
    this.element = make('div', {class: 'panel'}, this.title, make('div', {class: 'body'},
      make('div', {class: 'axes'}, make('span', {class: 'y', 'aria-hidden': true}, view.ylabel), this.stage,
        make('span', {class: 'x', 'aria-hidden': true}, view.xlabel)), this.side));
  }

  get moment() {
    return this.header.moments[this.explorer.number];
  }

  /** What stands over it now. */
  get text() {
    const {name, titles, planes} = this.header, text = titles[this.explorer.number] || planes[this.moment[0]].title;
    return [...new Set([name, text])].filter(Boolean).join(' · ');
  }

  /** @param {Cells | null} cells or nothing, to let go of them */
  show(cells) {
    this.cells = this.colors.cells = cells;
    this.compositor = cells && new Compositor(cells.x, cells.y);
    this.texts = null;
    this.looked = '';
    this.colors.rename(this.moment[0]);
  }

  /** What tells the names of the cells, and what else is told of them; nothing if they are damaged.
   * @returns {Promise<((cell: number) => string)[] | void>} */
  names() {
    const {explorer: {host, panels}, header, cells} = this, like = panels[header.like];
    this.texts ??= (like ? like.names() : Promise.all([decodeColumn(host, header, 'names', header.names),
      ...header.hover.map((/** @type {any} */ column, /** @type {number} */ k) => decodeColumn(host, header, `hover-${k}`, column))]))
      .then((told) => like ? told?.map((tell) => (/** @type {number} */ cell) => tell(cells.source[cell])) : told)
      .catch(() => this.explorer.say('The names in this file are damaged.'));
    return this.texts;
  }

  /** @param {number} wide @param {number} most pixels */
  resize(wide, most) {
    const tall = Math.max(1, Math.round(wide * this.tall)), {style} = this.stage;
    const ratio = this.ratio = Math.min(devicePixelRatio || 1, Math.sqrt(most / (wide * tall)));
    style.width = `${wide}px`;
    style.height = `${tall}px`;
    this.side.style.setProperty('--tall', style.height);
    const width = Math.round(wide * ratio), height = Math.round(tall * ratio), {picture, marks} = this;
    if (width === picture.width && height === picture.height) return;
    Object.assign(picture, {width, height});
    Object.assign(marks, {width, height});
    this.context = picture.getContext('2d', {alpha: false});
    this.image = this.context.createImageData(width, height);
    this.pixels = new Int32Array(this.image.data.buffer);
    this.looked = this.marked = '';
    drawPicture(this);
  }

  /** From coordinates of cells to parts of the width: ax, bx, ay, by. */
  get places() {
    const {view: {x: [left, right], y: [bottom, top]}, turn, xy} = this.header, {zoom, x, y} = this.camera;
    const ax = zoom / (right - left), ay = (zoom * this.tall) / (bottom - top);
    const {step, origin} = turn === undefined ? xy : {step: 1, origin: [0, 0]}; // what turns is in units
    return [ax * step, ax * (origin[0] - left) + x, ay * step, ay * (origin[1] - top) + y];
  }

  /** Pixels of the canvas that one of the film takes at this zoom. */
  get grain() {
    return (this.picture.width / this.header.view.width) * Math.sqrt(this.camera.zoom);
  }

  leave() {
    this.pointed = -1;
    this.tip.hidden = true;
  }

  /** @param {number[][]} path @param {boolean} [done] */
  drawLasso(path, done) {
    this.path = path;
    drawMarks(this);
    if (done) offerCells(this, path);
  }
}
