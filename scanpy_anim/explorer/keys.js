/** What keys do. */

/** @param {Explorer} explorer @param {KeyboardEvent} event */
function actOnKey(explorer, event) {
  const {key, shiftKey} = event, target = /** @type {any} */ (event.composedPath()[0]);
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (/SELECT|TEXTAREA/.test(target.tagName) || (target.tagName === 'BUTTON' && /^( |Enter)$/.test(key))) return;
  const {panels, number, last} = explorer, onStage = panels.find(({stage}) => stage === target), panel = onStage ?? panels[0];
  const {camera, tall} = panel, go = (/** @type {number} */ to) => () => explorer.go(to);
  const way = /** @type {Record<string, number[]>} */ ({ArrowUp: [0, 0.1], ArrowDown: [0, -0.1], ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0]})[key];
  const closer = () => explorer.zoom(1.5);
  /** @type {Record<string, () => any>} */
  const acts = {
    ' ': () => setPlaying(explorer, !explorer.playing && last > 0),
    ArrowLeft: () => stepBy(explorer, -1), ArrowRight: () => stepBy(explorer, 1),
    ',': go(number - 1), '.': go(number + 1), Home: go(0), End: go(last),
    '+': closer, '=': closer, '-': () => explorer.zoom(1 / 1.5), 0: () => explorer.home(),
    l: () => explorer.setLasso(!explorer.lassoing), p: () => explorer.save(), f: () => explorer.fullscreen(),
    a: () => offerCells(panel, [[0, 0], [1, 0], [1, tall], [0, tall]]),
    Escape: () => {
      explorer.leave();
      explorer.setLasso(false);
    }};
  if (onStage) acts.Enter = () => tellCell(panel, 0.5, tall / 2, true);
  const act = way && (shiftKey || (onStage && way[1])) ? () => camera.pan(way[0], way[1]) : acts[key];
  if (!act) return;
  event.preventDefault();
  act();
}
