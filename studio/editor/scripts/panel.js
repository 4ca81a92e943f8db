// The chosen point and the whole path in figures.
import { make, set } from './dom.js';
import * as edits from './edits.js';
import { EASES, isLocked } from './path.js';
import { fovAt, mmOf } from './viewfinder.js';

const LENSES = [18, 24, 35, 50, 85]; // mm on full frame
const MAX_HEIGHT = 50; // metres, or times the subject's distance
const AIMS = ['point', 'photo', 'way', 'free'];

export class Panel {
  constructor(editor) {
    this.editor = editor;
    this.root = make('div', 'panel', editor.root);
    this.inputs = [];
    this.buildTitle();
    this.buttons = make('div', 'acts', this.root);
    this.general = make('div', 'general', this.root);
    this.fixed = editor.words.label(make('p', 'fixed', this.root), 'fixed');
    this.fields = make('div', 'fields', this.root);
    this.buildPointFields();
    this.buildButtons();
    this.buildPathFields();
  }

  // Previous point, which one, next point
  buildTitle() {
    const { editor } = this;
    const title = make('div', 'title', this.root);
    const step = (by) => {
      const count = editor.path.keys.length;
      editor.choose((editor.chosen + by + count) % count, false);
    };
    editor.words.button(title, 'previous', () => step(-1), { art: 'previous', kind: 'bare', sign: true });
    this.which = make('strong', '', title);
    editor.words.button(title, 'next', () => step(1), { art: 'next', kind: 'bare', sign: true });
  }

  buildPointFields() {
    const { editor } = this;
    const { fov, seconds } = editor.limits;
    const name = make('input');
    Object.assign(name, { type: 'text', maxLength: editor.limits.name_letters, autocomplete: 'off' });
    name.addEventListener('change', () => this.change({ name: name.value }));
    this.field('point_name', name, () => editor.key.name ?? '');
    const time = this.numberField('time', 0, seconds[1], 0.1, () => editor.key.time.toFixed(2), (typed) => {
      editor.commit(edits.setTime(editor.path, editor.chosen, typed, editor.limits));
      editor.seek(editor.key.time);
    });
    const { measures } = editor;
    const height = () => measures.heightOf(editor.key.position[1]).toFixed(2);
    this.height = this.numberField('height', -MAX_HEIGHT, MAX_HEIGHT, 0.05, height, (typed) => {
      const [x, , z] = editor.key.position;
      this.change({ position: [x, measures.yAt(typed), z] });
    });
    const roll = this.numberField('roll', -180, 180, 1, () => editor.key.roll.toFixed(1), (typed) => {
      this.change({ roll: typed });
    });
    // Depth from one photo knows no metres: they follow from how high the photo was taken
    this.eyeLevel = this.numberField('eye_level', 0.1, MAX_HEIGHT, 0.1, () => editor.eyeLevel.toFixed(2), (typed) => {
      editor.eyeLevel = typed;
      editor.commit();
    });
    this.buildLens();
    const angle = this.numberField('fov', ...fov, 1, () => editor.key.fov.toFixed(1), (typed) => {
      this.change({ fov: typed });
    });
    this.ease = this.selectField('ease', Object.keys(EASES), () => editor.key.ease, (ease) => this.change({ ease }));
    this.free = [time, this.height, roll, angle]; // the photo's camera has none of them
  }

  // Buttons for the usual focal lengths
  buildLens() {
    const { editor } = this;
    const lens = make('div', 'lens');
    const chip = (text) => {
      const part = make('button', 'chip', lens, text);
      part.type = 'button';
      return part;
    };
    this.chips = LENSES.map((mm) => {
      const part = chip(String(mm));
      part.setAttribute('aria-label', `${mm} mm`);
      part.addEventListener('click', () => this.change({ fov: fovAt(editor, mm) }));
      return part;
    });
    this.asPhoto = editor.words.label(chip(), 'lens_photo');
    this.asPhoto.addEventListener('click', () => this.change({ fov: editor.path.keys[0].fov }));
    this.lensField = make('div', 'field lens-field', this.fields);
    this.lensField.setAttribute('role', 'group');
    editor.words.label(this.lensField, 'lens', 'aria-label');
    editor.words.label(make('span', '', this.lensField), 'lens');
    this.lensField.append(lens);
  }

  buildButtons() {
    const { editor, buttons } = this;
    const double = () => editor.commitNewKey(edits.duplicate(editor.path, editor.chosen, editor.limits));
    this.doubler = editor.words.button(buttons, 'double', double, { kind: 'act' });
    this.remover = editor.words.button(buttons, 'remove', () => editor.removePoint(), { kind: 'act' });
  }

  // What concerns the whole path
  buildPathFields() {
    const { editor } = this;
    this.selectField('looks', AIMS, () => editor.aim.mode, (mode) => {
      const { point } = editor.aim;
      editor.aim = mode === 'point' ? { mode, point: point || [0, 0, editor.distance] } : { ...editor.aim, mode };
      editor.commit();
    }, this.general);
    const { seconds } = editor.limits;
    this.numberField('length', ...seconds, 0.5, () => editor.seconds.toFixed(2), (typed) => {
      const share = editor.seconds ? editor.time / editor.seconds : 0;
      editor.commit(edits.retime(editor.path, typed));
      editor.seek(share * editor.seconds);
    }, this.general);
  }

  // -- fields ---------------------------------------------------------------------------------------------------------

  // read: gives the text that the input should show
  field(key, input, read, parent = this.fields) {
    const { words } = this.editor;
    const label = words.label(make('label', `field ${key}`, parent), `${key}_tip`, 'title');
    input.caption = words.label(make('span', '', label), key);
    label.append(input);
    Object.assign(input, { label, read });
    this.inputs.push(input);
    return input;
  }

  numberField(key, low, high, step, read, change, parent) {
    const input = make('input');
    Object.assign(input, { type: 'number', min: low, max: high, step });
    input.addEventListener('change', () => {
      const typed = input.valueAsNumber;
      if (Number.isFinite(typed)) change(Math.min(Math.max(typed, low), high));
      else this.editor.refresh();
    });
    return this.field(key, input, read, parent);
  }

  selectField(key, options, read, change, parent) {
    const input = make('select');
    for (const option of options) {
      this.editor.words.label(make('option', '', input), `${key}_${option}`).value = option;
    }
    input.addEventListener('change', () => change(input.value));
    return this.field(key, input, read, parent);
  }

  change(fields) {
    const { editor } = this;
    editor.commit(edits.change(editor.path, editor.chosen, fields));
  }

  // -- what is shown --------------------------------------------------------------------------------------------------

  show() {
    const { editor } = this;
    const { path, chosen, say, measures } = editor;
    const isFixed = isLocked(path, chosen);
    const isLast = chosen === path.keys.length - 1;
    this.root.hidden = !editor.isDrawn;
    this.which.textContent = say('point', { point: chosen + 1, points: path.keys.length });
    this.fixed.hidden = !isFixed;
    for (const input of this.free) input.label.hidden = isFixed;
    for (const input of this.inputs) {
      const value = input.read();
      if (document.activeElement !== input && input.value !== value) input.value = value;
    }
    this.height.caption.textContent = say(measures.metre ? 'height_metres' : 'height');
    this.lensField.hidden = isFixed;
    this.chips.forEach((part, i) => {
      set(part, 'aria-pressed', Math.abs(mmOf(editor, editor.key.fov) - LENSES[i]) < 0.5);
    });
    set(this.asPhoto, 'aria-pressed', Math.abs(editor.key.fov - path.keys[0].fov) < 1e-3);
    this.ease.label.hidden = isLast;
    this.doubler.hidden = path.closed && isLast;
    this.remover.hidden = isFixed;
    this.eyeLevel.label.hidden = chosen > 0 || !measures.prefix;
  }
}
