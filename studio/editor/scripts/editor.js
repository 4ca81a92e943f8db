// The trajectory editor: the path that is being edited and what can be done with it. The parts of the page that show it
// and let a hand change it are in modules of their own; each gets this object.
import { aimed } from './aims.js';
import { Backdrop } from './backdrop.js';
import { make } from './dom.js';
import * as edits from './edits.js';
import { Files } from './files.js';
import { Findings } from './findings.js';
import { draft, History } from './history.js';
import { shortcuts } from './keyboard.js';
import { Measures } from './measures.js';
import { Panel } from './panel.js';
import { curve, duration, isLocked } from './path.js';
import { Room } from './room.js';
import { Sync } from './sync.js';
import { Timeline } from './timeline.js';
import { Toolbar } from './toolbar.js';
import * as tools from './tools.js';
import { Viewfinder } from './viewfinder.js';
import { Words } from './words.js';

const GRID = 0.05; // of the subject's distance: between the lines that points snap to
const AHEAD = 0.2; // of the subject's distance: where a new point lies before the last camera
const EYE_LEVEL = 1.6; // metres: where a photo is taken from, unless the visitor says otherwise
const ANY_LENS = 60; // degrees, until the photo's own is known

class Editor {
  constructor(root, props, server) {
    Object.assign(this, { root, props, server, limits: { ...props.limits } });
    this.words = new Words(props);
    this.say = (key, values) => this.words.say(key, values);
    this.number = (value, digits) => this.words.number(value, digits);
    this.measures = new Measures(this);
    this.sync = new Sync(this);
    this.aim = { mode: 'photo' }; // where the cameras look, see aims.js
    this.chosen = 0; // index of the chosen key
    this.time = 0; // seconds: where the preview stands
    this.tool = null; // 'draw', 'look', 'orbit' or none
    this.snap = false;
    this.eyeLevel = EYE_LEVEL;
    this.setPath(edits.still(ANY_LENS));
    this.history = new History(this.state());
    this.build();
  }

  // The parts in their order on the page
  build() {
    const { root } = this;
    root.replaceChildren();
    root.setAttribute('role', 'group');
    this.words.label(root, 'editor', 'aria-label');
    this.toolbar = new Toolbar(this);
    const views = make('div', 'views', root);
    this.backdrop = new Backdrop(this, views);
    this.room = new Room(this, views);
    this.viewfinder = new Viewfinder(this, views);
    this.timeline = new Timeline(this);
    this.panel = new Panel(this);
    this.files = new Files(this);
    this.findings = new Findings(this);
    root.addEventListener('keydown', (event) => shortcuts(this, event));
    const resized = new ResizeObserver(() => this.backdrop.measure());
    for (const part of [this.room.pane, this.viewfinder.frame]) resized.observe(part);
  }

  get distance() { return this.props.place?.distance ?? 1; } // of the subject, in scene units
  get isDrawn() { return this.path.keys.length > 1; }
  get drawn() { return this.isDrawn ? this.path : null; }
  get seconds() { return this.isDrawn ? duration(this.path) : 0; }
  get newSeconds() { return this.props.place?.seconds ?? 4; } // of a new path
  get key() { return this.path.keys[this.chosen]; }
  get isPointing() { return this.tool === 'look' || this.tool === 'orbit'; }
  get player() { return this.timeline.player; }

  // -- the path -------------------------------------------------------------------------------------------------------

  state() {
    return JSON.stringify({ path: this.path, aim: this.aim, eyeLevel: this.eyeLevel });
  }

  setPath(path) {
    this.path = path;
    this.at = curve(path);
    this.chosen = Math.min(this.chosen, path.keys.length - 1);
    this.time = Math.min(this.time, this.seconds);
  }

  // While something is dragged: seen at once, not yet decided. `commit` decides it, `withdraw` takes it back
  propose(path) {
    this.setPath(aimed(path, this.aim));
    this.refresh();
  }

  withdraw() {
    const { path, aim } = JSON.parse(this.history.current);
    this.aim = aim;
    this.setPath(path);
    this.refresh();
  }

  // An edit is done: it can be undone, it is kept as a draft, and the server gets it
  commit(path = this.path) {
    this.setPath(edits.tidy(aimed(path, this.aim), this.limits));
    if (this.history.push(this.state())) this.send();
    else this.refresh();
  }

  send() {
    this.history.keepDraft();
    this.refresh();
    this.sync.send();
  }

  undo() { this.restore(this.history.undo()); }
  redo() { this.restore(this.history.redo()); }

  restore(state) {
    if (!state) return;
    Object.assign(this, { aim: state.aim, eyeLevel: state.eyeLevel });
    this.setPath(edits.withLens(state.path, this.path.keys[0].fov, this.limits));
    this.send();
  }

  // A path from the server: a move of the gallery, a repair, a pasted text
  adopt(path) {
    this.aim = path.target ? { mode: 'point', point: path.target } : { ...this.aim, mode: 'free' };
    this.chooseFirst();
    this.takeTool(null);
    this.setPath(edits.tidy(path, this.limits));
    this.history.push(this.state());
    this.history.future = [];
    this.room.fit();
    this.send();
  }

  snapped(point) {
    const step = GRID * this.distance;
    return this.snap ? point.map((part) => Math.round(part / step) * step) : point;
  }

  // How far an arrow key moves a point that goes by `step` shares of the subject's distance
  arrowStep(step) { return Math.max(step, this.snap ? GRID : 0) * this.distance; }

  // -- the first path of a visit --------------------------------------------------------------------------------------

  // The prop `place` has changed: another photo, or another crop of it
  placeChanged() {
    const { place } = this.props;
    if (!place) return;
    this.root.style.setProperty('--aspect', place.width / place.height);
    this.root.classList.toggle('tall', place.width < place.height);
    const lensed = edits.withLens(this.path, place.fov, this.limits);
    if (this.backdrop.file === null) this.begin(lensed);
    else if (JSON.stringify(lensed) !== JSON.stringify(this.path)) this.commit(lensed);
    this.backdrop.load(place);
  }

  // With the path that Python has, or that of the last visit, or an empty floor and the pencil in hand
  begin(empty) {
    this.setPath(empty);
    this.aim = { mode: 'point', point: [0, 0, this.distance] };
    const { value } = this.props;
    if (value) this.adopt(typeof value === 'string' ? JSON.parse(value) : value);
    else this.restoreDraft(empty.keys[0].fov);
    this.history.current = this.state();
    if (this.isDrawn) this.send();
    else this.takeTool('draw');
  }

  restoreDraft(fov) {
    try {
      const kept = draft();
      if (!kept) return;
      const path = edits.tidy(edits.withLens(kept.path, fov, this.limits), this.limits);
      curve(path)(0.1); // throws where it is no path
      this.aim = kept.aim;
      this.eyeLevel = kept.eyeLevel > 0 ? kept.eyeLevel : EYE_LEVEL;
      this.setPath(path);
      this.notify(this.say('draft'));
    } catch { /* nothing was kept, or nothing that can be read */ }
  }

  // -- choosing, adding, removing -------------------------------------------------------------------------------------

  seek(seconds) {
    this.time = Math.min(Math.max(seconds, 0), this.seconds);
    this.refresh();
  }

  choose(i, focus = true) {
    this.chosen = i;
    this.time = this.path.keys[i].time;
    this.play(false);
    this.refresh();
    if (focus) this.room.focus(i);
  }

  chooseFirst() {
    this.chosen = 0;
    this.time = 0;
  }

  takeTool(tool) {
    this.tool = tool;
    this.refresh();
  }

  // result: of an edit that adds a key, [path, its index]; null where there is no room for one
  commitNewKey(result) {
    if (!result) {
      this.notify(this.say('no_room'));
      return;
    }
    const [path, index] = result;
    this.chosen = index;
    this.commit(path);
    this.time = this.key.time;
    this.refresh();
    requestAnimationFrame(() => this.room.focus(this.chosen));
  }

  // On the path where the preview stands, or ahead of the last camera
  addPoint() {
    const inside = this.isDrawn && edits.insert(this.path, this.time, this.limits);
    if (inside) {
      this.commitNewKey(inside);
      return;
    }
    const { position, rotation } = this.at(this.seconds);
    this.takeTool(null);
    const ahead = position.map((part, row) => part + AHEAD * this.distance * rotation[row][2]);
    this.commitNewKey(edits.append(this.path, ahead, this.newSeconds, this.limits));
  }

  removePoint() {
    if (isLocked(this.path, this.chosen)) return;
    const next = edits.remove(this.path, this.chosen);
    this.chosen = Math.max(0, Math.min(this.chosen - 1, next.keys.length - 1));
    this.commit(next);
    this.choose(this.chosen);
  }

  drawStroke(points) { tools.drawStroke(this, points); }
  pointAt(point) { tools.pointAt(this, point); }
  turnKey(left, up) { this.commit(tools.turning(this)(left, up)); }

  // -- what is shown --------------------------------------------------------------------------------------------------

  play(on) { this.player.play(on); }
  notify(text, fixes) { this.findings.notify(text, fixes); }

  // A finding was clicked: the middle of it, and what can be done about it
  goTo({ begin, end, finding }) {
    this.play(false);
    this.seek((begin + end) / 2);
    this.findings.mark(finding);
  }

  // Everything, at the browser's next picture
  refresh() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.root.dataset.tool = this.tool ?? '';
      for (const part of [this.room, this.viewfinder, this.timeline, this.panel, this.files, this.toolbar]) part.show();
      this.backdrop.paint();
    });
  }

  // Only what changes while it plays
  showTime() {
    this.room.showTime();
    this.timeline.showTime();
    this.viewfinder.show();
    this.backdrop.paint();
  }

  translate() {
    this.words.relabel();
    this.findings.show();
    this.refresh();
  }
}

// Called once per widget. server: what Python and the page around do for the editor, see editor.py
export function open(root, props, watch, server) {
  const editor = new Editor(root, props, server);
  watch('texts', () => editor.translate());
  watch('place', () => editor.placeChanged());
  watch('review', () => editor.sync.reviewed());
  watch('value', () => editor.sync.valueChanged());
  editor.translate();
  editor.placeChanged();
  (window.requestIdleCallback ?? setTimeout)(() => import('./place.js').catch(() => {})); // read before it is needed
}
