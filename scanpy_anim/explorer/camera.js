/** Where one looks: picture = zoom * home + (x, y), in parts of the width of the box. */
class Camera {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.zoom = 1;
    this.x = this.y = 0;
  }

  /** @param {number} factor @param {number} x @param {number} y stays where it is */
  zoomBy(factor, x, y) {
    const zoom = Math.min(2000, Math.max(0.5, this.zoom * factor)), by = zoom / this.zoom;
    this.set(zoom, x - (x - this.x) * by, y - (y - this.y) * by);
  }

  /** @param {number} x @param {number} y */
  pan(x, y) {
    this.set(this.zoom, this.x + x, this.y + y);
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

/** Wheel, drag, pinch, double click, hover, tap and lasso. @param {Panel} panel
 * @returns {Record<string, (event: any) => void>} what its stage listens to */
function gestures(panel) {
  const {camera, explorer} = panel;
  /** @type {Map<number, number[]>} */
  const down = new Map();
  /** @type {number[][]} */
  let path = [];
  let moved = 0, tapped = 0;
  const place = (/** @type {MouseEvent} */ {clientX, clientY}) => {
    const box = panel.stage.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.width];
  };
  const touch = () => (panel.stage.style.touchAction = camera.zoom === 1 && !explorer.lassoing ? 'pan-y' : 'none');
  const onpointerup = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId)) return;
    touch();
    if (event.type === 'pointerup') {
      const [x, y] = place(event);
      if (path.length > 2) panel.drawLasso(path, true);
      else if (moved <= 3) {
        tellCell(panel, x, y, true);
        if (event.timeStamp - tapped < 350) camera.home();
        tapped = event.timeStamp;
      }
    }
    path = [];
  };
  return {
    onwheel(event) {
      const {ctrlKey, metaKey, deltaMode, deltaY} = event, [x, y] = place(event);
      if (!ctrlKey && !metaKey && !document.fullscreenElement) return;
      event.preventDefault();
      camera.zoomBy(Math.exp(-deltaY * (deltaMode ? 0.04 : ctrlKey ? 0.006 : 0.002)), x, y);
      touch();
    },
    onpointerdown(event) {
      const {button, pointerId} = event;
      if (button) return;
      touch();
      try {
        panel.stage.setPointerCapture(pointerId);
      } catch { /* the pointer is gone */ }
      down.set(pointerId, place(event));
      moved = down.size > 1 ? 99 : 0;
      path = explorer.lassoing ? [place(event)] : [];
    },
    onpointermove(event) {
      const {pointerId, pointerType} = event, at = place(event), before = down.get(pointerId), touches = pointerType === 'touch';
      if (!before) {
        if (!touches) tellCell(panel, at[0], at[1]);
        return;
      }
      const [x, y] = at, dx = x - before[0], dy = y - before[1];
      moved += Math.hypot(dx, dy) * panel.stage.clientWidth;
      if (down.size > 1) {
        const [u, v] = [...down].find(([id]) => id !== pointerId)?.[1] ?? before;
        const was = Math.hypot(before[0] - u, before[1] - v);
        camera.pan(dx / 2, dy / 2);
        if (was > 0) camera.zoomBy(Math.hypot(x - u, y - v) / was, (x + u) / 2, (y + v) / 2);
      } else if (path.length) {
        path.push(at);
        panel.drawLasso(path);
      } else if (moved > 3 && (!touches || camera.zoom !== 1)) camera.pan(dx, dy);
      down.set(pointerId, at);
    },
    onpointerup,
    onpointercancel: onpointerup,
    onpointerleave: ({pointerType}) => pointerType === 'touch' || panel.leave(),
  };
}
