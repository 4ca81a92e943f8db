// New paths: a stroke of the pencil becomes a few keys, a click an orbit.
import { still } from './edits.js';
import { about, add, AHEAD, dot, mix, norm, rotate, scale, spline, subtract, UP } from './path.js';

const TOLERANCE = 0.03; // of the stroke's length: smaller wobbles are the hand's, not meant
const MAX_KEYS = 9; // of a stroke: few enough to be edited by hand

const keyAt = (position, orientation, fov) => ({ time: 0, position, orientation, roll: 0, fov, ease: 'linear' });

// An arc round `point`, which keeps its place in the picture; degrees > 0 goes to the right
export function orbit(point, degrees, seconds, fov) {
  const steps = Math.max(2, Math.ceil(Math.abs(degrees) / 15));
  const pivot = [point[0], 0, point[2]];
  const keys = Array.from({ length: steps + 1 }, (_, i) => {
    if (i === 0) return keyAt([0, 0, 0], AHEAD, fov);
    const turn = about(UP, (degrees * i) / steps);
    return keyAt(add(rotate(turn, scale(pivot, -1)), pivot), turn, fov);
  });
  return softEnds({ ...still(fov), keys }, seconds);
}

// A free stroke in the view from above, points [x, z] -> a smooth path of few keys at the photo's height; null if it is
// too short. First the wobbles are taken out, then keys are laid at even distances, as few as still follow the stroke
export function stroke(points, seconds, fov) {
  const line = [[0, 0, 0], ...points.map(([x, z]) => [x, 0, z])];
  const distinct = line.filter((point, i) => i === 0 || norm(subtract(point, line[i - 1])) > 1e-9);
  if (distinct.length < 2) return null;
  const tolerance = TOLERANCE * lengthOf(distinct);
  const smooth = dense(simplified(distinct, tolerance));
  let positions;
  for (let count = 2; count <= MAX_KEYS; count += 1) {
    positions = evenly(smooth, count);
    if (farthest(dense(positions), smooth) <= tolerance / 2) break;
  }
  return softEnds({ ...still(fov), keys: positions.map((position) => keyAt(position, AHEAD, fov)) }, seconds);
}

// Even speed with a soft start and a soft stop: the first and the last segment take twice their time
function softEnds(path, seconds) {
  const count = path.keys.length - 1;
  if (count === 1) {
    return { ...path, keys: path.keys.map((key, i) => ({ ...key, time: i * seconds, ease: i ? 'linear' : 'smooth' })) };
  }
  const unit = seconds / (count + 2);
  const keys = path.keys.map((key, i) => ({
    ...key,
    time: i === 0 ? 0 : i === count ? seconds : (i + 1) * unit,
    ease: i === 0 ? 'in' : i === count - 1 ? 'out' : 'linear',
  }));
  return { ...path, keys };
}

// -- lines of points -------------------------------------------------------------------------------------------------

const lengthOf = (points) => points.slice(1).reduce((sum, point, i) => sum + norm(subtract(point, points[i])), 0);

// Fewer points, none of the others farther than `tolerance` from the line (Ramer 1972, Douglas & Peucker 1973)
function simplified(points, tolerance) {
  if (points.length < 3) return points;
  const [a, b] = [points[0], points[points.length - 1]];
  const along = subtract(b, a);
  let [worst, at] = [0, 0];
  for (let i = 1; i < points.length - 1; i += 1) {
    const off = subtract(points[i], a);
    const share = Math.min(Math.max(dot(off, along) / Math.max(dot(along, along), 1e-300), 0), 1);
    const distance = norm(subtract(off, scale(along, share)));
    if (distance > worst) [worst, at] = [distance, i];
  }
  if (worst <= tolerance) return [a, b];
  return [...simplified(points.slice(0, at + 1), tolerance).slice(0, -1), ...simplified(points.slice(at), tolerance)];
}

// The spline through points, as a line of many
function dense(points, steps = 16) {
  const out = [];
  for (let i = 0; i < points.length - 1; i += 1) {
    for (let k = 0; k < steps; k += 1) out.push(spline(points, i, k / steps));
  }
  return [...out, points[points.length - 1]];
}

// `count` points at even distances along a line
function evenly(points, count) {
  const total = lengthOf(points);
  const out = [points[0]];
  let [i, passed] = [0, 0];
  for (let k = 1; k < count - 1; k += 1) {
    const wanted = (total * k) / (count - 1);
    let step = norm(subtract(points[i + 1], points[i]));
    while (passed + step < wanted && i < points.length - 2) {
      passed += step;
      i += 1;
      step = norm(subtract(points[i + 1], points[i]));
    }
    out.push(mix(points[i], points[i + 1], step ? (wanted - passed) / step : 0));
  }
  return [...out, points[points.length - 1]];
}

// The largest distance between two lines, compared at even shares of their lengths
function farthest(a, b) {
  const [p, q] = [evenly(a, 200), evenly(b, 200)];
  return Math.max(...p.map((point, i) => norm(subtract(point, q[i]))));
}
