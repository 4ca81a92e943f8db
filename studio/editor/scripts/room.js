// The room with the camera's path in it, seen from above or from around: its pane, and the buttons that change it.
// What is drawn in it, the height of the chosen point and pointers are in modules of their own; each gets this object.
import { draw, make, set } from './dom.js';
import { Drawing } from './drawing.js';
import { Height } from './height.js';
import { pressOnKey, pressOnRoom } from './keyboard.js';
import { Pointers } from './pointers.js';
import { FromAbove, FromAround } from './viewpoints.js';

const VIEWS = ['above', 'around'];
const ZOOM = 1.3;

export class Room {
  constructor(editor, parent) {
    this.editor = editor;
    this.pane = make('div', 'pane above', parent);
    this.map = draw('svg', this.pane, { role: 'group', tabindex: 0 });
    editor.words.label(this.map, 'above_tip', 'aria-label');
    this.viewpoints = { above: new FromAbove(), around: new FromAround() };
    this.viewpoint = this.viewpoints.above;
    this.drawing = new Drawing(this);
    this.pane.addEventListener('contextmenu', (event) => event.preventDefault()); // of a finger that stays down
    this.hint = make('p', 'hint', this.pane);
    this.buildButtons();
    this.height = new Height(this);
    this.pointers = new Pointers(this);
    this.drawing.handles.group.addEventListener('keydown', (event) => pressOnKey(editor, event));
    this.map.addEventListener('keydown', (event) => pressOnRoom(this, event));
  }

  buildButtons() {
    const { editor, pane } = this;
    const modes = make('div', 'modes', pane);
    this.switches = VIEWS.map((key) => {
      return [key, editor.words.button(modes, key, () => this.lookFrom(key))];
    });
    const zoom = make('div', 'zoom', pane);
    const button = (key, change) => editor.words.button(zoom, key, () => {
      change();
      editor.refresh();
    }, { art: key, sign: true });
    button('zoom_in', () => this.zoom(ZOOM));
    button('zoom_out', () => this.zoom(1 / ZOOM));
    button('fit', () => this.fit());
  }

  get isFromAbove() { return this.viewpoint === this.viewpoints.above; }

  // -- where it is seen from ------------------------------------------------------------------------------------------

  lookFrom(key) {
    this.viewpoint = this.viewpoints[key];
    this.editor.root.dataset.view = key;
    this.fit();
    this.editor.refresh();
  }

  // About the middle of the pane
  zoom(factor) {
    const { width, height } = this.viewpoint.box;
    this.viewpoint.zoom(factor, [width / 2, height / 2], this.editor.distance);
  }

  // Shows the whole path and what it looks at
  fit() {
    const { path, aim, distance } = this.editor;
    const points = path.keys.map((key) => key.position);
    this.viewpoint.fit(aim.mode === 'point' ? [...points, aim.point] : points, distance);
  }

  // box: {x, y, width, height}, the pane on the canvas
  resize(box) {
    const isFirst = this.viewpoints.above.box.width <= 1;
    for (const viewpoint of Object.values(this.viewpoints)) viewpoint.box = box;
    this.viewpoints.around.aim();
    if (isFirst) this.fit();
  }

  // -- what is shown --------------------------------------------------------------------------------------------------

  show() {
    const { isDrawn, say, tool } = this.editor;
    this.drawing.show();
    this.height.show();
    for (const [key, part] of this.switches) set(part, 'aria-pressed', this.viewpoint === this.viewpoints[key]);
    this.hint.textContent = tool ? say(`${tool}_hint`) : isDrawn ? '' : say('empty_hint');
    this.hint.hidden = !this.hint.textContent;
  }

  // Only what changes while it plays
  showTime() { this.drawing.showTime(); }

  focus(i) { this.drawing.handles.focus(i); }

  paint(box, layer) {
    const { place } = this.editor.backdrop;
    if (this.isFromAbove) place.drawAbove(box, this.viewpoint, layer);
    else place.drawAround(box, this.viewpoint, layer);
  }
}
