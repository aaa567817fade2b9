/** A moment of the film on its canvases: cells, rings, the lasso. */

/** @param {Explorer} explorer */
function drawPicture(explorer) {
  const {compositor, colors, header, picture, context} = explorer, {width} = picture;
  if (!compositor || !colors) return;
  tellFrame(explorer);
  if (header.kind === 'labels') nameClasses(explorer.side.firstElementChild, header, explorer.moment[0]);
  const places = explorer.places(), plane = explorer.moment[0];
  const layers = header.planes[plane].resort || colors.picky();
  const hasty = explorer.moving || (explorer.playing && header.stops);
  const every = hasty ? Math.max(1, Math.ceil(header.n / 2e6)) : 1;
  const key = [places, width, picture.height, layers ? [plane, colors.on, colors.lit] : '', every, explorer.moment[4]].join();
  if (key !== explorer.looked) {
    if (explorer.moving && explorer.still && (explorer.perCell * header.n) / every > 50) return stretchPicture(explorer);
    const begin = performance.now(), scale = width;
    if (explorer.cells) moveCells(explorer.cells, explorer.moment[4]);
    compositor.look({ax: places[0] * scale, bx: places[1] * scale, ay: places[2] * scale, by: places[3] * scale,
      width, height: picture.height, radius: explorer.header.view.radius * explorer.grain() * Math.sqrt(every),
      hiding: colors.hiding, every, top: header.top, layers: layers ? colors.layers(plane) : null});
    explorer.perCell = (performance.now() - begin) / Math.max(1, header.n / every);
    explorer.looked = key;
    explorer.image.data.fill(0);
    new Int32Array(explorer.image.data.buffer).fill(hexColor(header.view.background) | (255 << 24));
  }
  colors.fill(compositor.cells, explorer.moment, compositor.colors);
  compositor.paint(new Int32Array(explorer.image.data.buffer), hexColor(header.view.background), colors.alpha);
  context.putImageData(explorer.image, 0, 0);
  explorer.still = null;
  drawMarks(explorer);
  if (!explorer.moving) {
    const {zoom, x, y} = explorer.camera;
    explorer.still = {zoom, x, y};
  }
  explorer.recording?.draw();
}

/** Show the last picture where it is now, until one is made. @param {Explorer} explorer */
function stretchPicture(explorer) {
  const {picture, context, still, camera} = explorer, by = camera.zoom / still.zoom, {width} = picture;
  explorer.copy ??= document.createElement('canvas');
  if (explorer.copyOf !== explorer.looked) {
    Object.assign(explorer.copy, {width, height: picture.height});
    explorer.copy.getContext('2d').putImageData(explorer.image, 0, 0);
    explorer.copyOf = explorer.looked;
  }
  context.fillStyle = explorer.header.view.background;
  context.fillRect(0, 0, width, picture.height);
  context.drawImage(explorer.copy, (camera.x - still.x * by) * width, (camera.y - still.y * by) * width, width * by, picture.height * by);
  drawMarks(explorer);
}

/** Rings, and the lasso. @param {Explorer} explorer */
function drawMarks(explorer) {
  const {marks, colors, cells, header} = explorer, key = [explorer.places(), marks.width, colors?.on, colors?.lit, explorer.path.length, cells?.place].join();
  if (key === explorer.drawnRings || !cells || !colors) return;
  explorer.drawnRings = key;
  const context = marks.getContext('2d'), [ax, bx, ay, by] = explorer.places(), {width} = marks, grain = explorer.grain();
  context.clearRect(0, 0, width, marks.height);
  for (const ring of header.rings) {
    /** @type {Map<string, Path2D>} */
    const paths = new Map();
    ring.cells.forEach((/** @type {number} */ cell, /** @type {number} */ k) => {
      const code = ring.codes?.[k];
      if (code && colors.on && !colors.shown(code - 1)) return;
      const u = (ax * cells.x[cell] + bx) * width, v = (ay * cells.y[cell] + by) * width;
      if (Number.isNaN(u)) return;
      const color = ring.colors[ring.colors.length > 1 ? k : 0];
      let path = paths.get(color);
      if (!path) paths.set(color, (path = new Path2D()));
      path.moveTo(u + ring.radius * grain, v);
      path.arc(u, v, ring.radius * grain, 0, 7);
    });
    if (ring.halo) {
      context.strokeStyle = '#fff';
      context.lineWidth = ring.halo * grain;
      for (const path of paths.values()) context.stroke(path);
    }
    context.lineWidth = ring.width * grain;
    for (const [color, path] of paths) {
      context.strokeStyle = color;
      context.stroke(path);
    }
  }
  if (explorer.path.length > 1) {
    context.beginPath();
    for (const [u, v] of explorer.path) context.lineTo(u * width, v * width);
    context.closePath();
    context.lineWidth = 1.5 * explorer.ratio;
    context.strokeStyle = explorer.ink;
    context.fillStyle = 'rgb(80 130 220 / .15)';
    context.fill();
    context.stroke();
  }
}
