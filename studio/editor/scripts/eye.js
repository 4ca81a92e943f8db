// The view through the camera: a click points at something, a drag turns the chosen camera.
import * as edits from './edits.js';
import { drag, draw, make, set, write } from './page.js';
import { focal, norm, subtract } from './path.js';

const DIAGONAL = 43.27; // mm of the full frame

export function eye(ed, views) {
  const { speech, say, number } = ed;
  const pane = make('div', 'pane eye', views);
  const frame = make('div', 'frame', pane);
  const glass = draw('svg', frame, { 'aria-hidden': 'true' });
  const cross = draw('g', glass, { class: 'aim' });
  draw('circle', cross, { r: 8 });
  draw('path', cross, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });
  speech.name(make('span', 'name', pane), 'camera');
  const hud = make('span', 'hud', pane);

  function show() {
    const { position, rotation, fov } = ed.at(ed.time);
    const { clientWidth: width, clientHeight: height } = frame;
    set(glass, 'viewBox', `0 0 ${width} ${height}`);
    let spot = null;
    if (ed.aim.mode === 'point') {
      const off = subtract(ed.aim.point, position);
      const [x, y, z] = [0, 1, 2].map((i) => off.reduce((sum, part, row) => sum + part * rotation[row][i], 0));
      if (z > 0) spot = [width / 2 + focal(fov) * width * (x / z), height / 2 + focal(fov) * width * (y / z)];
    }
    cross.style.display = spot ? '' : 'none';
    if (spot) set(cross, 'transform', `translate(${spot.map((part) => part.toFixed(1)).join(' ')})`);
    const away = norm(subtract(position, [0, 0, ed.D]));
    write(hud, say(ed.metre ? 'hud_metres' : 'hud', {
      mm: number(mmOf(ed, fov), 0), away: ed.about + number(away / (ed.metre ?? ed.D), ed.metre ? 1 : 2),
      height: ed.heightWords(position[1]),
    }));
  }

  frame.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    ed.play(false);
    const { left, top, width, height } = frame.getBoundingClientRect();
    if (ed.tool === 'look' || ed.tool === 'orbit') {
      const where = { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
      ed.pointAt(ed.world?.pick(where, ed.at(ed.time), width / height));
      return;
    }
    if (!ed.isDrawn || edits.isLocked(ed.path, ed.chosen)) {
      if (ed.isDrawn) ed.notify(say('turn_hint'));
      return;
    }
    ed.time = ed.key.time;
    const turn = ed.turning();
    const perPixel = ed.key.fov / width;
    let moved = false;
    drag(event, frame, (e) => {
      const [dx, dy] = [e.clientX - event.clientX, e.clientY - event.clientY];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      moved = true;
      ed.shape(turn(dx * perPixel, dy * perPixel));
    }, () => moved && ed.commit());
  });

  return { frame, show, paint: (box, layer) => ed.world.drawFrom(box, ed.at(ed.time), layer) };
}

// Lens lengths are of full frame, by the diagonal
const shapeOf = (ed) => ed.props.place ?? { width: 16, height: 9 };

export function mmOf(ed, fov) {
  const { width, height } = shapeOf(ed);
  return (focal(fov) * width * DIAGONAL) / Math.hypot(width, height);
}

export function fovAt(ed, mm) {
  const { width, height } = shapeOf(ed);
  return (360 / Math.PI) * Math.atan(0.5 / ((mm * Math.hypot(width, height)) / DIAGONAL / width));
}
