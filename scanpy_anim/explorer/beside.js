/** What stands beside the picture: legend or color bar, and the tip of a cell. */

/** A button for each class. @param {any} header @param {Colors} colors @param {() => void} changed
 * toggled or highlighted */
function makeLegend(header, colors, changed) {
  const on = /** @type {Uint8Array} */ (colors.on);
  /** @type {Map<number, any>} */
  const buttons = new Map();
  const update = () => {
    for (const [c, button] of buttons) button.setAttribute('aria-pressed', `${!!on[c]}`);
    all.hidden = on.every((one) => one);
    colors.lit = -1;
    changed();
  };
  const toggle = (/** @type {number} */ c, /** @type {MouseEvent} */ event) => {
    const alone = on[c] && on.reduce((a, b) => a + b) === 1;
    if (event.shiftKey) on.fill(alone ? 1 : 0);
    on[c] = event.shiftKey || !on[c] ? 1 : 0;
    update();
  };
  const light = (/** @type {number} */ c) => {
    if (colors.lit === c) return;
    colors.lit = c;
    changed();
  };
  const all = make('button', {type: 'button', class: 'all', hidden: true, onclick: () => {
    on.fill(1);
    update();
  }}, 'show all');
  const list = make('div', {class: 'legend', role: 'group', 'aria-label': 'classes'});
  for (const c of header.legend) {
    const swatch = make('i');
    swatch.style.background = header.palette[c][1];
    const button = make('button', {type: 'button', 'aria-pressed': 'true',
      onclick: (/** @type {MouseEvent} */ event) => toggle(c, event),
      onpointerenter: (/** @type {PointerEvent} */ event) => event.pointerType === 'mouse' && light(c),
      onpointerleave: () => light(-1)}, swatch, make('span'));
    buttons.set(c, button);
    list.append(button);
  }
  list.append(all);
  return list;
}

/** Call the classes as a plane does. @param {Element} legend @param {any} header @param {number} plane */
function nameClasses(legend, header, plane) {
  const names = header.planes[plane].names ?? header.categories;
  header.legend.forEach((/** @type {number} */ c, /** @type {number} */ k) => {
    const button = /** @type {any} */ (legend.children[k]), name = names[c] ?? header.categories[c];
    if (button.lastChild.textContent === name) return;
    button.lastChild.textContent = name;
    button.title = `${name}: click to hide or show, shift-click for this one alone`;
  });
}

/** A color bar with its scale to choose. @param {any} header @param {Colors} colors
 * @param {() => void} changed */
function makeBar(header, colors, changed) {
  const rows = /** @type {Int32Array} */ (colors.rows), n = rows.length - 3;
  const strip = make('canvas', {width: 1, height: n, 'aria-hidden': 'true'});
  const context = strip.getContext('2d');
  for (let k = 0; k < n; k++) {
    context.fillStyle = cssColor(rows[n - 1 - k]);
    context.fillRect(0, k, 1, 1);
  }
  const ticks = make('div', {class: 'ticks'}), label = make('span', {class: 'label'});
  const scales = ['rank', 'linear', 'log'];
  if (header.scale === 'film') scales.unshift('film');
  if (!(header.positive > 0 && header.limits[1] > header.positive)) scales.pop();
  const select = make('select', {'aria-label': 'color scale', onchange: () => {
    colors.scale = select.value;
    update();
    changed();
  }}, ...scales.map((scale) => make('option', {value: scale, selected: scale === header.scale},
    scale === 'film' ? 'as in the film' : scale)));
  const update = () => {
    const [low, high] = colors.limits();
    const middle = colors.scale === 'log' ? Math.sqrt(low * high) : (low + high) / 2;
    const shown = colors.scale === 'film' ? [] : [high, middle, low];
    ticks.replaceChildren(...shown.map((value) => make('span', {}, inShort(value))));
    label.textContent = colors.scale === header.scale ? header.bar : `value, ${colors.scale}`;
    if (colors.scale === 'rank' && header.scale !== 'rank') label.textContent = 'rank';
  };
  update();
  return make('div', {class: 'scale'}, make('div', {class: 'strip'}, strip, ticks, label), select);
}

/** What is said of a cell at a plane, and its curve. @param {any} tip @param {any} header @param {Colors} colors
 * @param {number} cell @param {number} plane @param {string} name
 * @param {[string, string][]} more titles and texts of further columns */
function fillTip(tip, header, colors, cell, plane, name, more) {
  const now = colors.told(plane, cell);
  const dot = make('i');
  dot.style.background = cssColor(now.color);
  const lines = [make('b', {}, name), make('span', {class: 'now'}, dot, [now.text, now.share].filter(Boolean).join(' · '))];
  for (const [title, text] of more) lines.push(make('span', {}, `${title}: ${text}`));
  /** @type {number[]} */
  const keys = [];
  header.planes.forEach((/** @type {any} */ p, /** @type {number} */ k) => p.edge || keys.push(k));
  tip.replaceChildren(...lines);
  if (keys.length > 1) tip.append(curve(colors, cell, keys, plane));
  return `${name}: ${[now.text, now.share, ...more.map(([t, x]) => `${t} ${x}`)].filter(Boolean).join(', ')}`;
}

/** @param {Colors} colors @param {number} cell @param {number[]} keys @param {number} plane */
function curve(colors, cell, keys, plane) {
  const width = 168, height = 44, canvas = make('canvas', {width: 2 * width, height: 2 * height, role: 'img', 'aria-label': 'over the frames'});
  const context = canvas.getContext('2d');
  context.scale(2, 2);
  const told = keys.map((key) => colors.told(key, cell));
  const x = (/** @type {number} */ k) => 4 + ((width - 8) * k) / (keys.length - 1);
  const y = (/** @type {number} */ h) => height - 4 - (height - 8) * (h || 0);
  context.strokeStyle = 'rgb(128 128 128 / .6)';
  context.beginPath();
  let pen = false;
  told.forEach(({height: h}, k) => {
    if (Number.isNaN(h)) pen = false;
    else if (pen) context.lineTo(x(k), y(h));
    else context.moveTo(x(k), y(h));
    pen = !Number.isNaN(h);
  });
  context.stroke();
  const current = keys.filter((key) => key <= plane).length - 1;
  told.forEach(({height: h, color}, k) => {
    context.fillStyle = cssColor(color);
    context.beginPath();
    context.arc(x(k), y(h), k === current ? 4 : 2.2, 0, 7);
    context.fill();
    if (k === current) {
      context.strokeStyle = 'rgb(128 128 128)';
      context.stroke();
    }
  });
  return canvas;
}
