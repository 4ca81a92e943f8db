// The chosen point and the whole path in figures.
import * as edits from './edits.js';
import { fovAt, mmOf } from './eye.js';
import { make, set } from './page.js';

const LENSES = [18, 24, 35, 50, 85]; // mm on full frame
const MAX_HEIGHT = 50; // metres, or times the subject's distance

export function panel(ed) {
  const { speech, say } = ed;
  const root = make('div', 'panel', ed.root);
  const title = make('div', 'title', root);
  const step = (by) => () => ed.choose((ed.chosen + by + ed.path.keys.length) % ed.path.keys.length, false);
  speech.button(title, 'previous', step(-1), { art: 'previous', kind: 'bare', sign: true });
  const which = make('strong', '', title);
  speech.button(title, 'next', step(1), { art: 'next', kind: 'bare', sign: true });
  const acts = make('div', 'acts', root);
  const general = make('div', 'general', root);
  const fixed = speech.name(make('p', 'fixed', root), 'fixed');
  const fields = make('div', 'fields', root);

  function field(key, input, parent) {
    const label = speech.name(make('label', `field ${key}`, parent), `${key}_tip`, 'title');
    input.words = speech.name(make('span', '', label), key);
    label.append(input);
    input.label = label;
    return input;
  }

  function numberField(key, low, high, by, read, change, parent = fields) {
    const input = make('input');
    Object.assign(input, { type: 'number', min: low, max: high, step: by, read });
    input.addEventListener('change', () => {
      const typed = input.valueAsNumber;
      if (Number.isFinite(typed)) change(Math.min(Math.max(typed, low), high));
      else ed.refresh();
    });
    return field(key, input, parent);
  }

  function selectField(key, options, read, change, parent = fields) {
    const input = make('select');
    for (const option of options) speech.name(make('option', '', input), `${key}_${option}`).value = option;
    input.read = read;
    input.addEventListener('change', () => change(input.value));
    return field(key, input, parent);
  }

  const change = (what) => ed.commit(edits.change(ed.path, ed.chosen, what));
  const name = make('input');
  Object.assign(name, { type: 'text', maxLength: edits.MAX_NAME, autocomplete: 'off', read: () => ed.key.name ?? '' });
  name.addEventListener('change', () => change({ name: name.value }));
  field('point_name', name, fields);
  const own = [ // not of the photo's camera
    numberField('time', 0, 60, 0.1, () => ed.key.time.toFixed(2), (typed) => {
      ed.commit(edits.setTime(ed.path, ed.chosen, typed));
      ed.seek(ed.key.time);
    }),
    numberField('height', -MAX_HEIGHT, MAX_HEIGHT, 0.05, () => ed.heightOf(ed.key.position[1]).toFixed(2), (typed) => {
      const [x, , z] = ed.key.position;
      change({ position: [x, ed.yAt(typed), z] });
    }),
    numberField('roll', -180, 180, 1, () => ed.key.roll.toFixed(1), (typed) => change({ roll: typed })),
  ];
  const [, height] = own;
  // Depth from one photo knows no metres: they follow from how high the photo was taken
  const eyeLevel = numberField('eye_level', 0.1, MAX_HEIGHT, 0.1, () => ed.eyeLevel.toFixed(2), (typed) => {
    ed.eyeLevel = typed;
    ed.commit();
  });
  const lens = make('div', 'lens');
  const chips = LENSES.map((mm) => {
    const chip = make('button', 'chip', lens, String(mm));
    chip.setAttribute('aria-label', `${mm} mm`);
    chip.type = 'button';
    chip.addEventListener('click', () => change({ fov: fovAt(ed, mm) }));
    return chip;
  });
  const asPhoto = speech.name(make('button', 'chip', lens), 'lens_photo');
  asPhoto.type = 'button';
  asPhoto.addEventListener('click', () => change({ fov: ed.path.keys[0].fov }));
  const lensField = make('div', 'field lens-field', fields);
  lensField.setAttribute('role', 'group');
  speech.name(lensField, 'lens', 'aria-label');
  speech.name(make('span', '', lensField), 'lens');
  lensField.append(lens);
  own.push(numberField('fov', 1, 179, 1, () => ed.key.fov.toFixed(1), (typed) => change({ fov: typed })));
  const eases = ['linear', 'in', 'out', 'smooth'];
  const ease = selectField('ease', eases, () => ed.key.ease, (typed) => change({ ease: typed }));
  const doubler = speech.button(acts, 'double', () => ed.lay(edits.duplicate(ed.path, ed.chosen)), { kind: 'act' });
  const remover = speech.button(acts, 'remove', () => ed.removeKey(), { kind: 'act' });

  const looks = selectField('looks', ['point', 'photo', 'way', 'free'], () => ed.aim.mode, (typed) => {
    ed.aim = typed === 'point' ? { mode: 'point', point: ed.aim.point || [0, 0, ed.D] } : { ...ed.aim, mode: typed };
    ed.commit();
  }, general);
  const length = numberField('length', 0.25, 60, 0.5, () => ed.seconds.toFixed(2), (typed) => {
    const share = ed.seconds ? ed.time / ed.seconds : 0;
    ed.commit(edits.retime(ed.path, typed));
    ed.seek(share * ed.seconds);
  }, general);

  function show() {
    const { path, chosen, isDrawn } = ed;
    const isLocked = edits.isLocked(path, chosen);
    root.hidden = !isDrawn;
    which.textContent = say('point', { point: chosen + 1, points: path.keys.length });
    fixed.hidden = !isLocked;
    for (const input of own) input.label.hidden = isLocked;
    for (const input of [name, ...own, looks, ease, length, eyeLevel]) {
      const value = input.read();
      if (document.activeElement !== input && input.value !== value) input.value = value;
    }
    height.words.textContent = say(ed.metre ? 'height_metres' : 'height');
    lensField.hidden = isLocked;
    chips.forEach((chip, i) => set(chip, 'aria-pressed', Math.abs(mmOf(ed, ed.key.fov) - LENSES[i]) < 0.5));
    set(asPhoto, 'aria-pressed', Math.abs(ed.key.fov - path.keys[0].fov) < 1e-3);
    ease.label.hidden = chosen >= path.keys.length - 1;
    doubler.hidden = path.closed && chosen === path.keys.length - 1;
    remover.hidden = isLocked;
    eyeLevel.label.hidden = chosen > 0 || !ed.about;
  }

  return { show };
}
