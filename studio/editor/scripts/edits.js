// What can be done to a path. Every function takes a path and returns a new one; key 0 is the photo's camera and stays.
// limits: the numbers that Python serves, see studio/editor/editor.py.
import { withoutTarget } from './aims.js';
import {
  AHEAD, curve, duration, focal, fovOf, inverse, isLocked, norm, normalise, quaternion, rotate, subtract, times,
} from './path.js';

const GAP = 0.05; // seconds between two keys at least
const PAUSE = 0.5; // seconds that a doubled key waits
const QUARTER = 1 / 4; // of a second: the speed limits say how far a camera may go in it
const LONGEST_CALM = 12; // seconds: a new path gets no longer than that, however long the stroke

export const still = (fov) => ({
  version: 1,
  closed: false,
  target: null,
  keys: [{ time: 0, position: [0, 0, 0], orientation: AHEAD, roll: 0, fov, ease: 'linear' }],
});

const withKeys = (path, keys) => ({ ...path, keys });

// The key under this name, or without any
function named(key, name) {
  const { name: _, ...rest } = key;
  return name ? { ...rest, name } : rest;
}

// A name on one line of at most so many letters
const cleanName = (name, letters) => [...String(name ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim()]
  .slice(0, letters).join('').trim();

// Numbers as they travel and render: rounded once, here, so that page and server hold the very same ones
export function tidy(path, limits) {
  const round = (value, digits) => Number(value.toFixed(digits));
  const first = path.keys[0];
  const keys = path.keys.map((key, i) => {
    const name = cleanName(key.name, limits.name_letters);
    if (i === 0) return named(key, name);
    if (isLocked(path, i)) return named({ ...first, time: round(key.time, 4), ease: 'linear' }, name);
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

// Between its neighbours; moving the last key changes the length of the path
export function setTime(path, i, seconds, limits) {
  const [shortest, longest] = limits.seconds;
  const isLast = i === path.keys.length - 1;
  const low = path.keys[i - 1].time + GAP;
  const high = isLast ? longest : path.keys[i + 1].time - GAP;
  return change(path, i, { time: Math.min(Math.max(seconds, low, isLast ? shortest : 0), high) });
}

// A key on the curve at `seconds` -> [path, its index]; null where there is no room
export function insert(path, seconds, limits) {
  const i = path.keys.findIndex((key) => key.time > seconds);
  const isTooNear = path.keys.some((key) => Math.abs(key.time - seconds) < GAP);
  if (i < 1 || isTooNear || path.keys.length >= limits.keys) return null;
  const { position, turn, roll, fov } = curve(path)(seconds);
  // a soft start or stop stays at its end of the segment: the camera does not halt in the middle
  const { ease } = path.keys[i - 1];
  const [before, after] = { in: ['in', 'linear'], out: ['linear', 'out'], smooth: ['in', 'out'] }[ease] || [ease, ease];
  const key = { time: seconds, position, orientation: quaternion(turn), roll, fov, ease: after };
  const keys = change(path, i - 1, { ease: before }).keys;
  return [withKeys(path, [...keys.slice(0, i), key, ...keys.slice(i)]), i];
}

// A key at `position` after all others (in a loop before the last, which is the first again) -> [path, its index]
export function append(path, position, seconds, limits) {
  const { keys, closed } = path;
  if (keys.length >= limits.keys) return null;
  const end = keys[keys.length - 1];
  if (closed) {
    const before = keys[keys.length - 2];
    const key = named({ ...before, time: (before.time + end.time) / 2, position, ease: 'linear' });
    return [withKeys(path, [...keys.slice(0, -1), key, end]), keys.length - 1];
  }
  const longest = limits.seconds[1];
  const step = keys.length > 1 ? end.time / (keys.length - 1) : seconds;
  const earlier = end.time + step > longest ? retime(path, longest - step).keys : keys;
  const time = earlier[earlier.length - 1].time + step;
  return [withKeys(path, [...earlier, named({ ...end, time, position, ease: 'linear' })]), keys.length];
}

// The same camera once more, a moment later: the clip pauses there
export function duplicate(path, i, limits) {
  const { keys } = path;
  if (keys.length >= limits.keys) return null;
  const isLast = i === keys.length - 1;
  const free = isLast ? limits.seconds[1] - keys[i].time : (keys[i + 1].time - keys[i].time) / 2;
  const pause = Math.min(PAUSE, free);
  if (pause < GAP) return null;
  const copy = named({ ...keys[i], time: keys[i].time + pause });
  const shown = isLast ? keys : change(path, i, { ease: 'linear' }).keys;
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

// The path, made longer where it is faster than the limits allow, see pipelines/limits.py. distance: of the subject
export function calm(path, distance, limits) {
  const at = curve(path);
  let excess = 0;
  for (let time = 0; time + QUARTER <= duration(path); time += 1 / limits.fps) {
    const [a, b] = [at(time), at(time + QUARTER)];
    const chord = norm(subtract(a.rotation.flat(), b.rotation.flat())) / Math.sqrt(8);
    const degrees = (360 / Math.PI) * Math.asin(Math.min(chord, 1));
    const travel = norm(subtract(a.position, b.position));
    excess = Math.max(excess, degrees / limits.turn_degrees, travel / (limits.travel * distance));
  }
  const halves = Math.ceil(2 * duration(path) * excess * limits.slack);
  return excess > 1 ? retime(path, Math.min(halves / 2, LONGEST_CALM)) : path;
}

export function mirror(path) {
  const keys = path.keys.map((key) => {
    const [[x, y, z], [w, a, b, c]] = [key.position, key.orientation];
    return { ...key, position: [0 - x, y, z], orientation: [w, a, 0 - b, 0 - c], roll: 0 - key.roll };
  });
  return { ...path, target: path.target && [0 - path.target[0], ...path.target.slice(1)], keys };
}

// The path backwards, moved so that its new first camera is again the photo's
export function reverse(path, limits) {
  const { keys } = withoutTarget(path);
  const [first, last] = [keys[0], keys[keys.length - 1]];
  const turn = times(first.orientation, inverse(last.orientation));
  const zoom = focal(first.fov) / focal(last.fov);
  const swapped = { in: 'out', out: 'in' };
  const backwards = [...keys].reverse().map((key, i) => {
    const { ease } = keys[keys.length - 2 - i] || key;
    return {
      time: last.time - key.time,
      position: rotate(turn, subtract(key.position, last.position)),
      orientation: times(turn, key.orientation),
      roll: key.roll - last.roll,
      fov: fovOf(focal(key.fov) * zoom),
      ease: swapped[ease] || ease,
      name: key.name,
    };
  });
  backwards[0] = named({ ...first, ease: backwards[0].ease }, last.name);
  return tidy({ ...path, target: null, keys: backwards }, limits);
}

export function close(path, limits) {
  const { keys } = path;
  if (keys.length < 3 || keys.length >= limits.keys) return null;
  const longest = limits.seconds[1];
  const time = duration(path) + duration(path) / (keys.length - 1);
  const looped = { ...path, closed: true, keys: [...keys, named({ ...keys[0], time, ease: 'linear' })] };
  return time > longest ? retime(looped, longest) : looped;
}

export const open = (path) => ({ ...path, closed: false, keys: path.keys.slice(0, -1) });

// The path on another crop of the photo: every key keeps its zoom against the photo's camera
export function withLens(path, fov, limits) {
  const zoom = focal(fov) / focal(path.keys[0].fov);
  const keys = path.keys.map((key, i) => ({ ...key, fov: i === 0 ? fov : fovOf(focal(key.fov) * zoom) }));
  return tidy(withKeys(path, keys), limits);
}
