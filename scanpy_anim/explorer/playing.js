/** The film in time. */

/** Whether a frame is on the way from one to another. @param {Explorer} explorer @param {number} number */
function isBetween({panels}, number) {
  return panels.some(({header: {moments, stops}}) => moments[number]?.[2] > 0 || (stops && moments[number]?.[4] % 1 > 0));
}

/** To the next frame that is no blend. @param {Explorer} explorer @param {number} by */
function stepBy(explorer, by) {
  setPlaying(explorer, false);
  let to = explorer.number + by;
  while (isBetween(explorer, to)) to += by;
  explorer.go(to);
  explorer.say(explorer.tell(), false);
}

/** @param {Explorer} explorer @param {boolean} playing */
function setPlaying(explorer, playing) {
  if (playing === explorer.playing || (playing && !explorer.loaded)) return;
  explorer.playing = playing;
  relabel(explorer.play, playing ? 'Pause' : 'Play');
  if (!playing) {
    explorer.recording?.stop();
    explorer.recording = null;
    press(explorer.film, false);
    explorer.request(); // of cells that moved, some may have been left out
    return;
  }
  explorer.say('');
  explorer.rounds = explorer.header.loop;
  if (explorer.number === explorer.last) explorer.go(0);
  let before = performance.now();
  const tick = (/** @type {number} */ now) => {
    if (!explorer.playing) return;
    explorer.elapsed += (Math.min(now - before, 200) / 1000) * explorer.speed;
    before = now;
    advance(explorer);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** @param {Explorer} explorer */
function advance(explorer) {
  const {moments, number, last} = explorer, calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const lasts = () => Math.max(0.001, moments[explorer.number][3]);
  while (explorer.elapsed >= lasts()) {
    explorer.elapsed -= lasts();
    if (explorer.number < last) explorer.number++;
    else if (explorer.recording || --explorer.rounds === 0) return setPlaying(explorer, false);
    else explorer.number = 0;
  }
  if (explorer.number === number) return;
  explorer.leave();
  if (!calm || !isBetween(explorer, explorer.number)) explorer.draw();
}
