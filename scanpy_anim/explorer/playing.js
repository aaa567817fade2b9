/** The film in time. */

/** Say which frame it is, but not aloud. @param {Explorer} explorer */
function tellFrame(explorer) {
  const {panels, number, slider, moments} = explorer;
  for (const panel of panels) panel.title.textContent = panel.text;
  const text = [...new Set(panels.map((panel) => panel.text))].join(', ');
  slider.value = `${number}`;
  slider.setAttribute('aria-valuetext', `${text}, ${number + 1} of ${moments.length}`);
  explorer.count.textContent = `${number + 1} / ${moments.length}`;
  return text;
}

/** To the next frame that is no blend. @param {Explorer} explorer @param {number} by */
function stepBy(explorer, by) {
  setPlaying(explorer, false);
  const {moments} = explorer;
  let to = explorer.number + by;
  while (moments[to]?.[2] > 0) to += by;
  explorer.go(to);
  explorer.say(tellFrame(explorer), false);
}

/** @param {Explorer} explorer @param {boolean} playing */
function setPlaying(explorer, playing) {
  if (playing === explorer.playing || (playing && !explorer.loaded)) return;
  explorer.playing = playing;
  explorer.play.replaceChildren(drawn(playing ? 'pause' : 'play'));
  explorer.play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
  explorer.play.title = playing ? 'Pause' : 'Play';
  if (!playing) {
    explorer.recording?.stop();
    explorer.recording = null;
    explorer.film?.setAttribute('aria-pressed', 'false');
    explorer.request(); // of cells that moved, some may have been left out
    return;
  }
  explorer.say('');
  explorer.rounds = explorer.header.loop;
  if (explorer.number === explorer.moments.length - 1) explorer.go(0);
  let last = performance.now();
  const tick = (/** @type {number} */ now) => {
    if (!explorer.playing) return;
    explorer.elapsed += (Math.min(now - last, 200) / 1000) * explorer.speed;
    last = now;
    advance(explorer);
    if (explorer.playing) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** @param {Explorer} explorer */
function advance(explorer) {
  const {moments} = explorer, calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let to = explorer.number;
  while (explorer.elapsed >= moments[to][3]) {
    explorer.elapsed -= moments[to][3];
    if (++to < moments.length) continue;
    if (explorer.recording || explorer.rounds === 1) {
      to = moments.length - 1;
      setPlaying(explorer, false);
      break;
    }
    explorer.rounds = Math.max(0, explorer.rounds - 1);
    to = 0;
    if (moments.every((/** @type {number[]} */ m) => !(m[3] > 0))) break;
  }
  const key = !calm || !(moments[to][2] > 0);
  if (to === explorer.number) return;
  explorer.number = to;
  explorer.leave();
  if (key) explorer.draw();
}
