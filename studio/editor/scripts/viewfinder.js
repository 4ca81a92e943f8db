// The view through the camera: a click points at something, a drag turns the chosen camera.
import { turning } from './tools.js';
import { drag, draw, make, set, write } from './dom.js';
import { focal, inCamera, isLocked, norm, subtract } from './path.js';

const DIAGONAL = 43.27; // mm of the full frame
const STILL = 4; // pixels: a hand that moves less meant no drag

export class Viewfinder {
  constructor(editor, parent) {
    this.editor = editor;
    const pane = make('div', 'pane eye', parent);
    this.frame = make('div', 'frame', pane);
    this.glass = draw('svg', this.frame, { 'aria-hidden': 'true' });
    this.cross = draw('g', this.glass, { class: 'aim' });
    draw('circle', this.cross, { r: 8 });
    draw('path', this.cross, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });
    editor.words.label(make('span', 'name', pane), 'camera');
    this.facts = make('span', 'hud', pane);
    this.frame.addEventListener('pointerdown', (event) => this.press(event));
  }

  show() {
    const { editor, frame } = this;
    const camera = editor.at(editor.time);
    const { clientWidth: width, clientHeight: height } = frame;
    set(this.glass, 'viewBox', `0 0 ${width} ${height}`);
    let spot = null;
    if (editor.aim.mode === 'point') {
      const [x, y, z] = inCamera(editor.aim.point, camera);
      const pixels = focal(camera.fov) * width;
      if (z > 0) spot = [width / 2 + pixels * (x / z), height / 2 + pixels * (y / z)];
    }
    this.cross.style.display = spot ? '' : 'none';
    if (spot) set(this.cross, 'transform', `translate(${spot.map((part) => part.toFixed(1)).join(' ')})`);
    this.showFacts(camera);
  }

  // Lens, distance to the subject, height
  showFacts({ position, fov }) {
    const { editor } = this;
    const { measures, number } = editor;
    const away = norm(subtract(position, [0, 0, editor.distance]));
    write(this.facts, editor.say(measures.metre ? 'hud_metres' : 'hud', {
      mm: number(mmOf(editor, fov), 0),
      away: measures.prefix + number(away / measures.unit, measures.metre ? 1 : 2),
      height: measures.heightText(position[1]),
    }));
  }

  paint(box, layer) {
    this.editor.backdrop.place.drawFrom(box, this.editor.at(this.editor.time), layer);
  }

  press(event) {
    const { editor, frame } = this;
    if (event.button) return;
    editor.play(false);
    const { left, top, width, height } = frame.getBoundingClientRect();
    if (editor.isPointing) {
      const where = { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
      editor.pointAt(editor.backdrop.place?.pick(where, editor.at(editor.time), width / height));
    } else if (!editor.isDrawn || isLocked(editor.path, editor.chosen)) {
      if (editor.isDrawn) editor.notify(editor.say('turn_hint'));
    } else this.turn(event, width);
  }

  // Drags the picture: the chosen camera turns the other way
  turn(event, width) {
    const { editor } = this;
    editor.time = editor.key.time;
    const turned = turning(editor);
    const perPixel = editor.key.fov / width; // degrees
    let moved = false;
    drag(event, this.frame, (e) => {
      const [dx, dy] = [e.clientX - event.clientX, e.clientY - event.clientY];
      if (!moved && Math.hypot(dx, dy) < STILL) return;
      moved = true;
      editor.propose(turned(dx * perPixel, dy * perPixel));
    }, () => moved && editor.commit());
  }
}

// -- lens lengths, of full frame by the diagonal ---------------------------------------------------------------------

const sizeOf = (editor) => editor.props.place ?? { width: 16, height: 9 };

// Degrees across the width -> mm
export function mmOf(editor, fov) {
  const { width, height } = sizeOf(editor);
  return (focal(fov) * width * DIAGONAL) / Math.hypot(width, height);
}

export function fovAt(editor, mm) {
  const { width, height } = sizeOf(editor);
  return (360 / Math.PI) * Math.atan(0.5 / ((mm * Math.hypot(width, height)) / DIAGONAL / width));
}
