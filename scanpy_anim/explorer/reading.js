/** What a reader asks of the cells: which one is here, which ones are these. */

/** Cell in front near a place in parts of the width; -1: none. @param {Explorer} explorer @param {number} x @param {number} y */
function cellAt(explorer, x, y) {
  const {width} = explorer.picture, col = Math.floor(x * width), row = Math.floor(y * width);
  let best = -1, least = Infinity;
  const reach = Math.round(6 * explorer.ratio), [ax, bx, ay, by] = explorer.places(), {cells, compositor} = explorer;
  if (!cells || !compositor) return -1;
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cell = compositor.at(col + dx, row + dy);
      if (cell < 0) continue;
      const far = Math.hypot(ax * cells.x[cell] + bx - x, ay * cells.y[cell] + by - y);
      if (far < least) [best, least] = [cell, far];
    }
  }
  return best;
}

/** @param {Explorer} explorer @param {number} x @param {number} y in parts of the width @param {boolean} [aloud] */
async function tellCell(explorer, x, y, aloud = false) {
  const cell = explorer.playing || explorer.moving ? -1 : cellAt(explorer, x, y);
  explorer.pointed = cell;
  if (cell < 0) return explorer.leave();
  const {host, header} = explorer;
  try {
    explorer.names ??= Promise.all([decodeNames(host, header), decodeHover(host, header)]);
    const [name, more] = await explorer.names;
    if (explorer.pointed !== cell || !explorer.colors) return;
    const [a, b, w] = explorer.moment;
    const text = fillTip(explorer.tip, header, explorer.colors, cell, w > 0.5 ? b : a, `${header.names ? '' : `${header.namesTitle || 'cell'} `}${name(cell)}`,
      more.map((/** @type {any} */ column, /** @type {number} */ k) => [header.hover[k].title, column(cell)]));
    explorer.tip.hidden = false;
    const wide = explorer.stage.clientWidth, tall = explorer.stage.clientHeight, box = explorer.tip;
    const left = x * wide + 14 + box.offsetWidth > wide ? x * wide - box.offsetWidth - 14 : x * wide + 14;
    box.style.left = `${Math.max(4 - explorer.stage.offsetLeft, Math.min(left, wide - box.offsetWidth - 4))}px`;
    box.style.top = `${Math.max(4, Math.min(y * wide + 12, tall - box.offsetHeight - 4))}px`;
    if (aloud) explorer.say(text, false);
  } catch {
    explorer.say('The names in this file are damaged.');
  }
}

/** Offer the names of some cells. @param {Explorer} explorer @param {number[]} which */
async function offerCells(explorer, which) {
  const name = await decodeNames(explorer.host, explorer.header), count = which.length.toLocaleString('en');
  const list = () => which.map(name).join('\n');
  const text = make('span', {}, `${count} cell${which.length === 1 ? '' : 's'}`);
  const act = (/** @type {string} */ label, /** @type {() => any} */ does) => make('button', {type: 'button', onclick: does}, label);
  explorer.found.replaceChildren(text,
    act(explorer.header.names ? 'Copy names' : 'Copy numbers', () => copy(list()).then(() => explorer.say(`${count} names are copied.`), () => explorer.say('This browser does not let the page copy.'))),
    act('Download', () => download(new Blob([`${list()}\n`], {type: 'text/plain'}), `${explorer.fileName()}.txt`)),
    act('Clear', () => explorer.setLasso(false)));
  explorer.found.hidden = false;
  explorer.say(`${count} cells are chosen.`);
}
