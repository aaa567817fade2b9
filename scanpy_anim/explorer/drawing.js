/** A moment of the film on its canvases: cells, rings, the lasso. */

/** @param {Panel} panel */
function drawPicture(panel) {
  const {cells, colors, header, image, places, moment, explorer, camera} = panel, {width, height} = image, [plane] = moment;
  if (!cells) return;
  colors.rename(plane);
  const hasty = explorer.moving || (explorer.playing && header.moves);
  const every = hasty ? Math.ceil(header.n / 2e6) : 1;
  const key = `${[places, width, height, colors.layering(plane), every, header.sorted ? moment : moment[4]]}`;
  if (key !== panel.looked) {
    if (explorer.moving && panel.still && panel.slow) return stretchPicture(panel);
    const begin = performance.now(), [ax, bx, ay, by] = places.map((part) => part * width);
    look(panel, {ax, bx, ay, by, width, height, radius: header.view.radius * panel.grain * Math.sqrt(every), every});
    panel.slow = performance.now() - begin > 50;
    panel.looked = key;
    panel.pixels.fill(panel.paper);
  }
  paintCells(panel);
  panel.picture.style.transform = '';
  drawMarks(panel);
  panel.still = !explorer.moving && {...camera};
}

/** Find what is seen of the cells. @param {{cells: any, colors: Colors, header: any, compositor: Compositor, moment: number[]}} panel
 * @param {Omit<View, 'hiding'>} view */
function look({cells, colors, header, compositor, moment}, view) {
  const [plane, , , , place] = moment;
  if (cells.move && cells.place !== place) cells.move(cells.place = place);
  if (header.sorted) orderByValue(cells, colors, moment);
  compositor.look({...view, hiding: colors.hiding, top: header.top, layers: colors.layers(plane), order: cells.order});
}

/** Color what is seen. @param {Panel} panel */
function paintCells({colors, compositor, moment, pixels, paper, context, image}) {
  colors.fill(compositor.cells, moment, compositor.colors);
  compositor.paint(pixels, paper, colors.alpha);
  context.putImageData(image, 0, 0);
}

/** Show the last picture where it is now, until one is made. @param {Panel} panel */
function stretchPicture(panel) {
  const {still, camera: {zoom, x, y}, stage: {clientWidth: wide}} = panel, by = zoom / still.zoom;
  panel.picture.style.transform = `translate(${(x - still.x * by) * wide}px,${(y - still.y * by) * wide}px) scale(${by})`;
  drawMarks(panel);
}

/** Rings, and the lasso. @param {Panel} panel */
function drawMarks(panel) {
  const {marks, colors, cells, header, path, grain, places: [ax, bx, ay, by]} = panel, {width} = marks;
  const key = `${[ax, bx, ay, by, width, colors.on, colors.lit, path.length, cells?.place]}`;
  if (key === panel.marked || !cells) return;
  panel.marked = key;
  const context = marks.getContext('2d');
  context.clearRect(0, 0, width, marks.height);
  for (const {cells: ringed, colors: own, codes = [], radius, halo, width: wide} of header.rings) {
    for (const below of halo ? [1, 0] : [0]) {
      context.lineWidth = (below ? halo : wide) * grain;
      ringed.forEach((/** @type {number} */ cell, /** @type {number} */ k) => {
        if (codes[k] && !colors.shown(codes[k] - 1)) return;
        context.strokeStyle = below ? '#fff' : own[k % own.length];
        context.beginPath();
        context.arc((ax * cells.x[cell] + bx) * width, (ay * cells.y[cell] + by) * width, radius * grain, 0, 7);
        context.stroke();
      });
    }
  }
  if (!path[1]) return;
  context.beginPath();
  for (const [u, v] of path) context.lineTo(u * width, v * width);
  context.closePath();
  context.lineWidth = 1.5 * panel.ratio;
  context.strokeStyle = panel.ink;
  context.fillStyle = 'rgb(80 130 220 / .15)';
  context.fill();
  context.stroke();
}
