/** Several panels: what one takes from an earlier one. */

/** Coordinates of an earlier panel's cells. @param {Cells} like @param {Uint32Array} source */
function placesOf({x, y}, source) {
  return [x, y].map((axis) => Uint16Array.from(source, (cell) => axis[cell]));
}
