// The editable path and its camera at any time. Mirrors pipelines/cameras/path.py, which is what renders; a test holds
// the two equal. Axes are OpenCV's: +x right, +y down, +z forward; quaternions are [w, x, y, z].

export const EASES = {
  linear: (t) => t,
  in: (t) => t * t,
  out: (t) => t * (2 - t),
  smooth: (t) => t * t * (3 - 2 * t),
};
export const AHEAD = [1, 0, 0, 0]; // the orientation of the photo's camera
export const UP = [0, -1, 0]; // turning about it by + degrees is to the left, by - degrees to the right
const SAME = 1e-9; // scene units: points that are closer are one

// -- small vectors ---------------------------------------------------------------------------------------------------

export const add = (a, b) => a.map((value, i) => value + b[i]);
export const subtract = (a, b) => a.map((value, i) => value - b[i]);
export const scale = (a, factor) => a.map((value) => value * factor);
export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
export const norm = (a) => Math.hypot(...a);
export const normalise = (a) => scale(a, 1 / norm(a));
export const mix = (a, b, share) => a.map((value, i) => value + share * (b[i] - value));
export const cross = ([a, b, c], [x, y, z]) => [b * z - c * y, c * x - a * z, a * y - b * x];

export function times([a, b, c, d], [w, x, y, z]) {
  return [
    a * w - b * x - c * y - d * z,
    a * x + b * w + c * z - d * y,
    a * y - b * z + c * w + d * x,
    a * z + b * y - c * x + d * w,
  ];
}

export const inverse = ([w, x, y, z]) => [w, -x, -y, -z];
export const about = (axis, degrees) => {
  const half = (degrees * Math.PI) / 360;
  return [Math.cos(half), ...scale(axis, Math.sin(half))];
};

function matrix([w, x, y, z]) {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

export const rotate = (q, v) => matrix(q).map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);

export function quaternion(m) {
  // Shepperd: from the largest of the four, so that nothing is divided by a small number
  const [[a, b, c], [d, e, f], [g, h, i]] = m;
  const trace = a + e + i;
  const [w, x, y, z] = [trace, a, e, i];
  const largest = Math.max(w, x, y, z);
  let q;
  if (largest === w) q = [1 + trace, h - f, c - g, d - b];
  else if (largest === x) q = [h - f, 1 + a - e - i, b + d, c + g];
  else if (largest === y) q = [c - g, b + d, 1 - a + e - i, f + h];
  else q = [d - b, c + g, f + h, 1 - a - e + i];
  q = normalise(q);
  return q[0] < 0 ? scale(q, -1) : q;
}

// The rotation of a camera at `eye` that looks at `target`, level: +y of the world is down
export function lookAt(eye, target) {
  const way = subtract(target, eye);
  const z = norm(way) > SAME ? normalise(way) : [0, 0, 1];
  const level = [z[2], 0, -z[0]];
  const x = norm(level) > SAME ? normalise(level) : [1, 0, 0]; // straight up or down: the photo's right
  const y = cross(z, x);
  return [0, 1, 2].map((i) => [x[i], y[i], z[i]]);
}

// A point in the axes of a camera: [right, down, ahead]
export function inCamera(point, { position, rotation }) {
  const off = subtract(point, position);
  return [0, 1, 2].map((i) => off.reduce((sum, part, row) => sum + part * rotation[row][i], 0));
}

// -- the spline ------------------------------------------------------------------------------------------------------

// Centripetal Catmull-Rom (Barry & Goldman 1988, alpha 0.5) through `points`: segment i at u in 0..1. wrap: -1 where
// the quaternions of a closed path return with the opposite sign
export function spline(points, i, u, closed = false, wrap = 1) {
  const [p1, p2] = [points[i], points[i + 1]];
  const step = (p, q) => Math.sqrt(norm(subtract(q, p)));
  const still = (length) => length <= Math.sqrt(SAME);
  const b = step(p1, p2);
  if (still(b)) return mix(p1, p2, u);
  if (u <= 0) return p1;
  if (u >= 1) return p2;
  const last = points.length - 1;
  let p0 = i > 0 ? points[i - 1] : closed ? scale(points[last - 1], wrap) : p1;
  let p3 = i + 2 <= last ? points[i + 2] : closed ? scale(points[1], wrap) : p2;
  // across the seam of a closed path the distance is that of the segment there
  let a = i > 0 ? step(p0, p1) : closed ? step(points[last - 1], points[last]) : 0;
  let c = i + 2 <= last ? step(p2, p3) : closed ? step(points[0], points[1]) : 0;
  // at an end, and beside a segment that stands still: the point behind mirrors the one ahead
  if (still(a)) [p0, a] = [subtract(scale(p1, 2), p2), b];
  if (still(c)) [p3, c] = [subtract(scale(p2, 2), p1), b];
  const a1 = add(p1, scale(subtract(p1, p0), (u * b) / a));
  const a2 = mix(p1, p2, u);
  const a3 = subtract(p2, scale(subtract(p3, p2), ((1 - u) * b) / c));
  const b1 = add(scale(a1, ((1 - u) * b) / (a + b)), scale(a2, (a + u * b) / (a + b)));
  const b2 = add(scale(a2, ((1 - u) * b + c) / (b + c)), scale(a3, (u * b) / (b + c)));
  return mix(b1, b2, u);
}

// Gives each quaternion the sign that is closer to the one before, so that the spline takes the shorter turn
function hemisphere(quaternions) {
  const out = [];
  for (const q of quaternions) {
    const before = out[out.length - 1];
    out.push(before && dot(q, before) < 0 ? scale(q, -1) : q);
  }
  return out;
}

// Degrees across the width <-> focal length in widths of the picture
export const focal = (fov) => 0.5 / Math.tan((fov * Math.PI) / 360);
export const fovOf = (focalWidths) => (360 / Math.PI) * Math.atan(0.5 / focalWidths);

// The camera of a path at any time: curve(path)(seconds) -> {position, turn, roll, rotation, fov}. turn: 3x3 from the
// orientations or the target; rotation: 3x3 with the roll (degrees) as well; fov: degrees across the width
export function curve(path) {
  const { keys, closed, target } = path;
  const positions = keys.map((key) => key.position);
  const turns = hemisphere(keys.map((key) => normalise(key.orientation)));
  const wrap = dot(turns[0], turns[turns.length - 1]) < 0 ? -1 : 1;
  const focals = keys.map((key) => [Math.log(focal(key.fov))]);
  const rolls = keys.map((key) => [key.roll]);
  return (seconds) => {
    const [i, u] = keys.length < 2 ? [0, 0] : segmentAt(keys, seconds);
    const at = (points, sign) => (keys.length < 2 ? points[0] : spline(points, i, u, closed, sign));
    const position = at(positions);
    const turn = target ? lookAt(position, target) : matrix(normalise(at(turns, wrap)));
    const roll = at(rolls)[0];
    const [c, s] = [Math.cos((roll * Math.PI) / 180), Math.sin((roll * Math.PI) / 180)];
    const rotation = turn.map(([x, y, z]) => [c * x + s * y, c * y - s * x, z]);
    return { position, turn, roll, rotation, fov: fovOf(Math.exp(at(focals)[0])) };
  };
}

// [index of the segment, eased share of it in 0..1] at a time
function segmentAt(keys, seconds) {
  const time = Math.min(Math.max(seconds, 0), keys[keys.length - 1].time);
  let i = 0;
  while (i < keys.length - 2 && time >= keys[i + 1].time) i += 1;
  return [i, EASES[keys[i].ease]((time - keys[i].time) / (keys[i + 1].time - keys[i].time))];
}

export const duration = (path) => path.keys[path.keys.length - 1].time;

// The photo's camera does not move: it is the first key, and in a closed path the last one too
export const isLocked = (path, i) => i === 0 || (path.closed && i === path.keys.length - 1);
