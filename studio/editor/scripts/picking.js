// What lies under a spot of the room.

const REACH = { key: 17, path: 14, place: 12 }; // pixels: how near is near enough
const SAMPLES = 240; // along the path

// The index of the nearest key, -1 where none is near: handles may overlap
export function keyAt(room, [x, y]) {
  const { path } = room.editor;
  let [nearest, index] = [REACH.key, -1];
  path.keys.forEach((key, i) => {
    const spot = room.viewpoint.spotOf(key.position);
    const off = spot ? Math.hypot(spot[0] - x, spot[1] - y) : Infinity;
    if (off < nearest && !(path.closed && i === path.keys.length - 1)) [nearest, index] = [off, i];
  });
  return index;
}

// The seconds at which the path comes nearest, null where it does not come near
export function timeAt(room, [x, y]) {
  const { editor } = room;
  let [nearest, time] = [REACH.path, null];
  for (let i = 0; i <= SAMPLES && editor.isDrawn; i += 1) {
    const seconds = (editor.seconds * i) / SAMPLES;
    const spot = room.viewpoint.spotOf(editor.at(seconds).position);
    const off = spot ? Math.hypot(spot[0] - x, spot[1] - y) : Infinity;
    if (off < nearest) [nearest, time] = [off, seconds];
  }
  return time;
}

// The point of the place there; of an empty floor where there is no place
export function pointOfPlace(room, spot) {
  const { viewpoint } = room;
  const { place } = room.editor.backdrop;
  const { width, height } = viewpoint.box;
  if (room.isFromAbove) {
    const point = viewpoint.pointAt(spot);
    return place?.pickAbove([point[0], point[2]], REACH.place / viewpoint.scale) ?? point;
  }
  if (!place) return viewpoint.pointAt(spot);
  return place.pick({ x: spot[0] / width, y: spot[1] / height }, viewpoint, width / height);
}
