// What can be done to a path. Every function takes a path and gives a new one; key 0 is the photo's camera and stays.
import {
  about, add, curve, dot, duration, focal, fovOf, inverse, lookAt, matrix, mix, norm, normalise, quaternion, rotate,
  scale, spline, subtract, times,
} from './path.js';

export const MAX_KEYS = 200;
export const MAX_NAME = 40; // letters
export const MAX_SECONDS = 60;
const CALM_SECONDS = 12; // longer than that no new path is made, however long the stroke
const CAP_DEGREES = 3;
const CAP_TRAVEL = 0.04; // of the subject's distance
const GAP = 0.05; // seconds between two keys at least
const AHEAD = [1, 0, 0, 0];
const UP = [0, -1, 0]; // a turn about it by + degrees goes left, by - degrees right

export const still = (fov) => ({
  version: 1,
  closed: false,
  target: null,
  keys: [{ time: 0, position: [0, 0, 0], orientation: AHEAD, roll: 0, fov, ease: 'linear' }],
});

const withKeys = (path, keys) => ({ ...path, keys });
const isLocked = (path, i) => i === 0 || (path.closed && i === path.keys.length - 1);
export { isLocked };

// A name in one line of at most MAX_NAME letters
const cleaned = (name) => [...String(name ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim()]
  .slice(0, MAX_NAME).join('').trim();
const named = (key, name) => {
  const { name: _, ...rest } = key;
  return name ? { ...rest, name } : rest;
};

// Numbers as they travel and render: rounded once, here, so that page and server hold the very same ones
export function tidy(path) {
  const round = (value, digits) => Number(value.toFixed(digits));
  const first = path.keys[0];
  const keys = path.keys.map((key, i) => {
    const name = cleaned(key.name);
    if (i === 0) return named(key, name);
    if (path.closed && i === path.keys.length - 1) {
      return named({ ...first, time: round(key.time, 4), ease: 'linear' }, name);
    }
    return named({
      time: round(key.time, 4),
      position: key.position.map((value) => round(value, 6)),
      orientation: normalise(key.orientation).map((value) => round(value, 9)),
      roll: round(key.roll, 3),
      fov: Math.abs(key.fov - first.fov) < 1e-4 ? first.fov : round(key.fov, 4),
      ease: key.ease,
    }, name);
  });
  return { version: 1, closed: path.closed, target: path.target, keys };
}

// -- one key ---------------------------------------------------------------------------------------------------------

export function change(path, i, fields) {
  return withKeys(path, path.keys.map((key, at) => (at === i ? { ...key, ...fields } : key)));
}

// Between its neighbours; the last key takes the length of the path with it
export function setTime(path, i, seconds) {
  const low = path.keys[i - 1].time + GAP;
  const high = i + 1 < path.keys.length ? path.keys[i + 1].time - GAP : MAX_SECONDS;
  return change(path, i, { time: Math.min(Math.max(seconds, low, i === path.keys.length - 1 ? 0.25 : 0), high) });
}

// A key on the curve at `seconds` -> [path, its index]; null where there is no room
export function insert(path, seconds) {
  const i = path.keys.findIndex((key) => key.time > seconds);
  const tooNear = path.keys.some((key) => Math.abs(key.time - seconds) < GAP);
  if (i < 1 || tooNear || path.keys.length >= MAX_KEYS) return null;
  const { position, turn, roll, fov } = curve(path)(seconds);
  // a soft start or stop stays at its end of the segment; in the middle the camera does not halt
  const { ease } = path.keys[i - 1];
  const [before, after] = { in: ['in', 'linear'], out: ['linear', 'out'], smooth: ['in', 'out'] }[ease] || [ease, ease];
  const key = { time: seconds, position, orientation: quaternion(turn), roll, fov, ease: after };
  const keys = change(path, i - 1, { ease: before }).keys;
  return [withKeys(path, [...keys.slice(0, i), key, ...keys.slice(i)]), i];
}

// A key at `position` after all others (a closed path: before it comes home) -> [path, its index]
export function append(path, position, seconds) {
  const { keys, closed } = path;
  if (keys.length >= MAX_KEYS) return null;
  const end = keys[keys.length - 1];
  if (closed) {
    const before = keys[keys.length - 2];
    const key = named({ ...before, time: (before.time + end.time) / 2, position, ease: 'linear' });
    return [withKeys(path, [...keys.slice(0, -1), key, end]), keys.length - 1];
  }
  const step = keys.length > 1 ? end.time / (keys.length - 1) : seconds;
  const room = end.time + step > MAX_SECONDS ? retime(path, MAX_SECONDS - step).keys : keys;
  const time = room[room.length - 1].time + step;
  return [withKeys(path, [...room, named({ ...end, time, position, ease: 'linear' })]), keys.length];
}

// The same camera once more, a moment later: the clip pauses there
export function duplicate(path, i) {
  const { keys } = path;
  if (keys.length >= MAX_KEYS) return null;
  const last = i === keys.length - 1;
  const pause = last ? Math.min(0.5, MAX_SECONDS - keys[i].time) : Math.min(0.5, (keys[i + 1].time - keys[i].time) / 2);
  if (pause < GAP) return null;
  const copy = named({ ...keys[i], time: keys[i].time + pause });
  const shown = last ? keys : change(path, i, { ease: 'linear' }).keys;
  return [withKeys(path, [...shown.slice(0, i + 1), copy, ...shown.slice(i + 1)]), i + 1];
}

export function remove(path, i) {
  if (isLocked(path, i)) return path;
  const keys = path.keys.filter((_, at) => at !== i);
  // a loop of the photo's camera alone is no loop
  return path.closed && keys.length < 3 ? withKeys({ ...path, closed: false }, keys.slice(0, 1)) : withKeys(path, keys);
}

// -- the whole path --------------------------------------------------------------------------------------------------

export function retime(path, seconds) {
  const factor = seconds / duration(path);
  return withKeys(path, path.keys.map((key) => ({ ...key, time: key.time * factor })));
}

// Not shorter than it is, but long enough to be calm: the caps of pipelines/cameras/moves.py per 4 frames of 16 a second
export function calm(path, distance) {
  const at = curve(path);
  let excess = 0;
  for (let time = 0; time + 0.25 <= duration(path); time += 1 / 16) {
    const [a, b] = [at(time), at(time + 0.25)];
    const chord = norm(subtract(a.rotation.flat(), b.rotation.flat())) / Math.sqrt(8);
    const degrees = (360 / Math.PI) * Math.asin(Math.min(chord, 1));
    excess = Math.max(excess, degrees / CAP_DEGREES, norm(subtract(a.position, b.position)) / (CAP_TRAVEL * distance));
  }
  const halves = Math.ceil(2 * duration(path) * excess * 1.02);
  return excess > 1 ? retime(path, Math.min(halves / 2, CALM_SECONDS)) : path;
}

export function mirror(path) {
  const keys = path.keys.map((key) => {
    const [[x, y, z], [w, a, b, c]] = [key.position, key.orientation];
    return { ...key, position: [0 - x, y, z], orientation: [w, a, 0 - b, 0 - c], roll: 0 - key.roll };
  });
  return { ...path, target: path.target && [0 - path.target[0], ...path.target.slice(1)], keys };
}

// The way back, carried to where the path began: its first camera is again the photo's
export function reverse(path) {
  const { keys } = baked(path);
  const [first, last] = [keys[0], keys[keys.length - 1]];
  const turn = times(first.orientation, inverse(last.orientation));
  const zoom = focal(first.fov) / focal(last.fov);
  const swap = { in: 'out', out: 'in' };
  const way = [...keys].reverse().map((key, i) => {
    const { ease } = keys[keys.length - 2 - i] || key;
    return {
      time: last.time - key.time,
      position: rotate(turn, subtract(key.position, last.position)),
      orientation: times(turn, key.orientation),
      roll: key.roll - last.roll,
      fov: fovOf(focal(key.fov) * zoom),
      ease: swap[ease] || ease,
      name: key.name,
    };
  });
  way[0] = named({ ...first, ease: way[0].ease }, last.name);
  return tidy({ ...path, target: null, keys: way });
}

export function close(path) {
  const { keys } = path;
  if (keys.length < 3 || keys.length >= MAX_KEYS) return null;
  const step = duration(path) / (keys.length - 1);
  const time = duration(path) + step;
  const looped = { ...path, closed: true, keys: [...keys, named({ ...keys[0], time, ease: 'linear' })] };
  return time > MAX_SECONDS ? retime(looped, MAX_SECONDS) : looped;
}

export const open = (path) => ({ ...path, closed: false, keys: path.keys.slice(0, -1) });

// Another lens on the photo (its crop changed): every key keeps its zoom against the photo's camera
export function withLens(path, fov) {
  const zoom = focal(fov) / focal(path.keys[0].fov);
  const keys = path.keys.map((key, i) => ({ ...key, fov: i === 0 ? fov : fovOf(focal(key.fov) * zoom) }));
  return tidy(withKeys(path, keys));
}

// -- where the camera looks ------------------------------------------------------------------------------------------

// A target written into the orientations
function baked(path) {
  if (!path.target) return path;
  const keys = path.keys.map((key) => ({ ...key, orientation: quaternion(lookAt(key.position, path.target)) }));
  return { ...path, target: null, keys };
}

// aim: {mode: 'photo' | 'way' | 'free' | 'point', point}. Key 0 keeps the photo's view in every mode: only a point
// straight ahead of it can be a target for all cameras
export function aimed(path, aim) {
  const turned = (orientation) => ({
    ...path,
    target: null,
    keys: path.keys.map((key, i) => (isLocked(path, i) ? key : { ...key, orientation: orientation(key, i) })),
  });
  if (aim.mode === 'free') return baked(path);
  if (aim.mode === 'photo') return turned(() => AHEAD);
  if (aim.mode === 'way') {
    const at = curve(path);
    return turned((key) => {
      const way = subtract(at(key.time + 0.05).position, at(key.time - 0.05).position);
      return norm(way) < 1e-6 ? key.orientation : about(UP, (-Math.atan2(way[0], way[2]) * 180) / Math.PI);
    });
  }
  const looking = turned((key) => quaternion(lookAt(key.position, aim.point)));
  const ahead = aim.point[2] > 0 && Math.hypot(aim.point[0], aim.point[1]) < 1e-6 * aim.point[2];
  return ahead ? { ...looking, target: [0, 0, aim.point[2]] } : looking;
}

// -- new paths -------------------------------------------------------------------------------------------------------

// A quarter of the way round `point`, which keeps its place in the picture; degrees > 0 goes to the right
export function orbit(point, degrees, seconds, fov) {
  const steps = Math.max(2, Math.ceil(Math.abs(degrees) / 15));
  const pivot = [point[0], 0, point[2]];
  const keys = Array.from({ length: steps + 1 }, (_, i) => {
    const turn = about(UP, (degrees * i) / steps);
    const position = add(rotate(turn, scale(pivot, -1)), pivot);
    return { time: 0, position: i ? position : [0, 0, 0], orientation: i ? turn : AHEAD, roll: 0, fov, ease: 'linear' };
  });
  return softEnds({ ...still(fov), keys }, seconds);
}

// A free stroke in the top view, points [x, z] -> a smooth path of few keys at the photo's height; null if too short.
// As pipelines/cameras/path.py does it: take out the shake of the hand, lay keys at even distances
export function stroke(points, seconds, fov, tolerance = 0.03, maxKeys = 9) {
  const line = [[0, 0, 0], ...points.map(([x, z]) => [x, 0, z])];
  const clean = line.filter((point, i) => i === 0 || norm(subtract(point, line[i - 1])) > 1e-9);
  const length = lengthOf(clean);
  if (clean.length < 2) return null;
  const way = dense(simplified(clean, tolerance * length));
  let positions;
  for (let count = 2; count <= maxKeys; count += 1) {
    positions = evenly(way, count);
    if (farthest(dense(positions), way) <= (tolerance * length) / 2) break;
  }
  const keys = positions.map((position) => ({ time: 0, position, orientation: AHEAD, roll: 0, fov, ease: 'linear' }));
  return softEnds({ ...still(fov), keys }, seconds);
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

const lengthOf = (points) => points.slice(1).reduce((sum, point, i) => sum + norm(subtract(point, points[i])), 0);

// Ramer-Douglas-Peucker
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

function dense(points, steps = 16) {
  const out = [];
  for (let i = 0; i < points.length - 1; i += 1) {
    for (let k = 0; k < steps; k += 1) out.push(spline(points, i, k / steps));
  }
  return [...out, points[points.length - 1]];
}

function evenly(points, count) {
  const total = lengthOf(points);
  const out = [points[0]];
  let [i, gone] = [0, 0];
  for (let k = 1; k < count - 1; k += 1) {
    const wanted = (total * k) / (count - 1);
    let step = norm(subtract(points[i + 1], points[i]));
    while (gone + step < wanted && i < points.length - 2) {
      gone += step;
      i += 1;
      step = norm(subtract(points[i + 1], points[i]));
    }
    out.push(mix(points[i], points[i + 1], step ? (wanted - gone) / step : 0));
  }
  return [...out, points[points.length - 1]];
}

function farthest(a, b) {
  const [p, q] = [evenly(a, 200), evenly(b, 200)];
  return Math.max(...p.map((point, i) => norm(subtract(point, q[i]))));
}
