/** What a reader asks of the cells: which one is here, which ones are these. */

/** Cell in front near a place in parts of the width; -1: none. @param {Panel} panel @param {number} x @param {number} y */
function cellAt({picture: {width}, ratio, cells, compositor, places: [ax, bx, ay, by]}, x, y) {
  let best = -1, least = Infinity;
  const reach = Math.round(6 * ratio), col = Math.floor(x * width), row = Math.floor(y * width);
  for (let dy = -reach; cells && dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cell = compositor.at(col + dx, row + dy), far = Math.hypot(ax * cells.x[cell] + bx - x, ay * cells.y[cell] + by - y);
      if (far < least) [best, least] = [cell, far];
    }
  }
  return best;
}

/** @param {Panel} panel @param {number} x @param {number} y in parts of the width @param {boolean} [aloud] */
async function tellCell(panel, x, y, aloud) {
  const {explorer, named, colors, tip, stage, moment: [a, b, w]} = panel, still = !explorer.playing && !explorer.moving;
  const cell = panel.pointed = still ? cellAt(panel, x, y) : -1;
  if (cell < 0) return panel.leave();
  const told = await panel.names();
  if (panel.pointed !== cell || !told || !panel.cells) return;
  const [name, ...more] = told.map((tell) => tell(cell));
  const text = fillTip(tip, colors, cell, w > 0.5 ? b : a, named.names ? name : `${named.namesTitle || 'cell'} ${name}`,
    more.map((text, k) => `${named.hover[k].title}: ${text}`));
  tip.hidden = false;
  const {clientWidth: wide, clientHeight: tall, offsetLeft: before} = stage, {offsetWidth, offsetHeight} = tip;
  const right = x * wide + 14, left = right + offsetWidth > wide ? x * wide - offsetWidth - 14 : right;
  tip.style.left = `${Math.max(4 - before, Math.min(left, wide - offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(y * wide + 12, tall - offsetHeight - 4))}px`;
  if (aloud) explorer.say(text, false);
}

/** Cells within a polygon of the picture, hidden classes left out. @param {Panel} panel
 * @param {number[][]} polygon in parts of the width */
function cellsWithin({cells, colors, moment, places: [ax, bx, ay, by]}, polygon) {
  const found = [], ends = [0, 1].map((axis) => polygon.map((corner) => corner[axis]));
  const [[left, right], [top, bottom]] = ends.map((all) => [Math.min(...all), Math.max(...all)]);
  for (let i = 0; cells && i < cells.n; i++) {
    const u = ax * cells.x[i] + bx, v = ay * cells.y[i] + by;
    if (!(u >= left && u <= right && v >= top && v <= bottom)) continue;
    let inside = false, [uj, vj] = polygon[polygon.length - 1];
    for (const [uk, vk] of polygon) {
      if (vk > v !== vj > v && u < ((uj - uk) * (v - vk)) / (vj - vk) + uk) inside = !inside;
      [uj, vj] = [uk, vk];
    }
    if (inside && colors.shown(cells.levels[moment[0]][i] - 1)) found.push(i);
  }
  return found;
}

/** Offer the names of the cells within a polygon. @param {Panel} panel @param {number[][]} polygon */
async function offerCells(panel, polygon) {
  const {explorer, named} = panel, {found} = explorer, which = cellsWithin(panel, polygon), told = await panel.names();
  if (!told) return;
  const count = which.length.toLocaleString('en'), list = () => which.map(told[0]).join('\n');
  const act = (/** @type {string} */ label, /** @type {() => any} */ onclick) => make('button', {onclick}, label);
  found.replaceChildren(make('span', {}, `${count} cell${which.length === 1 ? '' : 's'}`),
    act(named.names ? 'Copy names' : 'Copy numbers', () => explorer.say(copy(list()) ? `${count} names are copied.` : 'This browser does not let the page copy.')),
    act('Download', () => download([list(), '\n'], 'text/plain', `${explorer.fileName}.txt`)),
    act('Clear', () => explorer.setLasso(false)));
  found.hidden = false;
  explorer.say(`${count} cells are chosen.`);
}

/** Fill in what is said of a cell at a plane, and its curve; return it. @param {any} tip @param {any} colors
 * @param {number} cell @param {number} plane @param {string} name @param {string[]} more */
function fillTip(tip, colors, cell, plane, name, more) {
  const {texts, color} = colors.told(plane, cell), now = texts.filter(Boolean).join(' · ');
  const lines = more.map((text) => make('span', {}, text));
  tip.replaceChildren(make('b', {}, name), make('span', {}, make('i', {style: `background:${cssColor(color)}`}), now), ...lines);
  const keys = [...colors.header.planes.keys()].filter((key) => !colors.header.planes[key].edge);
  if (keys.length > 1) tip.append(curve(colors, cell, keys, plane));
  return `${name}: ${[now, ...more].join(', ')}`;
}

/** @param {any} colors @param {number} cell @param {number[]} keys @param {number} plane */
function curve(colors, cell, keys, plane) {
  const width = 168, height = 44, canvas = make('canvas', {width: 2 * width, height: 2 * height, role: 'img', 'aria-label': 'over the frames'});
  const context = canvas.getContext('2d'), current = keys.filter((key) => key <= plane).length - 1;
  context.scale(2, 2);
  context.strokeStyle = 'rgb(128 128 128 / .6)';
  const points = keys.map((key, k) => {
    const {height: h, color} = colors.told(key, cell);
    const x = 4 + ((width - 8) * k) / (keys.length - 1), y = height - 4 - (height - 8) * (h || 0);
    if (Number.isNaN(h)) { // the line has a gap
      context.stroke();
      context.beginPath();
    } else context.lineTo(x, y);
    return {x, y, color};
  });
  context.stroke();
  points.forEach(({x, y, color}, k) => {
    context.fillStyle = cssColor(color);
    context.beginPath();
    context.arc(x, y, k === current ? 4 : 2.2, 0, 7);
    context.fill();
    if (k === current) context.stroke();
  });
  return canvas;
}
