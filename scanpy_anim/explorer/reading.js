/** What a reader asks of the cells: which one is here, which ones are these. */

/** Cell in front near a place in parts of the width; -1: none. @param {Panel} panel @param {number} x @param {number} y */
function cellAt(panel, x, y) {
  const {width} = panel.picture, col = Math.floor(x * width), row = Math.floor(y * width);
  let best = -1, least = Infinity;
  const reach = Math.round(6 * panel.ratio), [ax, bx, ay, by] = panel.places(), {cells, compositor} = panel;
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

/** @param {Panel} panel @param {number} x @param {number} y in parts of the width @param {boolean} [aloud] */
async function tellCell(panel, x, y, aloud = false) {
  const cell = panel.explorer.playing || panel.explorer.moving ? -1 : cellAt(panel, x, y);
  panel.pointed = cell;
  if (cell < 0) return panel.leave();
  const {header, explorer} = panel, named = explorer.panels[header.like]?.header ?? header;
  try {
    const [name, more] = await panel.names();
    if (panel.pointed !== cell || !panel.colors) return;
    const [a, b, w] = panel.moment;
    const text = fillTip(panel.tip, header, panel.colors, cell, w > 0.5 ? b : a, `${named.names ? '' : `${named.namesTitle || 'cell'} `}${name(cell)}`,
      more.map((/** @type {any} */ column, /** @type {number} */ k) => [named.hover[k].title, column(cell)]));
    panel.tip.hidden = false;
    const wide = panel.stage.clientWidth, tall = panel.stage.clientHeight, box = panel.tip;
    const left = x * wide + 14 + box.offsetWidth > wide ? x * wide - box.offsetWidth - 14 : x * wide + 14;
    box.style.left = `${Math.max(4 - panel.stage.offsetLeft, Math.min(left, wide - box.offsetWidth - 4))}px`;
    box.style.top = `${Math.max(4, Math.min(y * wide + 12, tall - box.offsetHeight - 4))}px`;
    if (aloud) panel.explorer.say(text, false);
  } catch {
    panel.explorer.say('The names in this file are damaged.');
  }
}

/** Offer the names of some cells. @param {Panel} panel @param {number[]} which */
async function offerCells(panel, which) {
  const {explorer} = panel, named = explorer.panels[panel.header.like]?.header ?? panel.header;
  const told = await panel.names().catch(() => null), count = which.length.toLocaleString('en');
  if (!told) return explorer.say('The names in this file are damaged.');
  const [name] = told;
  const list = () => which.map(name).join('\n');
  const text = make('span', {}, `${count} cell${which.length === 1 ? '' : 's'}`);
  const act = (/** @type {string} */ label, /** @type {() => any} */ does) => make('button', {type: 'button', onclick: does}, label);
  explorer.found.replaceChildren(text,
    act(named.names ? 'Copy names' : 'Copy numbers', () => copy(list()).then(() => explorer.say(`${count} names are copied.`), () => explorer.say('This browser does not let the page copy.'))),
    act('Download', () => download(new Blob([`${list()}\n`], {type: 'text/plain'}), `${explorer.fileName()}.txt`)),
    act('Clear', () => explorer.setLasso(false)));
  explorer.found.hidden = false;
  explorer.say(`${count} cells are chosen.`);
}
