/** What a reader takes along: a picture, a film. */

/** The panels with their marks and titles, as a canvas. @param {Explorer} explorer
 * @param {any} [canvas] that is drawn again */
function compose({panels, columns}, canvas = make('canvas')) {
  const [{picture: {width: wide}, ratio, header, ink}] = panels, band = Math.round(34 * ratio);
  const tall = band + Math.max(...panels.map(({picture}) => picture.height));
  const width = (wide * columns) & ~1, height = (tall * Math.ceil(panels.length / columns)) & ~1; // even, as films have to be
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const context = canvas.getContext('2d');
  context.fillStyle = header.view.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink;
  context.textAlign = 'center';
  context.font = `${Math.round(14 * ratio)}px system-ui, sans-serif`;
  panels.forEach(({picture, marks, text}, k) => {
    const left = wide * (k % columns), top = tall * Math.floor(k / columns) + band;
    context.fillText(text, left + wide / 2, top - band / 3, wide);
    for (const layer of [picture, marks]) context.drawImage(layer, left, top);
  });
  return canvas;
}

/** A kind of video that this browser writes, if any. */
function videoKind() {
  return 'captureStream' in HTMLCanvasElement.prototype && ['video/mp4;codecs=avc1.42E01F', 'video/mp4', 'video/webm;codecs=vp9', 'video/webm']
    .find((kind) => globalThis.MediaRecorder?.isTypeSupported(kind));
}

/** Record the film from its start to its end, as long as it takes. @param {Explorer} explorer
 * @param {string} mimeType */
function recordVideo(explorer, mimeType) {
  const canvas = compose(explorer), recorder = new MediaRecorder(canvas.captureStream(30), {mimeType, videoBitsPerSecond: 8e6});
  /** @type {Blob[]} */
  const chunks = [];
  recorder.ondataavailable = ({data}) => chunks.push(data);
  recorder.onstop = () => {
    download(chunks, mimeType, `${explorer.fileName}.${mimeType.slice(6).split(';')[0]}`);
    explorer.say('The video is saved.');
  };
  recorder.start();
  return {draw: () => compose(explorer, canvas), stop: () => recorder.stop()};
}
