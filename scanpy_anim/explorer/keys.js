/** What keys do. */

/** @param {Explorer} explorer @param {KeyboardEvent} event */
function actOnKey(explorer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = /** @type {any} */ (event.composedPath()[0]), tag = target.tagName;
  const onStage = explorer.panels.find(({stage}) => stage === target), panel = onStage ?? explorer.panels[0];
  const {camera, tall} = panel;
  if (tag === 'SELECT' || tag === 'TEXTAREA' || (tag === 'BUTTON' && /^( |Enter)$/.test(event.key))) return;
  const pan = (/** @type {number} */ x, /** @type {number} */ y) => camera.set(camera.zoom, camera.x + x, camera.y + y);
  const many = explorer.moments.length - 1;
  /** @type {Record<string, () => any>} */
  const acts = {' ': () => setPlaying(explorer, !explorer.playing && many > 0), ArrowLeft: () => stepBy(explorer, -1), ArrowRight: () => stepBy(explorer, 1),
    ',': () => explorer.go(explorer.number - 1), '.': () => explorer.go(explorer.number + 1), Home: () => explorer.go(0), End: () => explorer.go(many),
    '+': () => explorer.zoom(1.5), '=': () => explorer.zoom(1.5), '-': () => explorer.zoom(1 / 1.5), 0: () => explorer.home(),
    l: () => explorer.setLasso(!explorer.lassoing), p: () => explorer.save(), f: () => explorer.fullscreen(),
    a: () => offerCells(panel, cellsWithin(panel, [[0, 0], [1, 0], [1, tall], [0, tall]])),
    Escape: () => {
      explorer.leave();
      explorer.setLasso(false);
    }};
  if (onStage) acts.Enter = () => tellCell(panel, 0.5, tall / 2, true);
  if (onStage || event.shiftKey) {
    Object.assign(acts, {ArrowUp: () => pan(0, 0.1), ArrowDown: () => pan(0, -0.1)});
    if (event.shiftKey) Object.assign(acts, {ArrowLeft: () => pan(0.1, 0), ArrowRight: () => pan(-0.1, 0)});
  }
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
