/** The player: its panels, its elements, its time, and what a reader does with it. */
class Explorer {
  /** @param {HTMLElement} host @param {any} header @param {any} root */
  constructor(host, header, root) {
    this.host = host;
    this.header = header;
    this.elapsed = 0;
    this.rounds = 0;
    this.speed = 1;
    this.playing = false;
    /** @type {any} */ this.recording = null;
    this.lassoing = this.moving = false;
    this.columns = 1;
    /** @type {Panel[]} */ this.panels = [];
    (header.panels ?? [header]).forEach((/** @type {any} */ own, /** @type {number} */ k) => {
      const whole = {...header, ...own, prefix: k ? `${k}-` : '', moves: own.stops || own.sorted || own.turn !== undefined};
      const camera = this.panels[own.follows]?.camera ?? new Camera(() => this.moved());
      this.panels.push(new Panel(this, whole, camera));
    });
    this.moments = this.panels[0].header.moments;
    this.number = this.moments.length - 1;
    this.build(root);
    this.watch();
  }

  /** @param {any} root */
  build(root) {
    const {header, moments, panels} = this;
    this.poster = make('slot');
    this.slider = make('input', {type: 'range', min: 0, max: moments.length - 1, step: 1,
      'aria-label': 'frame', oninput: () => this.go(Number(this.slider.value))});
    this.count = make('span', {class: 'count'});
    this.play = iconButton('play', 'Play', () => setPlaying(this, !this.playing));
    const speed = make('select', {class: 'speed', 'aria-label': 'speed', title: 'speed', onchange: () => {
      this.speed = Number(speed.value);
    }}, ...[0.25, 0.5, 1, 2, 4].map((s) => make('option', {value: s, selected: s === 1}, `${s}×`)));
    this.lasso = iconButton('lasso', 'Lasso: draw round cells to list them', () => this.setLasso(!this.lassoing), {'aria-pressed': 'false'});
    const tools = [this.lasso,
      iconButton('closer', 'Zoom in', () => this.zoom(1.5)), iconButton('farther', 'Zoom out', () => this.zoom(1 / 1.5)),
      iconButton('home', 'Whole picture', () => this.home()),
      iconButton('photo', 'Save this view as PNG', () => this.save())];
    if (videoKind() && moments.length > 1) {
      this.film = iconButton('film', 'Record the film as a video', () => this.record(), {'aria-pressed': 'false'});
      tools.push(this.film);
    }
    if (document.fullscreenEnabled) tools.push(iconButton('full', 'Full screen', () => this.fullscreen()));
    this.found = make('div', {class: 'found', hidden: true});
    this.status = make('p', {class: 'says', role: 'status'});
    const notes = [...new Set(panels.map((panel) => panel.header.namesNote))].filter(Boolean);
    this.note = make('p', {class: 'note'}, notes.join(' '));
    this.note.hidden = !notes.length;
    const time = moments.length > 1 ? [make('div', {class: 'time'}, this.play,
      iconButton('back', 'Frame before', () => stepBy(this, -1)), this.slider,
      iconButton('next', 'Next frame', () => stepBy(this, 1)), this.count, speed)] : [];
    this.grid = make('div', {class: 'panels'}, ...panels.map((panel) => panel.element));
    this.player = make('div', {class: 'player', hidden: true, role: 'group', 'aria-label': header.title},
      this.grid,
      make('div', {class: 'bar'}, ...time, make('div', {class: 'tools'}, ...tools)), this.found, this.status, this.note);
    this.message = make('p', {class: 'message', role: 'alert', hidden: true});
    root.append(this.poster, this.message, this.player);
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
        for (const panel of this.panels) panel.drop();
      }
    }, {rootMargin: '400px'}).observe(this.host);
  }

  get loaded() {
    return !!this.panels[0].cells;
  }

  async load() {
    if (this.loaded || this.loading) return;
    this.loading = true;
    try {
      /** @type {Cells[]} */
      const found = [];
      for (const {header} of this.panels) found.push(await decodeCells(this.host, header, found));
      this.panels.forEach((panel, k) => panel.show(found[k]));
      this.player.hidden = false;
      this.poster.hidden = true;
      this.resize();
      this.draw();
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

  /** Give each panel its room: all are equally wide, in as many columns as make them largest. */
  resize() {
    if (this.player.hidden) return;
    const {panels} = this, full = document.fullscreenElement === this.host, alone = this.host.dataset.page || full;
    const wide = this.host.clientWidth, narrow = wide < 560, most = Math.min(panels.length, 4);
    this.player.classList.toggle('narrow', narrow);
    for (const {stage, side} of panels) { // more than what is beside it
      Object.assign(stage.style, {width: '40px', height: '200px'});
      side.style.maxHeight = narrow ? '' : '0';
    }
    const beside = Math.max(...panels.map(({side, header: {view}}) => (narrow ? 0 : side.offsetWidth + 16) + (view.ylabel ? 20 : 0)));
    const least = Math.max(200, (wide - 8) / most - 16 - beside); // titles take fewer lines in wider panels
    for (const {stage} of panels) stage.style.width = `${least}px`;
    const above = Math.max(...panels.map(({element}) => element.offsetHeight)) - 200;
    const below = this.player.offsetHeight - this.grid.offsetHeight + 1, limited = alone && innerHeight > 300;
    const tallest = Math.max(...panels.map((panel) => panel.tall));
    const usual = alone ? Infinity : Math.max(480, ...panels.map(({header}) => header.view.width));
    const roomIn = (/** @type {number} */ columns) => {
      const rows = Math.ceil(panels.length / columns), tall = (innerHeight - below + 16) / rows - 16 - above;
      return Math.min((wide - 8) / columns - 16 - beside, usual, limited ? Math.max(280, tall / tallest) : Infinity);
    };
    this.columns = 1;
    for (let k = 2; k <= most; k++) if (roomIn(k) >= roomIn(this.columns)) this.columns = k;
    this.grid.style.gridTemplateColumns = `repeat(${this.columns}, auto)`;
    const width = Math.max(1, Math.floor(roomIn(this.columns)));
    for (const panel of panels) {
      const height = Math.max(1, Math.round(width * panel.tall));
      panel.side.style.maxHeight = narrow ? '' : `${height}px`;
      panel.side.style.setProperty('--tall', `${height}px`);
      panel.resize(width, height, 6e6 / panels.length);
    }
  }

  draw() {
    for (const panel of this.panels) drawPicture(panel);
    tellFrame(this);
    this.recording?.draw();
  }

  cameras() {
    return new Set(this.panels.map((panel) => panel.camera));
  }

  /** @param {number} factor */
  zoom(factor) {
    const tall = this.panels[0].tall;
    for (const camera of this.cameras()) camera.zoomBy(factor, 0.5, tall / 2);
  }

  home() {
    for (const camera of this.cameras()) camera.home();
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
      this.draw();
    });
  }

  /** @param {string} text said aloud @param {boolean} [seen] */
  say(text, seen = true) {
    this.status.textContent = text;
    this.status.classList.toggle('unseen', !seen);
  }

  /** @param {number} number */
  go(number) {
    this.number = Math.max(0, Math.min(this.moments.length - 1, number));
    this.elapsed = 0;
    this.leave();
    this.request();
  }

  leave() {
    for (const panel of this.panels) panel.leave();
  }

  /** @param {boolean} on */
  setLasso(on) {
    this.lassoing = on;
    this.lasso.setAttribute('aria-pressed', `${on}`);
    for (const panel of this.panels) {
      panel.stage.classList.toggle('lassoing', on);
      panel.stage.style.touchAction = on ? 'none' : 'pan-y';
      if (!on) panel.drawLasso([], false);
    }
    if (!on) this.found.hidden = true;
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
    this.draw();
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
  if (header.format !== 3) return fail(`This page has format ${header.format}, which its script does not read.`);
  if (!part('end')) return fail(truncated);
  new Explorer(host, header, root);
}
