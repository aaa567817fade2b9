/** What a reader takes along: names of cells, a picture, a film. */

/** Cells within a polygon of the picture, hidden classes left out. @param {Explorer} explorer
 * @param {number[][]} polygon in parts of the width */
function cellsWithin({cells, colors, moment}, polygon, /** @type {number[]} */ [ax, bx, ay, by]) {
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

/** The view with its marks and title, as a canvas. @param {Explorer} explorer
 * @param {any} [canvas] that is drawn again */
function compose(explorer, canvas = make('canvas')) {
  const {picture, marks, ratio} = explorer, band = Math.round(34 * ratio);
  const width = picture.width & ~1, height = (picture.height + band) & ~1;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const context = canvas.getContext('2d');
  context.fillStyle = explorer.header.view.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = explorer.ink;
  context.textAlign = 'center';
  context.font = `${Math.round(14 * ratio)}px system-ui, sans-serif`;
  context.fillText(explorer.title.textContent, width / 2, band * 0.66, width);
  context.drawImage(picture, 0, band);
  context.drawImage(marks, 0, band);
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
