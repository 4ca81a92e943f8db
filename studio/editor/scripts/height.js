// The height of the chosen point: a slider beside the room, because from above it cannot be seen, and in 3D a handle
// over the point.
import { drag, draw, make, set } from './dom.js';
import { change } from './edits.js';
import { round } from './outlines.js';
import { add, isLocked, norm, scale, subtract } from './path.js';

const RANGE = 0.5; // of the subject's distance: what the slider reaches up and down
const STEP = 0.02; // of the subject's distance: what an arrow key moves
const TOP = 56; // pixels: higher up the buttons of the pane would cover the handle
const STILL = 3; // pixels: a hand that moves less meant no drag

export class Height {
  constructor(room) {
    Object.assign(this, { room, editor: room.editor });
    this.buildHandle(room.drawing.lifter);
    this.buildSlider(room.pane);
  }

  buildHandle(lifter) {
    this.handle = lifter;
    this.stalk = draw('path', lifter, { class: 'stalk' });
    this.knob = draw('g', lifter);
    draw('circle', this.knob, { r: 18, class: 'reach' });
    draw('circle', this.knob, { r: 11 });
    draw('path', this.knob, { d: 'M-3.500-2L0-6L3.500-2M-3.500 2L0 6L3.500 2' });
  }

  buildSlider(pane) {
    const { words } = this.editor;
    this.slider = make('div', 'lift', pane);
    this.slider.tabIndex = 0;
    this.slider.setAttribute('role', 'slider');
    this.slider.setAttribute('aria-orientation', 'vertical');
    words.label(this.slider, 'height_of', 'aria-label');
    words.label(this.slider, 'height_tip', 'title');
    this.rail = make('i', 'rail', this.slider);
    make('i', 'level', this.rail);
    this.grip = make('i', 'grip', this.rail);
    this.reading = make('span', '', this.slider);
    this.slider.addEventListener('pointerdown', (event) => this.press(event));
    this.slider.addEventListener('keydown', (event) => this.pressKey(event));
  }

  get isChangeable() { return this.editor.isDrawn && !isLocked(this.editor.path, this.editor.chosen); }

  show() {
    const { editor, slider } = this;
    slider.hidden = !this.isChangeable;
    this.handle.style.display = 'none';
    if (slider.hidden) return;
    const { position } = editor.key;
    const height = -position[1] / editor.distance;
    this.grip.style.top = `${50 - 50 * Math.min(Math.max(height / RANGE, -1), 1)}%`;
    this.reading.textContent = editor.measures.heightText(position[1]);
    set(slider, 'aria-valuemin', (-RANGE).toFixed(2));
    set(slider, 'aria-valuemax', RANGE.toFixed(2));
    set(slider, 'aria-valuenow', height.toFixed(2));
    set(slider, 'aria-valuetext', this.reading.textContent);
    if (!this.room.isFromAbove) this.showHandle(position);
  }

  // Over the point, or under it where it would not fit
  showHandle(position) {
    const { viewpoint } = this.room;
    const over = add(position, [0, -0.1 * this.editor.distance, 0]);
    const [spot, spotOver] = [viewpoint.spotOf(position), viewpoint.spotOf(over)];
    if (!spot || !spotOver) return;
    const up = subtract(spotOver, spot);
    if (norm(up) < 4) return; // seen from straight above
    const stalk = scale(up, 40 / norm(up));
    const end = spot[1] + stalk[1] < TOP ? subtract(spot, stalk) : add(spot, stalk);
    this.handle.style.display = '';
    set(this.stalk, 'd', `M${round(spot)}L${round(end)}`);
    set(this.knob, 'transform', `translate(${round(end)})`);
  }

  // The path with the chosen point at height y of the scene
  at(y, path = this.editor.path) {
    const { chosen } = this.editor;
    const [x, , z] = path.keys[chosen].position;
    return change(path, chosen, { position: [x, this.editor.snapped([0, y, 0])[1], z] });
  }

  // Follows the pointer over the element `on`; perUnit: pixels for one scene unit of height. Returns what stops it
  drag(event, on, perUnit) {
    const { editor } = this;
    const { path } = editor;
    const y = editor.key.position[1];
    let moved = false;
    event.preventDefault();
    return drag(event, on, (e) => {
      const up = event.clientY - e.clientY;
      if (!moved && Math.abs(up) < STILL) return;
      moved = true;
      editor.propose(this.at(y - up / perUnit, path));
    }, () => moved && editor.commit());
  }

  press(event) {
    if (event.button || !this.isChangeable) return;
    this.slider.focus({ preventScroll: true });
    this.drag(event, this.slider, this.rail.clientHeight / (2 * RANGE * this.editor.distance));
  }

  pressKey(event) {
    const { editor } = this;
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
    const step = editor.arrowStep(STEP);
    if (event.key in steps) editor.commit(this.at(editor.key.position[1] - steps[event.key] * step));
    else if (event.key === 'Home') editor.commit(this.at(0));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
