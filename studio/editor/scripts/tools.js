// What the tools do: a stroke becomes a path, a click aims the cameras or makes an orbit, a drag turns one camera.
import { aimed, turned } from './aims.js';
import * as edits from './edits.js';
import { norm } from './path.js';
import { orbit, stroke } from './strokes.js';

const SHORTEST = 0.02; // of the subject's distance: a shorter stroke is no path
const TOO_NEAR = 0.15; // of the subject's distance: a camera that passes so close to what it looks at turns round
const ORBIT = 30; // degrees

// points: [x, z], where the pencil went in the view from above
export function drawStroke(editor, points) {
  const { distance, limits } = editor;
  const reach = Math.max(0, ...points.map((point) => norm(point)));
  const drawn = points.length > 2 && reach > SHORTEST * distance
    && stroke(points, editor.newSeconds, editor.path.keys[0].fov);
  if (!drawn) return editor.notify(editor.say('too_short'));
  const { mode, point } = editor.aim;
  const passes = ([x, z]) => Math.hypot(x - point[0], z - point[2]) < TOO_NEAR * distance || z > point[2];
  if (mode === 'point' && points.some(passes)) editor.aim = { ...editor.aim, mode: 'photo' };
  editor.chooseFirst();
  editor.takeTool(null);
  const keys = drawn.keys.map((key) => ({ ...key, position: editor.snapped(key.position) }));
  return editor.commit(edits.calm(aimed({ ...drawn, keys }, editor.aim), distance, limits));
}

// Look at a point or circle it, depending on the tool in hand
export function pointAt(editor, clicked) {
  if (!clicked) return editor.notify(editor.say('nothing_there'));
  const isAhead = Math.hypot(clicked[0], clicked[1]) < 0.02 * Math.abs(clicked[2]);
  const point = isAhead ? [0, 0, clicked[2]] : clicked;
  if (editor.tool === 'orbit') return circle(editor, point);
  editor.aim = { mode: 'point', point };
  editor.takeTool(null);
  return editor.commit();
}

// To the left round what is on the right, so that the camera does not run into it
function circle(editor, point) {
  const { distance, limits } = editor;
  editor.aim = { mode: 'free', point };
  const side = point[0] > 0.1 * distance ? -1 : 1;
  editor.chooseFirst();
  editor.takeTool(null);
  const path = orbit(point, side * ORBIT, editor.newSeconds, editor.path.keys[0].fov);
  return editor.commit(edits.calm(path, distance, limits));
}

// (degrees to the left, up) -> the path with the chosen camera turned from how it looks now; all keys then keep their
// own orientations
export function turning(editor) {
  const free = aimed(editor.path, { mode: 'free' });
  const i = editor.chosen;
  return (left, up) => {
    editor.aim = { ...editor.aim, mode: 'free' };
    return edits.change(free, i, { orientation: turned(free.keys[i].orientation, left, up) });
  };
}
