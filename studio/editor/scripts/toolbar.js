// The tools, undo and redo, and the menu with what concerns the whole path.
import { make, set } from './dom.js';
import * as edits from './edits.js';

const TOOLS = ['draw', 'look', 'orbit'];

export class Toolbar {
  constructor(editor) {
    const { words } = editor;
    this.editor = editor;
    const bar = make('div', 'bar', editor.root);
    bar.setAttribute('role', 'toolbar');
    words.label(bar, 'tools', 'aria-label');
    this.tools = TOOLS.map((key) => {
      return words.button(bar, key, () => editor.takeTool(editor.tool === key ? null : key), { art: key });
    });
    this.adder = words.button(bar, 'add', () => editor.addPoint(), { art: 'add' });
    make('i', 'gap', bar);
    this.undo = words.button(bar, 'undo', () => editor.undo(), { art: 'undo', kind: 'bare', sign: true });
    this.redo = words.button(bar, 'redo', () => editor.redo(), { art: 'redo', kind: 'bare', sign: true });
    this.buildMenu(bar);
  }

  buildMenu(bar) {
    const { editor } = this;
    this.menu = make('details', 'more', bar);
    editor.words.label(make('summary', '', this.menu), 'more');
    const list = make('div', 'menu', this.menu);
    const item = (key, run) => editor.words.button(list, key, () => {
      this.menu.open = false;
      run();
    });
    this.closer = item('close', () => this.closeOrOpen());
    const reverser = item('reverse', () => this.reverse());
    const mirrorer = item('mirror', () => this.mirror());
    this.snapper = item('snap', () => {
      editor.snap = !editor.snap;
      editor.refresh();
    });
    item('as_text', () => editor.files.toggleText());
    item('open_file', () => editor.files.choose());
    const saver = item('save_file', () => editor.files.toggleSaver());
    item('photo', () => document.querySelector('.stage input[type=file]')?.click());
    const clearer = item('anew', () => this.startAnew());
    this.needPath = [reverser, mirrorer, saver, clearer];
    this.menu.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !this.menu.contains(event.relatedTarget)) this.menu.open = false;
    });
    document.addEventListener('pointerdown', (event) => {
      if (!this.menu.contains(event.target)) this.menu.open = false;
    });
  }

  // Returns whether it was open
  closeMenu() {
    const wasOpen = this.menu.open;
    this.menu.open = false;
    return wasOpen;
  }

  closeOrOpen() {
    const { path, limits } = this.editor;
    const next = path.closed ? edits.open(path) : edits.close(path, limits);
    if (next) this.editor.commit(next);
  }

  reverse() {
    const { editor } = this;
    const next = edits.reverse(editor.path, editor.limits);
    editor.aim = next.target ? editor.aim : { mode: 'free' };
    editor.commit(next);
  }

  mirror() {
    const { editor } = this;
    const { point } = editor.aim;
    if (point) editor.aim = { ...editor.aim, point: [-point[0], point[1], point[2]] };
    editor.commit(edits.mirror(editor.path));
  }

  startAnew() {
    const { editor } = this;
    editor.chooseFirst();
    editor.aim = { mode: 'point', point: [0, 0, editor.distance] };
    editor.takeTool('draw');
    editor.commit(edits.still(editor.path.keys[0].fov));
  }

  show() {
    const { path, history, limits, isDrawn, say, snap, tool } = this.editor;
    this.tools.forEach((part, i) => set(part, 'aria-pressed', tool === TOOLS[i]));
    this.adder.disabled = path.keys.length >= limits.keys;
    for (const part of this.needPath) part.disabled = !isDrawn;
    this.closer.disabled = !path.closed && path.keys.length < 3;
    this.closer.firstChild.textContent = say(path.closed ? 'unclose' : 'close');
    set(this.snapper, 'aria-pressed', snap);
    this.undo.disabled = !history.past.length;
    this.redo.disabled = !history.future.length;
  }
}
