/** Where one looks: picture = zoom * home + (x, y), in parts of the width of the box. */
class Camera {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
  }

  /** @param {number} factor @param {number} x @param {number} y stays where it is */
  zoomBy(factor, x, y) {
    const zoom = Math.min(2000, Math.max(0.5, this.zoom * factor)), by = zoom / this.zoom;
    this.set(zoom, x - (x - this.x) * by, y - (y - this.y) * by);
  }

  /** @param {number} zoom @param {number} x @param {number} y */
  set(zoom, x, y) {
    if (zoom === this.zoom && x === this.x && y === this.y) return;
    Object.assign(this, {zoom, x, y});
    this.changed();
  }

  home() {
    this.set(1, 0, 0);
  }
}

/**
 * Wheel, drag, pinch, double click, hover, tap and lasso.
 *
 * @typedef {{camera: Camera, lasso: () => boolean, alone: () => boolean,
 *   hover: (x: number, y: number, keep: boolean) => void, leave: () => void,
 *   draw: (points: number[][], done: boolean) => void}} Hands
 * @param {HTMLElement} stage @param {Hands} hands
 */
function takeGestures(stage, hands) {
  const {camera} = hands;
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  /** @type {number[][]} */
  let path = [];
  let moved = 0, tapped = 0;
  const place = (/** @type {MouseEvent} */ event) => {
    const box = stage.getBoundingClientRect();
    return {x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.width};
  };
  const touch = () => (stage.style.touchAction = camera.zoom === 1 && !hands.lasso() ? 'pan-y' : 'none');
  stage.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey && !hands.alone()) return;
    event.preventDefault();
    const {x, y} = place(event), lines = event.deltaMode ? 20 : 1;
    camera.zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey && !event.deltaMode ? 0.006 : 0.002)), x, y);
    touch();
  }, {passive: false});
  stage.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    touch();
    try {
      stage.setPointerCapture(event.pointerId);
    } catch { /* the pointer is gone */ }
    const at = place(event);
    down.set(event.pointerId, at);
    moved = down.size > 1 ? 99 : 0;
    if (hands.lasso()) path = [[at.x, at.y]];
  });
  stage.addEventListener('pointermove', (event) => {
    const at = place(event), before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== 'touch') hands.hover(at.x, at.y, false);
      return;
    }
    const width = stage.clientWidth;
    moved += Math.hypot(at.x - before.x, at.y - before.y) * width;
    if (hands.lasso() && down.size === 1) {
      path.push([at.x, at.y]);
      hands.draw(path, false);
    } else if (down.size === 2) {
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1] ?? before;
      const was = Math.hypot(before.x - other.x, before.y - other.y);
      const is = Math.hypot(at.x - other.x, at.y - other.y);
      camera.set(camera.zoom, camera.x + (at.x - before.x) / 2, camera.y + (at.y - before.y) / 2);
      if (was > 0) camera.zoomBy(is / was, (at.x + other.x) / 2, (at.y + other.y) / 2);
    } else if (moved > 3 && (event.pointerType !== 'touch' || camera.zoom !== 1)) {
      hands.leave();
      camera.set(camera.zoom, camera.x + at.x - before.x, camera.y + at.y - before.y);
    }
    down.set(event.pointerId, at);
  });
  const up = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId)) return;
    touch();
    if (event.type === 'pointerup' && hands.lasso() && path.length > 2) hands.draw(path, true);
    else if (event.type === 'pointerup' && moved <= 3) {
      const {x, y} = place(event);
      hands.hover(x, y, true);
      if (event.timeStamp - tapped < 350) camera.home();
      tapped = event.timeStamp;
    }
    path = [];
  };
  stage.addEventListener('pointerup', up);
  stage.addEventListener('pointercancel', up);
  stage.addEventListener('pointerleave', (event) => event.pointerType !== 'touch' && hands.leave());
}
