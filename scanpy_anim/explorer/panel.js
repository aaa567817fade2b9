/**
 * One panel: cells on a canvas, marks over them, what stands beside them, where one looks.
 *
 * @typedef {(cell: number) => string} Tells
 */
class Panel {
  /** @param {Explorer} explorer @param {any} header of the panel @param {Camera} camera */
  constructor(explorer, header, camera) {
    this.explorer = explorer;
    this.header = header;
    this.camera = camera;
    this.ratio = 1;
    this.perCell = 0;
    this.pointed = -1;
    /** @type {Cells | null} */ this.cells = null;
    /** @type {Colors | null} */ this.colors = null;
    /** @type {Compositor | null} */ this.compositor = null;
    /** @type {any} */ this.still = null;
    /** @type {any} */ this.texts = null;
    /** @type {any} */ this.copy = null;
    /** @type {any} */ this.kept = null;
    this.looked = this.drawnRings = this.copyOf = '';
    /** @type {number[][]} */ this.path = [];
    this.ink = hexColor(header.view.background) & 0x8000 ? '#222' : '#eee';
    this.build();
  }

  build() {
    const {header, explorer} = this, {view} = header;
    this.title = make('div', {class: 'title'});
    this.picture = make('canvas', {class: 'picture'});
    this.marks = make('canvas', {class: 'marks'});
    this.tip = make('div', {class: 'tip', hidden: true});
    this.stage = make('div', {class: view.frame ? 'stage frame' : 'stage', tabindex: 0, role: 'img',
      'aria-label': header.name ? `${header.name}: ${header.description}` : header.description,
      'aria-roledescription': 'picture of cells'}, this.picture, this.marks, this.tip);
    this.stage.style.background = view.background;
    this.side = make('aside');
    this.element = make('div', {class: 'panel'}, this.title, make('div', {class: 'body'},
      make('div', {class: 'axes'}, make('span', {class: 'y', 'aria-hidden': 'true'}, view.ylabel), this.stage,
        make('span', {class: 'x', 'aria-hidden': 'true'}, view.xlabel)), this.side));
    takeGestures(this.stage, {camera: this.camera, lasso: () => explorer.lassoing, leave: () => this.leave(),
      alone: () => !!document.fullscreenElement, hover: (x, y, aloud) => tellCell(this, x, y, aloud),
      draw: (points, done) => this.drawLasso(points, done)});
  }

  get moment() {
    return this.header.moments[this.explorer.number];
  }

  /** What stands over it now. */
  get text() {
    const {header} = this, text = header.titles[this.explorer.number] || header.planes[this.moment[0]].title;
    return [...new Set([header.name, text])].filter(Boolean).join(' · ');
  }

  /** @param {Cells} cells */
  show(cells) {
    const {header, explorer, kept} = this, changed = () => explorer.request();
    this.cells = cells;
    const colors = this.colors = new Colors(header, cells);
    if (kept) {
      Object.assign(colors, {on: kept.on, scale: kept.scale});
      if (header.kind === 'labels') colors.refresh();
    }
    this.kept = colors;
    this.compositor = new Compositor(cells.x, cells.y);
    this.looked = '';
    this.side.replaceChildren(header.kind === 'labels' ? makeLegend(header, colors, () => {
      colors.refresh();
      changed();
    }) : makeBar(header, colors, changed));
    if (header.kind === 'labels') nameClasses(this.side.firstElementChild, header, this.moment[0]);
  }

  /** Let go of the cells. */
  drop() {
    this.cells = this.colors = this.compositor = this.texts = null;
  }

  /** What tells the names of the cells, and what else is told of them. @returns {Promise<[Tells, Tells[]]>} */
  names() {
    const {explorer: {host, panels}, header, cells} = this, like = panels[header.like];
    const of = (/** @type {Tells} */ tell) => (/** @type {number} */ cell) => tell(cells?.source?.[cell] ?? -1);
    this.texts ??= like ? like.names().then(([name, more]) => [of(name), more.map(of)]) :
      Promise.all([decodeNames(host, header), decodeHover(host, header)]);
    return this.texts;
  }

  /** @param {number} width @param {number} height @param {number} most pixels */
  resize(width, height, most) {
    this.ratio = Math.min(devicePixelRatio || 1, Math.sqrt(most / (width * height)));
    Object.assign(this.stage.style, {width: `${width}px`, height: `${height}px`});
    const size = {width: Math.round(width * this.ratio), height: Math.round(height * this.ratio)};
    if (size.width === this.picture.width && size.height === this.picture.height) return;
    Object.assign(this.picture, size);
    Object.assign(this.marks, size);
    this.context = this.picture.getContext('2d', {alpha: false});
    this.image = this.context.createImageData(size.width, size.height);
    this.looked = this.drawnRings = '';
    if (this.compositor) drawPicture(this);
  }

  /** From coordinates of cells to parts of the width: ax, bx, ay, by. */
  places() {
    const {view: {x: [left, right], y: [bottom, top], width, height}, turn, xy} = this.header;
    const {zoom, x, y} = this.camera, tall = height / width;
    const ax = zoom / (right - left), ay = (zoom * tall) / (bottom - top);
    const {step, origin} = turn === undefined ? xy : {step: 1, origin: [0, 0]}; // what turns is in units
    return [ax * step, ax * (origin[0] - left) + x, ay * step, ay * (origin[1] - top) + y];
  }

  /** Pixels of the canvas that one of the film takes at this zoom. */
  grain() {
    return (this.picture.width / this.header.view.width) * Math.sqrt(this.camera.zoom);
  }

  /** How tall it is, in parts of its width. */
  get tall() {
    return this.header.view.height / this.header.view.width;
  }

  leave() {
    this.pointed = -1;
    this.tip.hidden = true;
  }

  /** @param {number[][]} points @param {boolean} done */
  drawLasso(points, done) {
    this.path = points.slice();
    this.drawnRings = '';
    drawMarks(this);
    if (done) offerCells(this, cellsWithin(this, points));
  }
}
