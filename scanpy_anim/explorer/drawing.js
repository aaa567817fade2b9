/** A moment of the film on its canvases: cells, rings, the lasso. */

/** @param {Panel} panel */
function drawPicture(panel) {
  const {compositor, colors, header, picture, context, explorer} = panel, {width} = picture;
  if (!compositor || !colors) return;
  if (header.kind === 'labels') nameClasses(panel.side.firstElementChild, header, panel.moment[0]);
  const places = panel.places(), plane = panel.moment[0];
  const layers = header.planes[plane].resort || colors.picky();
  const hasty = explorer.moving || (explorer.playing && header.moves);
  const every = hasty ? Math.max(1, Math.ceil(header.n / 2e6)) : 1;
  const key = [places, width, picture.height, layers ? [plane, colors.on, colors.lit] : '', every, header.sorted ? panel.moment : panel.moment[4]].join();
  if (key !== panel.looked) {
    if (explorer.moving && panel.still && (panel.perCell * header.n) / every > 50) return stretchPicture(panel);
    const begin = performance.now(), scale = width;
    if (panel.cells) moveCells(panel.cells, header, panel.moment[4]);
    if (panel.cells && header.sorted) orderByValue(panel.cells, colors, panel.moment);
    compositor.look({ax: places[0] * scale, bx: places[1] * scale, ay: places[2] * scale, by: places[3] * scale,
      width, height: picture.height, radius: header.view.radius * panel.grain() * Math.sqrt(every),
      hiding: colors.hiding, every, top: header.top, layers: layers ? colors.layers(plane) : null,
      order: panel.cells?.order});
    panel.perCell = (performance.now() - begin) / Math.max(1, header.n / every);
    panel.looked = key;
    new Int32Array(panel.image.data.buffer).fill(hexColor(header.view.background) | (255 << 24));
  }
  colors.fill(compositor.cells, panel.moment, compositor.colors);
  compositor.paint(new Int32Array(panel.image.data.buffer), hexColor(header.view.background), colors.alpha);
  context.putImageData(panel.image, 0, 0);
  drawMarks(panel);
  const {zoom, x, y} = panel.camera;
  panel.still = explorer.moving ? null : {zoom, x, y};
}

/** Show the last picture where it is now, until one is made. @param {Panel} panel */
function stretchPicture(panel) {
  const {picture, context, still, camera} = panel, by = camera.zoom / still.zoom, {width} = picture;
  panel.copy ??= document.createElement('canvas');
  if (panel.copyOf !== panel.looked) {
    Object.assign(panel.copy, {width, height: picture.height});
    panel.copy.getContext('2d').putImageData(panel.image, 0, 0);
    panel.copyOf = panel.looked;
  }
  context.fillStyle = panel.header.view.background;
  context.fillRect(0, 0, width, picture.height);
  context.drawImage(panel.copy, (camera.x - still.x * by) * width, (camera.y - still.y * by) * width, width * by, picture.height * by);
  drawMarks(panel);
}

/** Rings, and the lasso. @param {Panel} panel */
function drawMarks(panel) {
  const {marks, colors, cells, header} = panel, key = [panel.places(), marks.width, colors?.on, colors?.lit, panel.path.length, cells?.place].join();
  if (key === panel.drawnRings || !cells || !colors) return;
  panel.drawnRings = key;
  const context = marks.getContext('2d'), [ax, bx, ay, by] = panel.places(), {width} = marks, grain = panel.grain();
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
  if (panel.path.length > 1) {
    context.beginPath();
    for (const [u, v] of panel.path) context.lineTo(u * width, v * width);
    context.closePath();
    context.lineWidth = 1.5 * panel.ratio;
    context.strokeStyle = panel.ink;
    context.fillStyle = 'rgb(80 130 220 / .15)';
    context.fill();
    context.stroke();
  }
}
