// The trajectory editor: the path that is edited, its history and its draft. What shows it, and the hands that move it,
// are in the modules below; each gets this object.
import * as edits from './edits.js';
import { eye } from './eye.js';
import { files } from './files.js';
import { make, set, Speech } from './page.js';
import { panel } from './panel.js';
import { curve, duration, norm, numFrames } from './path.js';
import { room, turned } from './room.js';
import { track } from './track.js';

const DRAFT = 'mirage-studio-path';
const MAX_UNDO = 200;
const GRID = 0.05; // of the subject's distance
const EYE_LEVEL = 1.6; // metres: where a photo is taken from, unless one says otherwise
const COARSE = 3; // a machine without a graphics card begins with every third pixel while something moves
const REST = 300; // ms without a movement until everything is drawn fine

class Editor {
  constructor(root, props, tell) {
    Object.assign(this, { root, props, tell, speech: new Speech(props), grid: GRID });
    this.say = (key, values) => this.speech.say(key, values);
    this.number = (value, digits) => this.speech.number(value, digits);
    this.aim = { mode: 'photo' };
    this.chosen = 0;
    this.time = 0;
    this.tool = null;
    this.snap = false;
    this.eyeLevel = EYE_LEVEL;
    this.past = [];
    this.future = [];
    this.sent = null; // the path as the server last heard or said it
    this.review = {}; // what the server last said about it
    this.flaws = []; // its findings, one entry per run of frames: {begin, end, words, finding}
    this.world = null;
    this.shown = null;
    this.pending = null;
    this.put(edits.still(60));
    this.settled = this.state(); // what undo comes back to
    this.build();
  }

  // -- what is edited -------------------------------------------------------------------------------------------------

  get D() { return this.props.place?.distance ?? 1; }
  get seconds() { return this.isDrawn ? duration(this.path) : 0; }
  get isDrawn() { return this.path.keys.length > 1; }
  get key() { return this.path.keys[this.chosen]; }
  get value() { return this.isDrawn ? this.path : null; }
  get newSeconds() { return this.props.place?.seconds ?? 4; }
  get area() { return this.files.area; }

  state() {
    return JSON.stringify({ path: this.path, aim: this.aim, eyeLevel: this.eyeLevel });
  }

  put(next) {
    this.path = next;
    this.at = curve(next);
    this.chosen = Math.min(this.chosen, next.keys.length - 1);
    this.time = Math.min(this.time, this.seconds);
  }

  // While something is dragged: seen at once, not yet decided
  shape(next) {
    this.put(edits.aimed(next, this.aim));
    this.refresh();
  }

  // What was shaped is not decided after all
  letGo() {
    const { path, aim } = JSON.parse(this.settled);
    this.aim = aim;
    this.put(path);
    this.refresh();
  }

  // An edit is done: it can be undone, it is kept as a draft, and the server hears of it
  commit(next = this.path) {
    this.put(edits.tidy(edits.aimed(next, this.aim)));
    const now = this.state();
    if (now === this.settled) return this.refresh();
    this.past = [...this.past.slice(-MAX_UNDO), this.settled];
    this.future = [];
    this.settled = now;
    return this.hand();
  }

  hand() {
    try {
      localStorage.setItem(DRAFT, this.settled);
    } catch { /* a browser that keeps nothing still edits */ }
    this.refresh();
    const json = this.isDrawn ? JSON.stringify(this.path) : null;
    if (json === this.sent) return;
    this.sent = json;
    this.root.dataset.state = 'sent';
    if (json) this.askAtOnce(json);
    else this.hearReview({});
    this.props.value = json; // as text: Gradio copies a value many times, and an object piece by piece
    this.tell.edited();
  }

  // What takes no look at the place comes back at once; the rest stands until the thorough review has its turn
  async askAtOnce(json) {
    const answer = await this.tell.hear(json).catch(() => null); // the thorough review says the same
    if (!answer || json !== this.sent || this.root.dataset.state !== 'sent') return; // there is something newer
    this.root.dataset.state = 'heard';
    const { kinds = [], findings = [], notice } = answer;
    const kept = (this.review.findings ?? []).filter(({ kind }) => kind && !kinds.includes(kind));
    this.hearReview({ coverage: this.review.coverage, findings: [...findings, ...kept], notice });
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.settled);
    this.settled = from.pop();
    const { path, aim, eyeLevel } = JSON.parse(this.settled);
    Object.assign(this, { aim, eyeLevel });
    this.put(edits.withLens(path, this.path.keys[0].fov));
    this.hand();
  }

  undo() { this.travel(this.past, this.future); }
  redo() { this.travel(this.future, this.past); }

  snapped(place) {
    const step = GRID * this.D;
    return this.snap ? place.map((part) => Math.round(part / step) * step) : place;
  }

  // -- measures: metres where they are known, else shares of the way to the subject --------------------------------------

  // Scene units in a metre, or null
  get metre() {
    const { metric, floor } = this.props.place ?? {};
    return metric ? 1 : floor ? floor / this.eyeLevel : null;
  }

  // What stands before metres that follow from an assumed eye level
  get about() { return this.metre && !this.props.place.metric ? '≈ ' : ''; }

  // Height above the floor, where that is known, else above where the photo was taken <-> y in the scene
  heightOf(y) { return ((this.props.place?.floor ?? 0) - y) / (this.metre ?? this.D); }
  yAt(height) { return (this.props.place?.floor ?? 0) - height * (this.metre ?? this.D); }

  heightWords(y) {
    const height = this.heightOf(y);
    if (this.metre) return `${this.about}${this.say('metres', { number: this.number(height, 2) })}`;
    return `${height > 5e-3 ? '+' : ''}${this.number(height, 2)} ×`;
  }

  // -- choosing, adding, removing -------------------------------------------------------------------------------------

  seek(to) {
    this.time = Math.min(Math.max(to, 0), this.seconds);
    this.refresh();
  }

  choose(i, focus = true) {
    this.chosen = i;
    this.time = this.path.keys[i].time;
    this.play(false);
    this.refresh();
    if (focus) this.room.focus(i);
  }

  // The result of an edit that chooses another key: [path, its index], or null where there is no room
  lay(result) {
    if (!result) return this.notify(this.say('no_room'));
    [, this.chosen] = result;
    this.commit(result[0]);
    this.time = this.key.time;
    this.refresh();
    return requestAnimationFrame(() => this.room.focus(this.chosen));
  }

  addPoint() {
    const inside = this.isDrawn && edits.insert(this.path, this.time);
    if (inside) return this.lay(inside);
    const { position, rotation } = this.at(this.seconds);
    this.take(null);
    const ahead = position.map((part, row) => part + 0.2 * this.D * rotation[row][2]);
    return this.lay(edits.append(this.path, ahead, this.newSeconds));
  }

  removeKey() {
    if (edits.isLocked(this.path, this.chosen)) return;
    const next = edits.remove(this.path, this.chosen);
    this.chosen = Math.max(0, Math.min(this.chosen - 1, next.keys.length - 1));
    this.commit(next);
    this.choose(this.chosen);
  }

  take(tool) {
    this.tool = tool;
    this.refresh();
  }

  // A finding was clicked: where it begins, and what can be done about it
  goTo({ begin, end, finding }) {
    this.play(false);
    this.seek((begin + end) / 2);
    this.track.point(finding);
  }

  // -- strokes, aims, turns -------------------------------------------------------------------------------------------

  // points: [x, z] on the way of the pencil
  drawStroke(points) {
    const far = Math.max(0, ...points.map((point) => norm(point)));
    const drawn = points.length > 2 && far > 0.02 * this.D
      && edits.stroke(points, this.newSeconds, this.path.keys[0].fov);
    if (!drawn) return this.notify(this.say('too_short'));
    const { mode, point } = this.aim;
    if (mode === 'point' && points.some(([x, z]) => Math.hypot(x - point[0], z - point[2]) < 0.15 * this.D
      || z > point[2])) {
      this.aim = { ...this.aim, mode: 'photo' }; // a camera that runs past what it looks at would turn round
    }
    [this.chosen, this.time] = [0, 0];
    this.take(null);
    const laid = { ...drawn, keys: drawn.keys.map((key) => ({ ...key, position: this.snapped(key.position) })) };
    return this.commit(edits.calm(edits.aimed(laid, this.aim), this.D));
  }

  // Look at a place or circle it, whatever tool is in hand
  pointAt(place) {
    if (!place) return this.notify(this.say('nothing_there'));
    const isAhead = Math.hypot(place[0], place[1]) < 0.02 * Math.abs(place[2]);
    const point = isAhead ? [0, 0, place[2]] : place;
    if (this.tool === 'orbit') {
      this.aim = { mode: 'free', point };
      const side = point[0] > 0.1 * this.D ? -1 : 1;
      [this.chosen, this.time] = [0, 0];
      this.take(null);
      return this.commit(edits.calm(edits.orbit(point, side * 30, this.newSeconds, this.path.keys[0].fov), this.D));
    }
    this.aim = { mode: 'point', point };
    this.take(null);
    return this.commit();
  }

  // The chosen camera as it looks now -> (degrees left, up) -> the path with it turned; all then look as they say
  turning() {
    const free = edits.aimed(this.path, { mode: 'free' });
    const i = this.chosen;
    return (left, up) => {
      this.aim = { ...this.aim, mode: 'free' };
      return edits.change(free, i, { orientation: turned(free.keys[i].orientation, left, up) });
    };
  }

  turnKey(left, up) {
    this.commit(this.turning()(left, up));
  }

  // -- the page -------------------------------------------------------------------------------------------------------

  build() {
    const { root, speech } = this;
    root.replaceChildren();
    root.setAttribute('role', 'group');
    speech.name(root, 'editor', 'aria-label');
    this.buildBar();
    this.views = make('div', 'views', root);
    this.canvas = make('canvas', '', this.views);
    this.room = room(this, this.views);
    this.eye = eye(this, this.views);
    this.track = track(this);
    this.panel = panel(this);
    this.files = files(this);
    root.append(root.querySelector('.health')); // what is to be said stands last
    root.addEventListener('keydown', (event) => this.shortcut(event));
    this.resized = new ResizeObserver(() => this.measure());
    for (const part of [this.room.pane, this.eye.frame]) this.resized.observe(part);
  }

  buildBar() {
    const { root, speech } = this;
    const bar = make('div', 'bar', root);
    bar.setAttribute('role', 'toolbar');
    speech.name(bar, 'tools', 'aria-label');
    const tools = ['draw', 'look', 'orbit'].map((key) => {
      return [key, speech.button(bar, key, () => this.take(this.tool === key ? null : key), { art: key })];
    });
    const adder = speech.button(bar, 'add', () => this.addPoint(), { art: 'add' });
    make('i', 'gap', bar);
    const undo = speech.button(bar, 'undo', () => this.undo(), { art: 'undo', kind: 'bare', sign: true });
    const redo = speech.button(bar, 'redo', () => this.redo(), { art: 'redo', kind: 'bare', sign: true });

    const more = make('details', 'more', bar);
    speech.name(make('summary', '', more), 'more');
    const menu = make('div', 'menu', more);
    const item = (key, run) => speech.button(menu, key, () => {
      more.open = false;
      run();
    });
    const closer = item('close', () => {
      const next = this.path.closed ? edits.open(this.path) : edits.close(this.path);
      if (next) this.commit(next);
    });
    const whole = [
      item('reverse', () => {
        const next = edits.reverse(this.path);
        this.aim = next.target ? this.aim : { mode: 'free' };
        this.commit(next);
      }),
      item('mirror', () => {
        const { point } = this.aim;
        if (point) this.aim = { ...this.aim, point: [-point[0], point[1], point[2]] };
        this.commit(edits.mirror(this.path));
      }),
    ];
    const snapper = item('snap', () => {
      this.snap = !this.snap;
      this.refresh();
    });
    item('as_text', () => this.files.toggleText());
    item('open_file', () => this.files.choose());
    whole.push(item('save_file', () => this.files.toggleSaver()));
    item('photo', () => document.querySelector('.stage input[type=file]')?.click());
    whole.push(item('anew', () => {
      [this.chosen, this.time] = [0, 0];
      this.aim = { mode: 'point', point: [0, 0, this.D] };
      this.take('draw');
      this.commit(edits.still(this.path.keys[0].fov));
    }));
    more.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !more.contains(event.relatedTarget)) more.open = false;
    });
    document.addEventListener('pointerdown', (event) => {
      if (!more.contains(event.target)) more.open = false;
    });

    this.closeMenu = () => {
      const was = more.open;
      more.open = false;
      return was;
    };
    this.showBar = () => {
      for (const [key, part] of tools) set(part, 'aria-pressed', this.tool === key);
      adder.disabled = this.path.keys.length >= edits.MAX_KEYS;
      for (const part of whole) part.disabled = !this.isDrawn;
      closer.disabled = !this.path.closed && this.path.keys.length < 3;
      closer.firstChild.textContent = this.say(this.path.closed ? 'unclose' : 'close');
      set(snapper, 'aria-pressed', this.snap);
      undo.disabled = !this.past.length;
      redo.disabled = !this.future.length;
    };
  }

  shortcut(event) {
    const isTyping = event.target.closest('input, textarea, select');
    const undoes = (event.ctrlKey || event.metaKey) && event.target !== this.area;
    if (undoes && event.key.toLowerCase() === 'z') this[event.shiftKey ? 'redo' : 'undo']();
    else if (undoes && event.key.toLowerCase() === 'y') this.redo();
    else if (event.key === ' ' && !isTyping && !event.target.closest('button, summary')) this.play();
    else if (event.key === 'Escape' && (this.closeMenu() || this.tool)) this.take(null);
    else return;
    event.preventDefault();
  }

  play(on) { this.track?.play(on); }
  notify(words, fixes) { this.track.notify(words, fixes); }

  refresh() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.root.dataset.tool = this.tool ?? '';
      for (const part of [this.room, this.eye, this.track, this.panel, this.files]) part.show();
      this.showBar();
      this.paint();
    });
  }

  // What changes while it plays
  showNow() {
    for (const part of [this.room, this.track]) part.showNow();
    this.eye.show();
    this.paint();
  }

  words() {
    this.speech.again();
    this.track.review();
    this.refresh();
  }

  // {coverage, findings, notice, fixes} of the path as the server has it
  hearReview(said) {
    this.review = said;
    this.flaws = (this.isDrawn ? said.findings ?? [] : []).flatMap(({ spans = [], words }, finding) => (
      spans.map(([begin, end]) => ({ begin, end: Math.min(end, this.seconds), words, finding }))));
    this.track.review();
    if (said.notice) this.notify(said.notice, said.fixes);
    this.refresh();
  }

  // -- the place ------------------------------------------------------------------------------------------------------

  boxes() {
    const whole = this.views.getBoundingClientRect();
    const inside = (part) => {
      const { left, top, width, height } = part.getBoundingClientRect();
      return { x: left - whole.left, y: top - whole.top, width, height };
    };
    return whole.width ? { room: inside(this.room.pane), eye: inside(this.eye.frame) } : null;
  }

  measure() {
    this.held = this.boxes();
    if (!this.held) {
      this.wasOpen = false;
      return;
    }
    this.room.resize(this.held.room);
    this.refresh();
    // a phone shows the cards and the editor on different screens
    const { top } = this.root.getBoundingClientRect();
    if (!this.wasOpen && (top < 0 || top > 0.6 * innerHeight)) this.root.scrollIntoView({ behavior: 'smooth' });
    this.wasOpen = true;
  }

  // On a machine without a graphics card the room is coarse while something moves, and fine a moment later
  paint(isAtRest = false) {
    if (!this.held || !this.world) return;
    clearTimeout(this.rest);
    if (!isAtRest) this.rest = setTimeout(() => this.track.isPlaying() || this.paint(true), REST);
    this.world.fit();
    const layer = this.world.layer(isAtRest ? 1 : this.world.quick);
    this.eye.paint(this.held.eye, layer);
    this.room.paint(this.held.room, layer);
    this.root.dataset.painted = this.shown;
  }

  async enter() {
    const { place } = this.props;
    if (!place) return;
    this.root.style.setProperty('--aspect', place.width / place.height);
    this.root.classList.toggle('tall', place.width < place.height);
    const lensed = edits.withLens(this.path, place.fov);
    if (this.shown === null) this.begin(lensed);
    else if (JSON.stringify(lensed) !== JSON.stringify(this.path)) this.commit(lensed);
    const { file } = place;
    if (file === this.shown) return; // told again: what is shown stays as the hand has turned it
    this.shown ??= '';
    try {
      const [{ Place, parse }, answer] = await Promise.all([
        import('./place.js'), fetch(new URL(`gradio_api/file=${encodeURI(file)}`, document.baseURI)),
      ]);
      if (!answer.ok) throw new Error(answer.status);
      const pixels = parse(await answer.arrayBuffer());
      if (this.props.place.file !== file) return; // another one was asked for meanwhile
      this.world ??= new Place(this.canvas, COARSE);
      this.world.show(pixels, place.distance);
      this.shown = file;
    } catch (error) {
      console.error(error);
      this.notify(this.say('no_place')); // no WebGL, or no file: the path can still be drawn
    }
    this.room.fit();
    this.refresh();
  }

  // The first place of this visit: the path of the last visit, or an empty floor and the pencil in hand
  begin(empty) {
    this.put(empty);
    this.aim = { mode: 'point', point: [0, 0, this.D] };
    if (this.props.value) this.adopt(this.given());
    else {
      try {
        const draft = JSON.parse(localStorage.getItem(DRAFT));
        if (draft?.path?.keys?.length > 1) {
          const kept = edits.tidy(edits.withLens(draft.path, empty.keys[0].fov));
          curve(kept)(0.1);
          this.aim = draft.aim;
          this.eyeLevel = draft.eyeLevel > 0 ? draft.eyeLevel : EYE_LEVEL;
          this.put(kept);
          this.notify(this.say('draft'));
        }
      } catch { /* nothing was kept, or nothing that can be read */ }
    }
    this.settled = this.state();
    if (this.isDrawn) this.hand();
    else this.take('draw');
  }

  given() {
    const { value } = this.props;
    return typeof value === 'string' ? JSON.parse(value) : value;
  }

  // A path that the server gave: a move of the gallery, a repair, a pasted text
  adopt(path) {
    this.aim = path.target ? { mode: 'point', point: path.target } : { ...this.aim, mode: 'free' };
    [this.chosen, this.time] = [0, 0];
    this.take(null);
    this.put(edits.tidy(path));
    const now = this.state();
    if (now !== this.settled) this.past = [...this.past.slice(-MAX_UNDO), this.settled];
    this.future = [];
    this.settled = now;
    this.room.fit();
    this.hand();
  }

  // Another value came from Python, which speaks in objects. Nothing comes with the widgets of a clip without a path; text
  // is the page's own, which Gradio may put back with the answer to an older edit
  valued() {
    const { value } = this.props;
    if (value && typeof value === 'object') {
      if (JSON.stringify(value) !== this.sent) this.adopt(value);
    } else if (this.isDrawn && value !== this.sent) this.props.value = this.sent;
  }
}

export function open(root, props, watch, tell) {
  const editor = new Editor(root, props, tell);
  watch('texts', () => editor.words());
  watch('place', () => editor.enter());
  watch('review', () => {
    const said = props.review ?? {};
    if (said.of && said.of !== editor.sent) return; // the path has changed since: its own review is under way
    root.dataset.state = 'reviewed';
    editor.hearReview(said);
  });
  watch('value', () => editor.valued());
  editor.words();
  editor.enter();
  root.dataset.frames = numFrames(1); // the module is there
  (window.requestIdleCallback ?? setTimeout)(() => import('./place.js').catch(() => {})); // read before it is needed
}
