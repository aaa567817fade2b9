/** What a reader takes along: names of cells, a picture, a film. */

/** Cells within a polygon of the picture, hidden classes left out. @param {Panel} panel
 * @param {number[][]} polygon in parts of the width */
function cellsWithin(panel, polygon) {
  const {cells, colors, moment} = panel, [ax, bx, ay, by] = panel.places();
  if (!cells || !colors) return [];
  const {x, y, levels} = cells, found = [], n = polygon.length, {on} = colors;
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
  for (const [u, v] of polygon) {
    left = Math.min(left, u);
    right = Math.max(right, u);
    top = Math.min(top, v);
    bottom = Math.max(bottom, v);
  }
  for (let i = 0; i < cells.n; i++) {
    const u = ax * x[i] + bx, v = ay * y[i] + by;
    if (!(u >= left && u <= right && v >= top && v <= bottom)) continue;
    let inside = false;
    for (let k = 0, j = n - 1; k < n; j = k++) {
      const [uk, vk] = polygon[k], [uj, vj] = polygon[j];
      if (vk > v !== vj > v && u < ((uj - uk) * (v - vk)) / (vj - vk) + uk) inside = !inside;
    }
    if (inside && on[levels[moment[0]][i] - 1] !== 0) found.push(i);
  }
  return found;
}

/** The panels with their marks and titles, as a canvas. @param {Explorer} explorer
 * @param {any} [canvas] that is drawn again */
function compose({panels, columns}, canvas = make('canvas')) {
  const {picture: {width: wide}, ratio, header, ink} = panels[0], band = Math.round(34 * ratio);
  const tall = band + Math.max(...panels.map(({picture}) => picture.height)), rows = Math.ceil(panels.length / columns);
  const width = (wide * columns) & ~1, height = (tall * rows) & ~1;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const context = canvas.getContext('2d');
  context.fillStyle = header.view.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink;
  context.textAlign = 'center';
  context.font = `${Math.round(14 * ratio)}px system-ui, sans-serif`;
  panels.forEach(({picture, marks, text}, k) => {
    const left = wide * (k % columns), top = tall * Math.floor(k / columns);
    context.fillText(text, left + wide / 2, top + band * 0.66, wide);
    context.drawImage(picture, left, top + band);
    context.drawImage(marks, left, top + band);
  });
  return canvas;
}

/** A kind of video that this browser writes; empty: none. */
function videoKind() {
  const Recorder = globalThis.MediaRecorder;
  if (!Recorder || !HTMLCanvasElement.prototype.captureStream) return '';
  return ['video/mp4;codecs=avc1.42E01F', 'video/mp4', 'video/webm;codecs=vp9', 'video/webm']
    .find((kind) => Recorder.isTypeSupported(kind)) ?? '';
}

/** Record the film from its start to its end, as long as it takes. @param {Explorer} explorer */
function recordVideo(explorer) {
  const kind = videoKind(), canvas = compose(explorer);
  const recorder = new MediaRecorder(canvas.captureStream(30), {mimeType: kind, videoBitsPerSecond: 8e6});
  /** @type {Blob[]} */
  const chunks = [];
  recorder.ondataavailable = (event) => chunks.push(event.data);
  recorder.onstop = () => {
    download(new Blob(chunks, {type: kind}), `${explorer.fileName()}.${kind.slice(6).split(';')[0]}`);
    explorer.say('The video is saved.');
  };
  recorder.start();
  return {draw: () => compose(explorer, canvas), stop: () => recorder.state !== 'inactive' && recorder.stop()};
}
