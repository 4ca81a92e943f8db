// What a hand does in the room while it is pressed. Every function follows the pointer until it lets go, and returns a
// function that stops following it before.
import { drag } from './dom.js';
import { change } from './edits.js';
import { round } from './outlines.js';
import { add, norm, subtract } from './path.js';

const STILL = 3; // pixels: a hand that moves less meant no drag
const ON_CAMERA = 24; // pixels: a stroke that begins so close to the camera was meant to begin at it

// Moves a key over its level; with shift the hand lifts and lowers it
export function moveKey(pointers, event, i) {
  const { editor, room } = pointers;
  const { viewpoint } = room;
  const { path } = editor;
  const spot = pointers.spotOf(event);
  const from = path.keys[i].position;
  const held = viewpoint.pointAt(spot, from[1]) ?? from;
  let moved = false;
  return drag(event, room.map, (e) => {
    const now = pointers.spotOf(e);
    if (!moved && Math.hypot(now[0] - spot[0], now[1] - spot[1]) < STILL) return;
    moved = true;
    if (e.shiftKey) {
      editor.propose(room.height.at(from[1] + (now[1] - spot[1]) / viewpoint.scaleAt(from), path));
      return;
    }
    const point = viewpoint.pointAt(now, from[1]);
    if (point) editor.propose(change(path, i, { position: editor.snapped(add(from, subtract(point, held))) }));
  }, () => moved && editor.commit());
}

// Moves what all cameras look at over its level
export function moveAim(pointers, event) {
  const { editor, room } = pointers;
  return drag(event, room.map, (e) => {
    const point = room.viewpoint.pointAt(pointers.spotOf(e), editor.aim.point[1]);
    if (!point) return;
    editor.aim = { mode: 'point', point: editor.snapped(point) };
    editor.propose(editor.path);
  }, () => editor.commit());
}

export function turnView(pointers, event) {
  const { editor, room } = pointers;
  const { viewpoint } = room;
  const spot = pointers.spotOf(event);
  const from = { ...viewpoint };
  return drag(event, room.map, (e) => {
    const now = pointers.spotOf(e);
    viewpoint.turn(from, now[0] - spot[0], now[1] - spot[1]);
    editor.refresh();
  });
}

// Two fingers move the room and zoom
export function pinch(pointers, event) {
  const { editor, room, fingers } = pointers;
  const { viewpoint } = room;
  const grip = () => {
    const [[ax, ay], [bx, by]] = [...fingers.values()];
    return { size: Math.max(Math.hypot(ax - bx, ay - by), 1), x: (ax + bx) / 2, y: (ay + by) / 2 };
  };
  let before = grip();
  const follow = () => {
    if (fingers.size !== 2) return;
    const now = grip();
    viewpoint.zoom(now.size / before.size, [now.x, now.y], editor.distance);
    viewpoint.slide({ ...viewpoint }, now.x - before.x, now.y - before.y);
    before = now;
    editor.refresh();
  };
  const other = [...fingers.keys()].find((id) => id !== event.pointerId);
  const stops = [drag(event, room.map, follow), drag({ pointerId: other }, room.map, follow)];
  return () => stops.forEach((stop) => stop());
}

// Draws a new path
export function sketch(pointers, event) {
  const { editor, room } = pointers;
  const { viewpoint, drawing } = room;
  const points = []; // [x, z]
  const show = (spots) => drawing.stroke.setAttribute('points', spots.map(round).join(' '));
  const collect = (e) => {
    const point = viewpoint.pointAt(pointers.spotOf(e));
    if (point) points.push([point[0], point[2]]);
  };
  collect(event);
  const stop = drag(event, room.map, (e) => {
    for (const part of e.getCoalescedEvents?.() ?? [e]) collect(part);
    show([[0, 0], ...points].map(([x, z]) => viewpoint.spotOf([x, 0, z])).filter(Boolean));
  }, (e) => {
    show([]);
    const isFromCamera = points.length && norm(points[0]) * viewpoint.scaleAt([0, 0, 0]) < ON_CAMERA;
    const drawn = isFromCamera ? fromOrigin(points) : points;
    editor.drawStroke(e.type === 'pointercancel' ? [] : drawn);
  });
  return () => {
    stop();
    show([]);
  };
}

// The stroke bent so that it begins at the camera, which was hardly pressed in its very middle: no hook there
function fromOrigin(points) {
  const [x, z] = points[0];
  return points.map((point, i) => {
    const share = 1 - i / (points.length - 1);
    return [point[0] - x * share, point[1] - z * share];
  });
}
