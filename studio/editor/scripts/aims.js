// Where the cameras of a path look. Every function takes a path and returns a new one; the photo's camera stays.
import { about, AHEAD, curve, isLocked, lookAt, norm, quaternion, subtract, times, UP } from './path.js';

// The same path with its target, if any, written into the orientations of its keys
export function withoutTarget(path) {
  if (!path.target) return path;
  const keys = path.keys.map((key) => ({ ...key, orientation: quaternion(lookAt(key.position, path.target)) }));
  return { ...path, target: null, keys };
}

// aim: {mode, point}. mode: 'point' (all look at it), 'photo' (straight on), 'way' (along the path) or 'free' (each key
// as it is). The photo's camera keeps its view in every mode, so only a point straight ahead of it can be the path's
// target; for any other each key gets an orientation of its own
export function aimed(path, aim) {
  const oriented = (orientation) => ({
    ...path,
    target: null,
    keys: path.keys.map((key, i) => (isLocked(path, i) ? key : { ...key, orientation: orientation(key) })),
  });
  if (aim.mode === 'free') return withoutTarget(path);
  if (aim.mode === 'photo') return oriented(() => AHEAD);
  if (aim.mode === 'way') {
    const at = curve(path);
    return oriented((key) => {
      const heading = subtract(at(key.time + 0.05).position, at(key.time - 0.05).position);
      if (norm(heading) < 1e-6) return key.orientation;
      return about(UP, (-Math.atan2(heading[0], heading[2]) * 180) / Math.PI);
    });
  }
  const looking = oriented((key) => quaternion(lookAt(key.position, aim.point)));
  const isAhead = aim.point[2] > 0 && Math.hypot(aim.point[0], aim.point[1]) < 1e-6 * aim.point[2];
  return isAhead ? { ...looking, target: [0, 0, aim.point[2]] } : looking;
}

// An orientation turned by so many degrees to the left and up
export const turned = (orientation, left, up) => times(times(about(UP, left), orientation), about([1, 0, 0], up));
