// Points and cameras of the room -> what SVG draws for them.
import { set } from './dom.js';
import { add } from './path.js';

export const round = (spot) => spot.map((part) => part.toFixed(1)).join(' ');

// Moves a part to a spot; without one it is hidden
export function place(part, spot) {
  part.style.display = spot ? '' : 'none';
  if (spot) set(part, 'transform', `translate(${round(spot)})`);
}

// Points -> the d of one line, broken where it passes behind the viewpoint
export function trail(viewpoint, points) {
  let [line, isDown] = ['', false];
  for (const point of points) {
    const spot = viewpoint.spotOf(point);
    if (spot) line += `${isDown ? 'L' : 'M'}${round(spot)}`;
    isDown = Boolean(spot);
  }
  return line;
}

// The pyramid that a camera sees, so many pixels long -> its d. shape: {width, height} of the picture
export function frustum(viewpoint, { position, rotation, fov }, pixels, shape) {
  const { width, height } = shape ?? { width: 16, height: 9 };
  const across = Math.tan((fov * Math.PI) / 360);
  const reach = pixels / viewpoint.scaleAt(position);
  const corner = ([right, down]) => add(position, rotation.map((row) => reach
    * (row[2] + right * across * row[0] + down * across * (height / width) * row[1])));
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(corner);
  const spots = [position, ...corners].map((point) => viewpoint.spotOf(point));
  if (spots.includes(null)) return '';
  const [tip, a, b, c, d] = spots.map(round);
  // all three turn the same way round, so that SVG fills all of them
  return `M${tip}L${a}L${b}ZM${tip}L${d}L${c}ZM${a}L${b}L${c}L${d}Z`;
}
