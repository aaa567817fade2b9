/** The player: its elements, its time, and what a reader does with it. */
class Explorer {
  /** @param {HTMLElement} host @param {any} header @param {any} root */
  constructor(host, header, root) {
    this.host = host;
    this.header = header;
    this.ratio = 1;
    this.number = header.moments.length - 1;
    this.elapsed = 0;
    this.rounds = 0;
    this.speed = 1;
    this.playing = false;
    this.perCell = 0;
    /** @type {Cells | null} */ this.cells = null;
    /** @type {Colors | null} */ this.colors = null;
    /** @type {Compositor | null} */ this.compositor = null;
    /** @type {any} */ this.recording = null;
    /** @type {any} */ this.still = null;
    /** @type {any} */ this.names = null;
    /** @type {any} */ this.copy = null;
    this.looked = this.drawnRings = this.copyOf = '';
    this.lassoing = false;
    /** @type {number[][]} */ this.path = [];
    this.camera = new Camera(() => this.moved());
    this.ink = hexColor(header.view.background) & 0x8000 ? '#222' : '#eee';
    this.build(root);
    this.watch();
  }

  get moment() {
    return this.header.moments[this.number];
  }

  /** @param {any} root */
  build(root) {
    const {header} = this, {view} = header;
    this.title = make('div', {class: 'title'});
    this.poster = make('slot');
    this.picture = make('canvas', {class: 'picture', hidden: true});
    this.marks = make('canvas', {class: 'marks', hidden: true});
    this.tip = make('div', {class: 'tip', hidden: true});
    this.stage = make('div', {class: view.frame ? 'stage frame' : 'stage', tabindex: 0, role: 'img',
      'aria-label': header.description, 'aria-roledescription': 'picture of cells'},
    this.picture, this.marks, this.tip);
    this.stage.style.background = view.background;
    this.stage.hidden = true;
    this.side = make('aside');
    this.slider = make('input', {type: 'range', min: 0, max: header.moments.length - 1, step: 1,
      'aria-label': 'frame', oninput: () => this.go(Number(this.slider.value))});
    this.count = make('span', {class: 'count'});
    this.play = iconButton('play', 'Play', () => setPlaying(this, !this.playing));
    const speed = make('select', {class: 'speed', 'aria-label': 'speed', title: 'speed', onchange: () => {
      this.speed = Number(speed.value);
    }}, ...[0.25, 0.5, 1, 2, 4].map((s) => make('option', {value: s, selected: s === 1}, `${s}×`)));
    this.lasso = iconButton('lasso', 'Lasso: draw round cells to list them', () => this.setLasso(!this.lassoing), {'aria-pressed': 'false'});
    const tools = [this.lasso,
      iconButton('closer', 'Zoom in', () => this.zoom(1.5)), iconButton('farther', 'Zoom out', () => this.zoom(1 / 1.5)),
      iconButton('home', 'Whole picture', () => this.camera.home()),
      iconButton('photo', 'Save this view as PNG', () => this.save())];
    if (videoKind() && header.moments.length > 1) {
      this.film = iconButton('film', 'Record the film as a video', () => this.record(), {'aria-pressed': 'false'});
      tools.push(this.film);
    }
    if (document.fullscreenEnabled) tools.push(iconButton('full', 'Full screen', () => this.fullscreen()));
    this.found = make('div', {class: 'found', hidden: true});
    this.status = make('p', {class: 'says', role: 'status'});
    this.note = make('p', {class: 'note'}, header.namesNote ?? '');
    this.note.hidden = !header.namesNote;
    const time = header.moments.length > 1 ? [make('div', {class: 'time'}, this.play,
      iconButton('back', 'Frame before', () => stepBy(this, -1)), this.slider,
      iconButton('next', 'Next frame', () => stepBy(this, 1)), this.count, speed)] : [];
    this.player = make('div', {class: 'player', hidden: true, role: 'group', 'aria-label': header.title},
      this.title, make('div', {class: 'body'},
        make('div', {class: 'axes'}, make('span', {class: 'y', 'aria-hidden': 'true'}, view.ylabel), this.stage,
          make('span', {class: 'x', 'aria-hidden': 'true'}, view.xlabel)), this.side),
      make('div', {class: 'bar'}, ...time, make('div', {class: 'tools'}, ...tools)), this.found, this.status, this.note);
    this.message = make('p', {class: 'message', role: 'alert', hidden: true});
    root.append(this.poster, this.message, this.player);
    takeGestures(this.stage, {camera: this.camera, lasso: () => this.lassoing, leave: () => this.leave(),
      alone: () => !!document.fullscreenElement, hover: (x, y, aloud) => tellCell(this, x, y, aloud),
      draw: (points, done) => this.drawLasso(points, done)});
    const keys = (/** @type {KeyboardEvent} */ event) => actOnKey(this, event);
    if (this.host.dataset.page) document.addEventListener('keydown', keys);
    else this.player.addEventListener('keydown', keys);
    new ResizeObserver(() => this.resize()).observe(this.host);
    document.addEventListener('fullscreenchange', () => this.resize());
    addEventListener('resize', () => this.resize());
  }

  /** Decode when scrolled near; let go of what is far. */
  watch() {
    new IntersectionObserver((entries) => {
      this.near = entries[entries.length - 1].isIntersecting;
      if (this.near) this.load();
      else {
        setPlaying(this, false);
        this.cells = this.colors = this.compositor = null;
      }
    }, {rootMargin: '400px'}).observe(this.host);
  }

  async load() {
    if (this.cells || this.loading) return;
    this.loading = true;
    try {
      const cells = await decodeCells(this.host, this.header);
      this.cells = cells;
      const {on, scale} = this.kept ?? {};
      this.colors = new Colors(this.header, cells);
      if (on) this.colors.on = on;
      if (scale) this.colors.scale = scale;
      if (on) this.colors.refresh();
      this.compositor = new Compositor(cells.x, cells.y);
      this.kept = this.colors;
      this.looked = '';
      this.side.replaceChildren(this.header.kind === 'labels' ?
        makeLegend(this.header, this.colors, () => {
          this.colors?.refresh();
          this.request();
        }) : makeBar(this.header, this.colors, () => this.request()));
      this.player.hidden = this.stage.hidden = this.picture.hidden = this.marks.hidden = false;
      this.poster.hidden = true;
      this.resize();
      drawPicture(this);
    } catch (error) {
      this.fail(error instanceof Damaged ? 'This file is truncated or damaged: what you see is its poster.' : `The cells cannot be shown here: ${error}`);
    }
    this.loading = false;
  }

  /** @param {string} text */
  fail(text) {
    this.player.hidden = true;
    this.poster.hidden = this.message.hidden = false;
    this.message.textContent = text;
  }

  resize() {
    if (this.player.hidden) return;
    const {view} = this.header, aspect = view.height / view.width;
    const full = document.fullscreenElement === this.host, alone = this.host.dataset.page || full;
    const wide = this.host.clientWidth;
    this.player.classList.toggle('narrow', wide < 560);
    const room = wide - 24 - (wide < 560 ? 0 : this.side.offsetWidth + 16) - (view.ylabel ? 20 : 0);
    let width = alone ? room : Math.min(room, Math.max(view.width, 480));
    Object.assign(this.stage.style, {width: `${Math.max(1, width)}px`, height: '200px'}); // more than what is beside it
    this.side.style.maxHeight = wide < 560 ? '' : '0';
    const around = this.player.offsetHeight - this.stage.offsetHeight;
    if (alone && innerHeight > 300) width = Math.min(width, Math.max(280, (innerHeight - around - 1) / aspect));
    width = Math.max(1, Math.floor(width));
    const height = Math.max(1, Math.round(width * aspect));
    this.ratio = Math.min(devicePixelRatio || 1, Math.sqrt(6e6 / (width * height)));
    Object.assign(this.stage.style, {width: `${width}px`, height: `${height}px`});
    this.side.style.maxHeight = wide < 560 ? '' : `${height}px`;
    const size = {width: Math.round(width * this.ratio), height: Math.round(height * this.ratio)};
    if (size.width === this.picture.width && size.height === this.picture.height) return;
    Object.assign(this.picture, size);
    Object.assign(this.marks, size);
    this.context = this.picture.getContext('2d', {alpha: false});
    this.image = this.context.createImageData(size.width, size.height);
    this.looked = this.drawnRings = '';
    if (this.compositor) drawPicture(this);
  }

  /** From whole numbers to parts of the width: ax, bx, ay, by. */
  places() {
    const {view: {x: [left, right], y: [bottom, top], width, height}, xy} = this.header;
    const {zoom, x, y} = this.camera, tall = height / width;
    const ax = zoom / (right - left), ay = (zoom * tall) / (bottom - top);
    return [ax * xy.step, ax * (xy.origin[0] - left) + x, ay * xy.step, ay * (xy.origin[1] - top) + y];
  }

  /** Pixels of the canvas that one of the film takes at this zoom. */
  grain() {
    return (this.picture.width / this.header.view.width) * Math.sqrt(this.camera.zoom);
  }

  /** @param {number} factor */
  zoom(factor) {
    const {width, height} = this.header.view;
    this.camera.zoomBy(factor, 0.5, height / width / 2);
  }

  moved() {
    this.moving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.moving = false;
      this.request();
    }, 150);
    this.leave();
    this.request();
  }

  request() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      drawPicture(this);
    });
  }

  /** @param {string} text said aloud @param {boolean} [seen] */
  say(text, seen = true) {
    this.status.textContent = text;
    this.status.classList.toggle('unseen', !seen);
  }

  /** @param {number} number */
  go(number) {
    this.number = Math.max(0, Math.min(this.header.moments.length - 1, number));
    this.elapsed = 0;
    this.leave();
    this.request();
  }

  leave() {
    this.pointed = -1;
    this.tip.hidden = true;
  }

  /** @param {boolean} on */
  setLasso(on) {
    this.lassoing = on;
    this.lasso.setAttribute('aria-pressed', `${on}`);
    this.stage.classList.toggle('lassoing', on);
    this.stage.style.touchAction = on ? 'none' : 'pan-y';
    if (!on) this.drawLasso([], false);
  }

  /** @param {number[][]} points @param {boolean} done */
  drawLasso(points, done) {
    this.path = points.slice();
    this.drawnRings = '';
    drawMarks(this);
    if (done) offerCells(this, cellsWithin(this, points, this.places()));
    else if (!points.length) this.found.hidden = true;
  }

  fileName() {
    return this.header.title.replace(/[^\p{L}\p{N}]+/gu, '_').slice(0, 60).replace(/^_+|_+$/g, '') || 'cells';
  }

  save() {
    compose(this).toBlob((/** @type {Blob | null} */ blob) => download(blob, `${this.fileName()}.png`));
  }

  record() {
    if (this.recording) return setPlaying(this, false);
    setPlaying(this, false);
    this.go(0);
    drawPicture(this);
    this.say('Recording: this takes as long as the film.');
    this.recording = recordVideo(this);
    this.film.setAttribute('aria-pressed', 'true');
    const saying = this.status.textContent;
    setPlaying(this, true);
    this.say(saying);
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.host.requestFullscreen?.().catch(() => this.say('Full screen is not allowed here.'));
  }

}

/** Bring a page to life. @param {HTMLElement} host @param {string} style */
function scanpyAnimExplore(host, style) {
  if (host.shadowRoot) return;
  const root = host.attachShadow({mode: 'open'});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const part = (/** @type {string} */ name) => host.querySelector(`[data-part="${name}"]`);
  const fail = (/** @type {string} */ text) => root.append(make('slot'), make('p', {class: 'message', role: 'alert'}, text));
  if (typeof DecompressionStream === 'undefined') {
    return fail('This browser is too old to show the cells: what you see is the last frame.');
  }
  const truncated = 'This file is truncated or damaged: what you see is its poster.';
  let header;
  try {
    header = JSON.parse(part('header')?.textContent ?? '');
  } catch {
    return fail(truncated);
  }
  if (header.format !== 1) return fail(`This page has format ${header.format}, which its script does not read.`);
  if (!part('end')) return fail(truncated);
  new Explorer(host, header, root);
}
