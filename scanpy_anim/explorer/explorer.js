/** The player: its panels, its elements, its time, and what a reader does with it. */
class Explorer {
  /** @param {HTMLElement} host @param {any} header @param {any} root */
  constructor(host, header, root) {
    this.host = host;
    this.header = header;
    this.elapsed = this.rounds = 0;
    this.speed = this.columns = 1;
    this.playing = this.lassoing = this.moving = this.loading = false;
    /** @type {any} */ this.recording = null;
    /** @type {Panel[]} */ this.panels = [];
    this.moments = (header.panels ?? [header])[0].moments;
    this.number = this.last = this.moments.length - 1;
    (header.panels ?? [header]).forEach((/** @type {any} */ own, /** @type {number} */ k) => this.panels.push(
      new Panel(this, {...header, ...own, prefix: k ? `${k}-` : '', moves: own.stops || own.sorted || own.turn !== undefined})));
    this.build(root);
    new ResizeObserver(() => this.resize()).observe(host);
    addEventListener('resize', () => this.resize());
    new IntersectionObserver((entries) => { // decode when scrolled near; let go of what is far
      if (entries.pop()?.isIntersecting) return this.load();
      setPlaying(this, false);
      for (const panel of this.panels) panel.show(null);
    }, {rootMargin: '400px'}).observe(host);
  }

  /** @param {any} root */
  build(root) {
    const {header, last, panels, host} = this, video = last > 0 && videoKind();
    this.slider = make('input', {type: 'range', min: 0, max: last, 'aria-label': 'frame', oninput: () => this.go(+this.slider.value)});
    this.count = make('span', {class: 'count'});
    this.play = iconButton('Play', 'Play', () => setPlaying(this, !this.playing));
    const speed = make('select', {class: 'speed', 'aria-label': 'speed', title: 'speed', onchange: () => (this.speed = +speed.value)},
      ...[0.25, 0.5, 1, 2, 4].map((value) => make('option', {value, selected: value === 1}, `${value}×`)));
    this.lasso = iconButton('lasso', 'Lasso: draw round cells to list them', () => this.setLasso(!this.lassoing));
    this.film = iconButton('film', 'Record the film as a video', () => this.record(/** @type {string} */ (video)));
    const tools = [this.lasso, iconButton('closer', 'Zoom in', () => this.zoom(1.5)), iconButton('farther', 'Zoom out', () => this.zoom(1 / 1.5)),
      iconButton('home', 'Whole picture', () => this.home()), iconButton('photo', 'Save this view as PNG', () => this.save()),
      ...video ? [this.film] : [],
      ...document.fullscreenEnabled ? [iconButton('full', 'Full screen', () => this.fullscreen())] : []];
    for (const button of [this.lasso, this.film]) press(button, false);
    const time = [this.play, iconButton('back', 'Frame before', () => stepBy(this, -1)), this.slider,
      iconButton('next', 'Next frame', () => stepBy(this, 1)), this.count, speed];
    this.found = make('div', {class: 'found', hidden: true});
    this.status = make('p', {class: 'says', role: 'status'});
    const note = [...new Set(panels.map((panel) => panel.header.namesNote))].join(' ').trim();
    this.grid = make('div', {class: 'panels'}, ...panels.map((panel) => panel.element));
    this.player = make('div', {class: 'player', hidden: true, role: 'group', 'aria-label': header.title}, this.grid,
      make('div', {class: 'bar'}, make('div', {class: 'time', hidden: !last}, ...time), make('div', {class: 'tools'}, ...tools)),
      this.found, this.status, make('p', {class: 'note', hidden: !note}, note));
    this.poster = make('slot');
    root.append(this.poster, this.player);
    (host.dataset.page ? document : this.player).addEventListener('keydown', (/** @type {any} */ event) => actOnKey(this, event));
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
      this.tell(); // texts take room
      this.resize();
      this.draw();
      this.loading = false;
    } catch (error) {
      this.player.hidden = true;
      this.poster.hidden = false;
      this.poster.after(warning(error instanceof Damaged ? DAMAGED : `The cells cannot be shown here: ${error}`));
    }
  }

  /** Give each panel its room: all are equally wide, in as many columns as make them largest. */
  resize() {
    const {panels, host, player, grid} = this, full = document.fullscreenElement === host, alone = host.dataset.page || full;
    if (player.hidden) return;
    const wide = host.clientWidth - 8, narrow = wide < 552, most = Math.min(panels.length, 4);
    const largest = (/** @type {(panel: Panel) => number} */ of) => Math.max(...panels.map(of));
    player.classList.toggle('narrow', narrow);
    for (const {side, stage} of panels) { // the panel is more than what is beside it
      side.style.setProperty('--tall', '0px');
      stage.style.height = '200px';
    }
    const beside = 16 + largest(({side, header: {view}}) => (narrow ? 0 : side.offsetWidth + 16) + (view.ylabel ? 20 : 0));
    for (const {stage} of panels) stage.style.width = `${Math.max(200, wide / most - beside)}px`; // titles take fewer lines in wider panels
    const above = largest(({element}) => element.offsetHeight) - 184, below = player.offsetHeight - grid.offsetHeight - 15;
    const usual = alone ? Infinity : Math.max(480, largest(({header}) => header.view.width));
    const roomIn = (/** @type {number} */ columns) => {
      const tall = (innerHeight - below) / Math.ceil(panels.length / columns) - above;
      return Math.min(wide / columns - beside, usual, alone && innerHeight > 300 ? Math.max(280, tall / largest((panel) => panel.tall)) : Infinity);
    };
    this.columns = 1;
    for (let k = 2; k <= most; k++) if (roomIn(k) >= roomIn(this.columns)) this.columns = k;
    grid.style.gridTemplateColumns = `repeat(${this.columns}, auto)`;
    for (const panel of panels) panel.resize(Math.max(1, Math.floor(roomIn(this.columns))), 6e6 / panels.length);
  }

  draw() {
    for (const panel of this.panels) drawPicture(panel);
    this.tell();
    this.recording?.draw();
  }

  /** Say which frame it is, but not aloud. */
  tell() {
    const {panels, number, slider, last} = this, text = [...new Set(panels.map((panel) => panel.text))].join(', ');
    for (const panel of panels) panel.title.textContent = panel.text;
    slider.value = number;
    slider.ariaValueText = `${text}, ${number + 1} of ${last + 1}`;
    this.count.textContent = `${number + 1} / ${last + 1}`;
    return text;
  }

  /** @param {number} factor */
  zoom(factor) {
    for (const camera of this.cameras) camera.zoomBy(factor, 0.5, this.panels[0].tall / 2);
  }

  home() {
    for (const camera of this.cameras) camera.home();
  }

  get cameras() {
    return new Set(this.panels.map((panel) => panel.camera));
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
    this.asked ||= requestAnimationFrame(() => {
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
    this.number = Math.max(0, Math.min(this.last, number));
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
    press(this.lasso, on);
    for (const panel of this.panels) {
      panel.stage.classList.toggle('lassoing', on);
      panel.stage.style.touchAction = on ? 'none' : 'pan-y';
      if (!on) panel.drawLasso([]);
    }
    if (!on) this.found.hidden = true;
  }

  get fileName() {
    return this.header.title.match(/[\p{L}\p{N}]+/gu)?.join('_').slice(0, 60) ?? 'cells';
  }

  save() {
    compose(this).toBlob((/** @type {Blob | null} */ blob) => blob && download([blob], blob.type, `${this.fileName}.png`));
  }

  /** @param {string} kind of the video */
  record(kind) {
    const again = !this.recording, text = 'Recording: this takes as long as the film.';
    setPlaying(this, false);
    if (!again) return;
    this.go(0);
    this.draw();
    this.recording = recordVideo(this, kind);
    press(this.film, true);
    setPlaying(this, true);
    this.say(text);
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.host.requestFullscreen?.().catch(() => this.say('Full screen is not allowed here.'));
  }
}

const DAMAGED = 'This file is truncated or damaged: what you see is its poster.';

/** @param {string} text */
function warning(text) {
  return make('p', {class: 'message', role: 'alert'}, text);
}

/** Bring a page to life. @param {HTMLElement} host @param {string} style */
function scanpyAnimExplore(host, style) {
  if (host.shadowRoot) return;
  const root = host.attachShadow({mode: 'open'}), sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const part = (/** @type {string} */ name) => host.querySelector(`[data-part="${name}"]`);
  const fail = (/** @type {string} */ text) => root.append(make('slot'), warning(text));
  if (typeof DecompressionStream === 'undefined') return fail('This browser is too old to show the cells: what you see is the last frame.');
  let header;
  try {
    header = JSON.parse(part('header')?.textContent ?? '');
  } catch { /* said below */ }
  if (!header || !part('end')) return fail(DAMAGED);
  if (header.format !== 3) return fail(`This page has format ${header.format}, which its script does not read.`);
  new Explorer(host, header, root);
}
