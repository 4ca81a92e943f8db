// The trajectory editor: tools, two views, the time track, the chosen point, and what the server says about the path.
// Text reaches the page as textContent only.
import * as edits from './edits.js';
import { about, curve, duration, focal, fovOf, norm, numFrames, scale, subtract, times } from './path.js';

const SVG = 'http://www.w3.org/2000/svg';
const DRAFT = 'mirage-studio-path';
const LENSES = [18, 24, 35, 50, 85]; // mm on full frame
const DIAGONAL = 43.27; // mm of the full frame
const FPS = 30; // of the playing preview
const STEP = 0.02; // of the subject's distance: what an arrow key moves
const MAX_UNDO = 200;
const ICONS = {
  draw: 'M3 13.5c4-9 6 2 10-9M11 3l2.5 1.5L12 7',
  look: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z',
  orbit: 'M2.2 10.2a6 6 0 1 1 11.6 0M13.8 10.2l1-2.6M13.8 10.2L11.4 9M8 7.6v.8',
  add: 'M8 3v10M3 8h10',
  undo: 'M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M3 6.5L6 3.5M3 6.5l3 3',
  redo: 'M13 6.5H6.500a3.500 3.500 0 0 0 0 7H10M13 6.500L10 3.500M13 6.500l-3 3',
  play: 'M5 3.200v9.600L13 8z',
  pause: 'M5 3.500v9M11 3.500v9',
};

// -- small pieces of page --------------------------------------------------------------------------------------------

function make(tag, kind, parent, text) {
  const part = document.createElement(tag);
  if (kind) part.className = kind;
  if (text !== undefined) part.textContent = text;
  parent?.append(part);
  return part;
}

function draw(tag, parent, attributes = {}) {
  const part = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  parent?.append(part);
  return part;
}

function icon(name, parent) {
  const art = draw('svg', parent, { viewBox: '0 0 16 16', 'aria-hidden': 'true', class: `icon ${name}` });
  draw('path', art, { d: ICONS[name] });
}

export function open(root, props, watch, tell) {
  const say = (key, values = {}) =>
    (props.texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
  const number = (value, digits) =>
    (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toLocaleString(props.texts.language, {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    });

  // -- what is edited -------------------------------------------------------------------------------------------------

  let path = edits.still(60);
  let aim = { mode: 'photo' };
  let chosen = 0;
  let time = 0;
  let tool = null;
  let at = curve(path);
  let past = [];
  let future = [];
  let sent = null; // the path as the server last heard or said it
  let settled = JSON.stringify({ path, aim }); // what undo comes back to

  const D = () => props.place?.distance ?? 1;
  const seconds = () => (path.keys.length > 1 ? duration(path) : 0);
  const isDrawn = () => path.keys.length > 1;
  const value = () => (isDrawn() ? path : null);

  function put(next) {
    path = next;
    at = curve(path);
    chosen = Math.min(chosen, path.keys.length - 1);
    time = Math.min(time, seconds());
  }

  // While something is dragged: seen at once, not yet decided
  const shape = (next) => {
    put(edits.aimed(next, aim));
    refresh();
  };

  // An edit is done: it can be undone, it is kept as a draft, and the server hears of it
  function commit(next = path) {
    put(edits.tidy(edits.aimed(next, aim)));
    const now = JSON.stringify({ path, aim });
    if (now === settled) return refresh();
    past = [...past.slice(-MAX_UNDO), settled];
    future = [];
    settled = now;
    hand();
  }

  function hand() {
    try {
      localStorage.setItem(DRAFT, settled);
    } catch { /* a browser that keeps nothing still edits */ }
    refresh();
    const json = JSON.stringify(value());
    if (json === sent) return;
    sent = json;
    props.value = isDrawn() ? json : null; // as text: Gradio copies a value many times, and an object piece by piece
    root.dataset.state = 'sent';
    tell.edited();
  }

  function travel(from, to) {
    if (!from.length) return;
    to.push(settled);
    settled = from.pop();
    const state = JSON.parse(settled);
    aim = state.aim;
    put(edits.withLens(state.path, path.keys[0].fov));
    hand();
  }

  // -- the page -------------------------------------------------------------------------------------------------------

  root.replaceChildren();
  root.setAttribute('role', 'group');
  const bar = make('div', 'bar', root);
  bar.setAttribute('role', 'toolbar');
  const views = make('div', 'views', root);
  const canvas = make('canvas', '', views);
  const top = make('div', 'pane above', views);
  const cam = make('div', 'pane eye', views);
  const frame = make('div', 'frame', cam);
  const map = draw('svg', top, { role: 'group' });
  const glass = draw('svg', frame, { 'aria-hidden': 'true' });
  const topName = make('span', 'name', top);
  const camName = make('span', 'name', cam);
  const hud = make('span', 'hud', cam);
  const hint = make('p', 'hint', top);
  const zoom = make('div', 'zoom', top);
  const run = make('div', 'run', root);
  const panel = make('div', 'panel', root);
  const text = make('div', 'as-text', root);
  const health = make('div', 'health', root);
  text.hidden = true;

  const named = []; // [part, key of its words, what they fill]: said again when the language changes
  const name = (part, key, how = 'textContent') => {
    named.push([part, key, how]);
    return part;
  };

  function button(parent, key, run, { art, kind = '' } = {}) {
    const part = make('button', kind, parent);
    part.type = 'button';
    if (art) icon(art, part);
    name(make('span', '', part), key);
    name(part, `${key}_tip`, 'title');
    part.addEventListener('click', run);
    return part;
  }

  const tools = {};
  for (const key of ['draw', 'look', 'orbit']) {
    tools[key] = button(bar, key, () => take(tool === key ? null : key), { art: key });
  }
  const adder = button(bar, 'add', addPoint, { art: 'add' });
  make('i', 'gap', bar);
  const undo = button(bar, 'undo', () => travel(past, future), { art: 'undo', kind: 'bare' });
  const redo = button(bar, 'redo', () => travel(future, past), { art: 'redo', kind: 'bare' });
  const more = make('details', 'more', bar);
  name(make('summary', '', more), 'more');
  const menu = make('div', 'menu', more);
  const item = (key, run) => button(menu, key, () => {
    more.open = false;
    run();
  });
  const closer = item('close', () => {
    const next = path.closed ? edits.open(path) : edits.close(path);
    if (next) commit(next);
  });
  const whole = [
    item('reverse', () => {
      const next = edits.reverse(path);
      aim = next.target ? aim : { mode: 'free' };
      commit(next);
    }),
    item('mirror', () => {
      if (aim.point) aim = { ...aim, point: [-aim.point[0], aim.point[1], aim.point[2]] };
      commit(edits.mirror(path));
    }),
  ];
  let snap = false;
  const snapper = item('snap', () => {
    snap = !snap;
    refresh();
  });
  item('as_text', () => {
    text.hidden = !text.hidden;
    area.value = JSON.stringify(value(), null, 1) ?? '';
    if (!text.hidden) area.focus();
  });
  const chooser = make('input', '', bar);
  Object.assign(chooser, { type: 'file', accept: '.json,.txt,.py', hidden: true });
  chooser.addEventListener('change', () => {
    const [file] = chooser.files;
    chooser.value = '';
    if (file) tell.cameras(file).catch(() => tellOf(say('file_failed')));
  });
  item('open_file', () => chooser.click());
  item('photo', () => document.querySelector('.stage input[type=file]')?.click());
  whole.push(item('anew', () => {
    chosen = 0;
    time = 0;
    aim = { mode: 'point', point: [0, 0, D()] };
    take('draw');
    commit(edits.still(path.keys[0].fov));
  }));
  more.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !more.contains(event.relatedTarget)) more.open = false;
  });
  document.addEventListener('pointerdown', (event) => {
    if (!more.contains(event.target)) more.open = false;
  });

  for (const [sign, key] of [[1.3, 'zoom_in'], [1 / 1.3, 'zoom_out'], [0, 'fit']]) {
    const part = make('button', '', zoom, { zoom_in: '+', zoom_out: '−', fit: '⤢' }[key]);
    part.type = 'button';
    name(part, key, 'aria-label');
    name(part, key, 'title');
    part.addEventListener('click', () => {
      if (sign) view.scale *= sign;
      else fit();
      refresh();
    });
  }

  // the time track
  const player = make('button', 'player', run);
  player.type = 'button';
  const track = make('div', 'track', run);
  track.tabIndex = 0;
  track.setAttribute('role', 'slider');
  const strip = draw('svg', track, { viewBox: '0 0 1000 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const marks = make('div', 'marks', track);
  const head = make('i', 'head', track);
  const clock = make('span', 'clock', run);

  // the chosen point, and the whole path
  const title = make('div', 'title', panel);
  const previous = make('button', 'bare', title, '‹');
  const which = make('strong', '', title);
  const next = make('button', 'bare', title, '›');
  for (const [part, key, step] of [[previous, 'previous', -1], [next, 'next', 1]]) {
    part.type = 'button';
    name(part, key, 'aria-label');
    part.addEventListener('click', () => choose((chosen + step + path.keys.length) % path.keys.length));
  }
  const acts = make('div', 'acts', panel);
  const general = make('div', 'general', panel);
  const fixed = name(make('p', 'fixed', panel), 'fixed');
  const fields = make('div', 'fields', panel);

  function field(key, input, parent = fields) {
    const label = make('label', `field ${key}`, parent);
    name(make('span', '', label), key);
    label.append(input);
    return label;
  }

  function numberField(key, low, high, step, read, write, parent = fields) {
    const input = make('input');
    Object.assign(input, { type: 'number', min: low, max: high, step });
    input.read = read;
    input.addEventListener('change', () => {
      const typed = input.valueAsNumber;
      if (Number.isFinite(typed)) write(Math.min(Math.max(typed, low), high));
      else refresh();
    });
    input.label = field(key, input, parent);
    return input;
  }

  function selectField(key, options, read, write, parent = fields) {
    const input = make('select');
    for (const option of options) {
      name(make('option', '', input), `${key}_${option}`).value = option;
    }
    input.read = read;
    input.addEventListener('change', () => write(input.value));
    input.label = field(key, input, parent);
    return input;
  }

  const key = () => path.keys[chosen];
  const turnKey = (fields) => commit(edits.change(path, chosen, fields));
  const inputs = [
    numberField('time', 0, 60, 0.1, () => key().time.toFixed(2), (typed) => {
      commit(edits.setTime(path, chosen, typed));
      seek(path.keys[chosen].time);
    }),
    numberField('height', -10, 10, 0.05, () => (-key().position[1] / D()).toFixed(2), (typed) => {
      const [x, , z] = key().position;
      turnKey({ position: [x, -typed * D(), z] });
    }),
    numberField('roll', -180, 180, 1, () => key().roll.toFixed(1), (typed) => turnKey({ roll: typed })),
  ];
  const lens = make('div', 'lens');
  const chips = LENSES.map((mm) => {
    const chip = make('button', 'chip', lens, `${mm} mm`);
    chip.type = 'button';
    chip.addEventListener('click', () => turnKey({ fov: fovAt(mm) }));
    return chip;
  });
  const asPhoto = name(make('button', 'chip', lens), 'lens_photo');
  asPhoto.type = 'button';
  asPhoto.addEventListener('click', () => turnKey({ fov: path.keys[0].fov }));
  const lensField = make('div', 'field lens-field', fields);
  lensField.setAttribute('role', 'group');
  name(lensField, 'lens', 'aria-label');
  name(make('span', '', lensField), 'lens');
  lensField.append(lens);
  inputs.push(numberField('fov', 1, 179, 1, () => key().fov.toFixed(1), (typed) => turnKey({ fov: typed })));
  const ease = selectField('ease', ['linear', 'in', 'out', 'smooth'], () => key().ease, (typed) => turnKey({ ease: typed }));
  const doubler = button(acts, 'double', () => place2(edits.duplicate(path, chosen)), { kind: 'act' });
  const remover = button(acts, 'remove', removeKey, { kind: 'act' });

  const looks = selectField('looks', ['point', 'photo', 'way', 'free'], () => aim.mode, (typed) => {
    aim = typed === 'point' ? { mode: 'point', point: aim.point || [0, 0, D()] } : { ...aim, mode: typed };
    commit();
  }, general);
  const length = numberField('length', 0.25, 60, 0.5, () => seconds().toFixed(2), (typed) => {
    const share = seconds() ? time / seconds() : 0;
    commit(edits.retime(path, typed));
    seek(share * seconds());
  }, general);

  // the path as text
  const area = make('textarea', '', text);
  Object.assign(area, { rows: 8, spellcheck: false, maxLength: 256 * 1024 });
  name(area, 'as_text', 'aria-label');
  const textActs = make('div', 'acts', text);
  button(textActs, 'copy', async () => {
    area.select();
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      document.execCommand('copy'); // no clipboard in an iframe or without https: what is selected can be copied
    }
    tellOf(say('copied'));
  });
  button(textActs, 'paste', () => tell.pasted(area.value));
  button(textActs, 'hide', () => {
    text.hidden = true;
  });

  // what the server says
  const findings = make('ul', '', health);
  findings.setAttribute('aria-live', 'polite');
  const notice = make('p', 'notice', health);
  notice.setAttribute('role', 'status');
  const tellOf = (words) => {
    notice.textContent = words;
  };

  function words() {
    for (const [part, key, how] of named) {
      const said = props.texts[key];
      if (how === 'textContent') part.textContent = said ?? key;
      else if (said) part.setAttribute(how, said);
    }
    topName.textContent = say('above');
    camName.textContent = say('camera');
    root.setAttribute('aria-label', say('editor'));
    bar.setAttribute('aria-label', say('tools'));
    map.setAttribute('aria-label', say('above_tip'));
    track.setAttribute('aria-label', say('track'));
    review();
    refresh();
  }

  // -- lens -----------------------------------------------------------------------------------------------------------

  const shapeOf = () => props.place ?? { width: 16, height: 9 };
  function mmOf(fov) {
    const { width, height } = shapeOf();
    return (focal(fov) * width * DIAGONAL) / Math.hypot(width, height);
  }
  function fovAt(mm) {
    const { width, height } = shapeOf();
    return fovOf((mm * Math.hypot(width, height)) / DIAGONAL / width);
  }

  // -- the top view ---------------------------------------------------------------------------------------------------

  const view = { x: 0, z: 0.5, scale: 100 };
  let box = { width: 1, height: 1 };
  const toMap = ([x, , z]) => [box.width / 2 + (x - view.x) * view.scale, box.height / 2 - (z - view.z) * view.scale];
  const toFloor = (x, y) => [view.x + (x - box.width / 2) / view.scale, view.z - (y - box.height / 2) / view.scale];

  function fit() {
    const points = [...path.keys.map((key) => key.position), [-0.6 * D(), 0, -0.15 * D()], [0.6 * D(), 0, 1.15 * D()]];
    const [xs, zs] = [points.map((p) => p[0]), points.map((p) => p[2])];
    const [left, right, near, far] = [Math.min(...xs), Math.max(...xs), Math.min(...zs), Math.max(...zs)];
    const span = Math.max((right - left) / Math.max(box.width - 48, 1), (far - near) / Math.max(box.height - 64, 1));
    Object.assign(view, { x: (left + right) / 2, z: (near + far) / 2, scale: 1 / Math.max(span, 1e-9) });
  }

  const shadow = draw('polyline', map, { class: 'casing' });
  const line = draw('polyline', map, { class: 'way' });
  const ghost = draw('polyline', map, { class: 'ghost' });
  const ticks = draw('g', map, { class: 'ticks' });
  const wedge = draw('path', map, { class: 'wedge' });
  const mark = draw('g', map, { class: 'aim', role: 'img' });
  draw('circle', mark, { r: 16, class: 'reach' });
  draw('circle', mark, { r: 8 });
  draw('path', mark, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });
  const handles = draw('g', map);
  const ruler = draw('g', map, { class: 'ruler' });
  draw('path', ruler);
  draw('text', ruler);

  function handle(i) {
    while (handles.children.length <= i) {
      const group = draw('g', handles, { class: 'key', tabindex: 0, role: 'button' });
      draw('circle', group, { r: 17, class: 'reach' });
      draw('path', group, { class: 'heading' });
      draw('circle', group, { r: 8, class: 'dot' });
      draw('text', group, { dy: '0.35em' });
      group.addEventListener('focus', () => choose(Number(group.dataset.key), false));
    }
    return handles.children[i];
  }

  function showMap() {
    map.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`);
    const count = isDrawn() ? Math.max(60, 12 * path.keys.length) : 0;
    const points = Array.from({ length: count }, (_, i) => toMap(at((seconds() * i) / (count - 1)).position).join());
    shadow.setAttribute('points', points.join(' '));
    line.setAttribute('points', points.join(' '));
    ticks.replaceChildren();
    for (let second = 1; second < seconds(); second += 1) {
      const [cx, cy] = toMap(at(second).position);
      draw('circle', ticks, { cx, cy, r: 2.4 });
    }
    while (handles.children.length > path.keys.length) handles.lastChild.remove();
    path.keys.forEach((key, i) => {
      const group = handle(i);
      const [x, y] = toMap(key.position);
      const { rotation } = at(key.time);
      group.dataset.key = i;
      group.setAttribute('transform', `translate(${x} ${y})`);
      group.classList.toggle('chosen', i === chosen);
      group.classList.toggle('locked', edits.isLocked(path, i));
      const name = say('point_at', { point: i + 1, points: path.keys.length, time: number(key.time, 1) });
      group.setAttribute('aria-label', name);
      group.setAttribute('aria-pressed', i === chosen);
      group.querySelector('text').textContent = i + 1;
      const [hx, hz] = [rotation[0][2], rotation[2][2]];
      group.querySelector('.heading').setAttribute('d', `M${hx * 10} ${-hz * 10}L${hx * 17} ${-hz * 17}`);
      // a loop comes home onto key 1: that one stays on top
      group.style.display = path.closed && i === path.keys.length - 1 ? 'none' : '';
    });
    const { position, rotation, fov } = at(time);
    const reach = 46;
    const across = Math.tan((fov * Math.PI) / 360);
    const [px, py] = toMap(position);
    const corner = (side) => {
      const [x, z] = [0, 2].map((row) => rotation[row][2] + side * across * rotation[row][0]);
      return `${px + x * reach} ${py - z * reach}`;
    };
    wedge.setAttribute('d', `M${px} ${py}L${corner(-1)}L${corner(1)}Z`);
    mark.style.display = aim.mode === 'point' ? '' : 'none';
    if (aim.mode === 'point') mark.setAttribute('transform', `translate(${toMap(aim.point).join(' ')})`);
    showRuler();
  }

  // Metres only where the depth is in metres; else shares of the way to the subject
  function showRuler() {
    const unit = props.place?.metric ? 1 : D();
    const wanted = 84 / (view.scale * unit);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const nice = [5, 2, 1].map((n) => n * power).find((n) => n <= wanted) ?? power;
    const width = nice * unit * view.scale;
    const [bar, label] = ruler.children;
    bar.setAttribute('d', `M12 ${box.height - 18}v6h${width}v-6`);
    label.setAttribute('x', 12);
    label.setAttribute('y', box.height - 24);
    const digits = Math.max(0, -Math.floor(Math.log10(nice) + 1e-9));
    label.textContent = say(props.place?.metric ? 'metres' : 'shares', { number: number(nice, digits) });
  }

  // -- the camera view ------------------------------------------------------------------------------------------------

  const cross = draw('g', glass, { class: 'aim' });
  draw('circle', cross, { r: 8 });
  draw('path', cross, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });

  function showGlass() {
    const { position, rotation, fov } = at(time);
    const { clientWidth: width, clientHeight: height } = frame;
    glass.setAttribute('viewBox', `0 0 ${width} ${height}`);
    cross.style.display = 'none';
    if (aim.mode === 'point') {
      const [x, y, z] = [0, 1, 2].map((column) =>
        subtract(aim.point, position).reduce((sum, part, row) => sum + part * rotation[row][column], 0));
      const [u, v] = [width / 2 + focal(fov) * width * (x / z), height / 2 + focal(fov) * width * (y / z)];
      if (z > 0) cross.style.display = '';
      if (z > 0) cross.setAttribute('transform', `translate(${u} ${v})`);
    }
    const away = norm(subtract(position, [0, 0, D()]));
    const unit = props.place?.metric ? 1 : D();
    hud.textContent = say(props.place?.metric ? 'hud_metres' : 'hud', {
      mm: number(mmOf(fov), 0), away: number(away / unit, 2), height: number(-position[1] / unit, 2),
    });
  }

  // -- time -----------------------------------------------------------------------------------------------------------

  let playing = null;
  function seek(to) {
    time = Math.min(Math.max(to, 0), seconds());
    refresh();
  }

  function play(on = playing === null) {
    if (playing !== null) cancelAnimationFrame(playing);
    playing = null;
    player.dataset.playing = on && isDrawn();
    if (on && isDrawn()) {
      let began = performance.now() - 1000 * (time >= seconds() - 1e-3 ? 0 : time);
      let shown = 0;
      const step = (now) => {
        let to = (now - began) / 1000;
        if (to >= seconds() && path.closed) began = now - 1000 * (to %= seconds());
        if (now - shown >= 900 / FPS || to >= seconds()) {
          shown = now;
          time = Math.min(Math.max(to, 0), seconds());
          showTime();
          showMap();
          paint();
        }
        if (to >= seconds()) play(false);
        else playing = requestAnimationFrame(step);
      };
      playing = requestAnimationFrame(step);
    }
    showTime();
  }

  player.addEventListener('click', () => play());

  function showTime() {
    const on = playing !== null;
    if (player.dataset.shown !== String(on)) {
      player.dataset.shown = on;
      player.replaceChildren();
      icon(on ? 'pause' : 'play', player);
    }
    player.setAttribute('aria-label', say(on ? 'pause' : 'play'));
    player.disabled = !isDrawn();
    const share = seconds() ? time / seconds() : 0;
    head.style.left = `${100 * share}%`;
    clock.textContent = `${number(time, 1)} / ${number(seconds(), 1)} s`;
    track.setAttribute('aria-valuemin', 0);
    track.setAttribute('aria-valuemax', seconds().toFixed(2));
    track.setAttribute('aria-valuenow', time.toFixed(2));
    track.setAttribute('aria-valuetext', `${number(time, 1)} s`);
    showGlass();
  }

  function showTrack() {
    while (marks.children.length > path.keys.length) marks.lastChild.remove();
    while (marks.children.length < path.keys.length) make('i', '', marks);
    path.keys.forEach((key, i) => {
      const part = marks.children[i];
      part.dataset.key = i;
      part.style.left = `${seconds() ? (100 * key.time) / seconds() : 0}%`;
      part.classList.toggle('chosen', i === chosen);
    });
    const coverage = isDrawn() ? props.review?.coverage ?? [] : [];
    strip.replaceChildren();
    draw('rect', strip, { width: 1000, height: 40, class: coverage.length ? 'strip-invented' : 'strip-unknown' });
    if (coverage.length > 1) {
      const points = coverage.map((share, i) => `${(1000 * i) / (coverage.length - 1)},${40 * (1 - share)}`);
      draw('polygon', strip, { class: 'strip-backed', points: `0,40 ${points.join(' ')} 1000,40` });
    }
    strip.classList.toggle('stale', root.dataset.state !== 'reviewed');
  }

  track.addEventListener('pointerdown', (event) => {
    const along = (e) => {
      const { left, width } = track.getBoundingClientRect();
      return (seconds() * (e.clientX - left)) / width;
    };
    if (!isDrawn()) return;
    play(false);
    const hit = event.target.dataset?.key;
    if (hit !== undefined) choose(Number(hit));
    // the last key carries the length of the path with it: that is what the field is for
    const moves = hit !== undefined && Number(hit) > 0 && Number(hit) < path.keys.length - 1;
    if (hit === undefined) seek(along(event));
    drag(event, track, (e) => {
      if (hit === undefined) return seek(along(e));
      if (moves) shape(edits.setTime(path, chosen, along(e)));
      if (moves) time = path.keys[chosen].time;
      return refresh();
    }, () => moves && commit());
  });

  track.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1 / 16, ArrowRight: 1 / 16, ArrowDown: -0.5, ArrowUp: 0.5 };
    if (event.key in steps) seek(time + steps[event.key]);
    else if (event.key === 'Home') seek(0);
    else if (event.key === 'End') seek(seconds());
    else return;
    play(false);
    event.preventDefault();
  });

  // -- everything that shows ------------------------------------------------------------------------------------------

  function showPanel() {
    const locked = edits.isLocked(path, chosen);
    const drawn = isDrawn();
    const show = (part, on) => {
      part.hidden = !on;
    };
    show(panel, drawn);
    which.textContent = say('point', { point: chosen + 1, points: path.keys.length });
    fixed.hidden = !locked;
    for (const input of inputs) {
      show(input.label, !locked);
      if (document.activeElement !== input || !locked) input.value = input.read();
    }
    show(lensField, !locked);
    chips.forEach((chip, i) => chip.setAttribute('aria-pressed', Math.abs(mmOf(key().fov) - LENSES[i]) < 0.5));
    asPhoto.setAttribute('aria-pressed', Math.abs(key().fov - path.keys[0].fov) < 1e-3);
    show(ease.label, chosen < path.keys.length - 1);
    ease.value = ease.read();
    show(doubler, !(path.closed && chosen === path.keys.length - 1));
    show(remover, !locked);
    looks.value = looks.read();
    length.value = length.read();
    for (const [name, part] of Object.entries(tools)) part.setAttribute('aria-pressed', tool === name);
    adder.disabled = path.keys.length >= edits.MAX_KEYS;
    for (const part of whole) part.disabled = !drawn;
    closer.disabled = !path.closed && path.keys.length < 3;
    closer.firstChild.textContent = say(path.closed ? 'unclose' : 'close');
    snapper.setAttribute('aria-pressed', snap);
    undo.disabled = !past.length;
    redo.disabled = !future.length;
    hint.textContent = tool ? say(`${tool}_hint`) : drawn ? '' : say('empty_hint');
    hint.hidden = !hint.textContent;
    root.dataset.tool = tool ?? '';
    if (!text.hidden && document.activeElement !== area) area.value = JSON.stringify(value(), null, 1) ?? '';
  }

  function review() {
    const said = props.review ?? {};
    findings.replaceChildren(...(isDrawn() ? said.findings ?? [] : []).map((finding) => {
      const row = make('li', finding.level);
      make('span', '', row, finding.words);
      if (finding.repair) {
        const part = make('button', 'repair', row, finding.label);
        part.type = 'button';
        part.addEventListener('click', () => tell.repaired(finding.repair));
      }
      return row;
    }));
    if (said.notice) tellOf(said.notice);
  }

  let pending = null;
  function refresh() {
    if (pending === null) {
      pending = requestAnimationFrame(() => {
        pending = null;
        showMap();
        showTime();
        showTrack();
        showPanel();
        paint();
      });
    }
  }

  // -- choosing, adding, removing -------------------------------------------------------------------------------------

  function choose(i, focus = true) {
    chosen = i;
    time = path.keys[i].time;
    if (playing !== null) play(false);
    refresh();
    if (focus) handles.children[i]?.focus({ preventScroll: true });
  }

  const place2 = (result) => {
    if (!result) return tellOf(say('no_room'));
    [, chosen] = result;
    commit(result[0]);
    time = path.keys[chosen].time;
    refresh();
    return requestAnimationFrame(() => handles.children[chosen]?.focus({ preventScroll: true }));
  };

  function addPoint() {
    const inside = isDrawn() && edits.insert(path, time);
    if (inside) return place2(inside);
    const { position, rotation } = at(seconds());
    const ahead = rotation.map((row) => 0.2 * D() * row[2]);
    take(null);
    return place2(edits.append(path, position.map((part, i) => part + ahead[i]), newSeconds()));
  }

  function removeKey() {
    if (edits.isLocked(path, chosen)) return;
    const to = chosen - 1;
    const next = edits.remove(path, chosen);
    chosen = Math.max(0, Math.min(to, next.keys.length - 1));
    commit(next);
    choose(chosen);
  }

  const newSeconds = () => props.place?.seconds ?? 4;

  function take(next) {
    tool = next;
    refresh();
  }

  // -- pointers -------------------------------------------------------------------------------------------------------

  function drag(event, on, move, done = () => {}) {
    on.setPointerCapture(event.pointerId);
    const forget = () => {
      on.removeEventListener('pointermove', follow);
      for (const end of ['pointerup', 'pointercancel']) on.removeEventListener(end, finish);
    };
    const follow = (e) => e.pointerId === event.pointerId && move(e);
    const finish = (e) => {
      if (e.pointerId !== event.pointerId) return;
      forget();
      done(e);
    };
    on.addEventListener('pointermove', follow);
    for (const end of ['pointerup', 'pointercancel']) on.addEventListener(end, finish);
    return forget;
  }

  const spot = (event) => {
    const { left, top: high } = map.getBoundingClientRect();
    return [event.clientX - left, event.clientY - high];
  };
  // Of handles that overlap the nearest is meant
  function keyAt(x, y) {
    let [best, at] = [17, -1];
    path.keys.forEach((key, i) => {
      const [kx, ky] = toMap(key.position);
      const off = Math.hypot(kx - x, ky - y);
      if (off < best && !(path.closed && i === path.keys.length - 1)) [best, at] = [off, i];
    });
    return at;
  }

  const GRID = 0.05;
  const snapped = ([x, y, z]) => (snap ? [x, y, z].map((part) => Math.round(part / (GRID * D())) * GRID * D()) : [x, y, z]);

  const fingers = new Map();
  let stop = null; // forgets the drag under way when a second finger makes it a pinch
  map.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, spot(event));
    play(false);
    if (fingers.size === 2) {
      stop?.();
      ghost.setAttribute('points', '');
      pinch(event);
      return;
    }
    const [x, y] = spot(event);
    const index = keyAt(x, y);
    if (tool === 'look' || tool === 'orbit') return;
    if (tool === 'draw' || (!isDrawn() && index === 0)) {
      stop = sketch(event);
    } else if (index >= 0) {
      event.preventDefault(); // the handle on top may be that of a neighbour: it shall not take the focus
      choose(index);
      stop = edits.isLocked(path, index) ? null : moveKey(event, index, [x, y]);
    } else if (event.target.closest('.aim')) {
      stop = drag(event, map, (e) => {
        const [fx, fz] = toFloor(...spot(e));
        aim = { mode: 'point', point: snapped([fx, aim.point[1], fz]) };
        shape(path);
      }, () => commit());
    } else {
      const from = { ...view };
      stop = drag(event, map, (e) => {
        const [nx, ny] = spot(e);
        view.x = from.x - (nx - x) / view.scale;
        view.z = from.z + (ny - y) / view.scale;
        refresh();
      });
    }
  });
  for (const end of ['pointerup', 'pointercancel']) {
    map.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (end === 'pointerup' && (tool === 'look' || tool === 'orbit')) pointAt(pickAbove(event));
    });
  }
  map.addEventListener('pointermove', (event) => fingers.has(event.pointerId) && fingers.set(event.pointerId, spot(event)));

  function pinch(event) {
    const apart = () => {
      const [[ax, ay], [bx, by]] = [...fingers.values()];
      return { size: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
    };
    const [began, from] = [apart(), { ...view }];
    stop = drag(event, map, () => {
      if (fingers.size !== 2) return;
      const now = apart();
      view.scale = (from.scale * now.size) / Math.max(began.size, 1);
      view.x = from.x - (now.x - began.x) / view.scale;
      view.z = from.z + (now.y - began.y) / view.scale;
      refresh();
    });
  }

  function moveKey(event, i, [x, y]) {
    const from = path.keys[i].position;
    const start = path;
    let moved = false;
    return drag(event, map, (e) => {
      const [nx, ny] = spot(e);
      if (!moved && Math.hypot(nx - x, ny - y) < 3) return;
      moved = true;
      const [dx, dz] = [(nx - x) / view.scale, -(ny - y) / view.scale];
      // with shift the hand lifts and lowers the camera
      const to = e.shiftKey ? [from[0], from[1] - dz, from[2]] : [from[0] + dx, from[1], from[2] + dz];
      shape(edits.change(start, i, { position: snapped(to) }));
    }, () => moved && commit());
  }

  function sketch(event) {
    const points = [toFloor(...spot(event))];
    const forget = drag(event, map, (e) => {
      for (const part of e.getCoalescedEvents?.() ?? [e]) points.push(toFloor(...spot(part)));
      const line = [[0, 0], ...points].map(([x, z]) => toMap([x, 0, z]).join());
      ghost.setAttribute('points', line.join(' '));
    }, (e) => {
      ghost.setAttribute('points', '');
      const far = Math.max(...points.map(([x, z]) => Math.hypot(x, z)));
      const [ox, oz] = points[0];
      if (norm(points[0]) * view.scale < 24) {
        // pressed on the camera, but hardly in its very middle: no hook there
        points.forEach((point, i) => {
          const share = 1 - i / (points.length - 1);
          points[i] = [point[0] - ox * share, point[1] - oz * share];
        });
      }
      if (e.type === 'pointercancel' || points.length < 3 || far < 0.02 * D()) return tellOf(say('too_short'));
      if (aim.mode === 'point' && points.some(([x, z]) => Math.hypot(x - aim.point[0], z - aim.point[2]) < 0.15 * D()
        || z > aim.point[2])) {
        aim = { ...aim, mode: 'photo' }; // a camera that runs past what it looks at would turn round
      }
      const drawn = edits.stroke(points, newSeconds(), path.keys[0].fov);
      if (!drawn) return tellOf(say('too_short'));
      [chosen, time] = [0, 0];
      take(null);
      const laid = { ...drawn, keys: drawn.keys.map((key) => ({ ...key, position: snapped(key.position) })) };
      return commit(edits.calm(edits.aimed(laid, aim), D()));
    });
    return () => {
      forget();
      ghost.setAttribute('points', '');
    };
  }

  map.addEventListener('dblclick', (event) => {
    const [x, y] = spot(event);
    if (tool || keyAt(x, y) >= 0) return;
    const count = 240;
    let [best, when] = [14, null];
    for (let i = 0; i <= count && isDrawn(); i += 1) {
      const [px, py] = toMap(at((seconds() * i) / count).position);
      const off = Math.hypot(px - x, py - y);
      if (off < best) [best, when] = [off, (seconds() * i) / count];
    }
    const [fx, fz] = toFloor(x, y);
    const height = path.keys[path.keys.length - 1].position[1];
    place2(when === null ? edits.append(path, snapped([fx, height, fz]), newSeconds()) : edits.insert(path, when));
  });

  map.addEventListener('wheel', (event) => {
    event.preventDefault();
    const [x, y] = spot(event);
    const [fx, fz] = toFloor(x, y);
    view.scale = Math.min(Math.max(view.scale * Math.exp(-event.deltaY / 500), 4 / D()), 4000 / D());
    const [gx, gz] = toFloor(x, y);
    view.x += fx - gx;
    view.z += fz - gz;
    refresh();
  }, { passive: false });

  function pickAbove(event) {
    const floor = toFloor(...spot(event));
    return world?.pickAbove(floor, 12 / view.scale) ?? [floor[0], 0, floor[1]];
  }

  function pointAt(point) {
    if (!point) return tellOf(say('nothing_there'));
    const middle = Math.hypot(point[0], point[1]) < 0.02 * Math.abs(point[2]) ? [0, 0, point[2]] : point;
    if (tool === 'orbit') {
      aim = { mode: 'free', point: middle };
      const side = middle[0] > 0.1 * D() ? -1 : 1;
      [chosen, time] = [0, 0];
      take(null);
      return commit(edits.calm(edits.orbit(middle, side * 30, newSeconds(), path.keys[0].fov), D()));
    }
    aim = { mode: 'point', point: middle };
    take(null);
    return commit();
  }

  // the camera view: a click points at something, a drag turns the chosen camera
  frame.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    play(false);
    const { left, top: high, width, height } = frame.getBoundingClientRect();
    if (tool === 'look' || tool === 'orbit') {
      const where = { x: (event.clientX - left) / width, y: (event.clientY - high) / height };
      pointAt(world?.pick(where, at(time), width / height));
      return;
    }
    if (!isDrawn() || edits.isLocked(path, chosen)) {
      if (isDrawn()) tellOf(say('turn_hint'));
      return;
    }
    time = path.keys[chosen].time;
    const free = edits.aimed(path, { mode: 'free' });
    const from = free.keys[chosen].orientation;
    const perPixel = free.keys[chosen].fov / width;
    let moved = false;
    drag(event, frame, (e) => {
      const [dx, dy] = [e.clientX - event.clientX, e.clientY - event.clientY];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      moved = true;
      aim = { ...aim, mode: 'free' };
      shape(edits.change(free, chosen, { orientation: turned(from, dx * perPixel, dy * perPixel) }));
    }, () => moved && commit());
  });

  const turned = (q, left, up) => times(times(about([0, -1, 0], left), q), about([1, 0, 0], up));

  // -- keys -----------------------------------------------------------------------------------------------------------

  handles.addEventListener('keydown', (event) => {
    const step = STEP * D();
    const moves = {
      ArrowLeft: [-step, 0, 0], ArrowRight: [step, 0, 0], ArrowUp: [0, 0, step], ArrowDown: [0, 0, -step],
      PageUp: [0, -step, 0], PageDown: [0, step, 0],
    };
    const turns = { ArrowLeft: [2, 0], ArrowRight: [-2, 0], ArrowUp: [0, 2], ArrowDown: [0, -2] };
    const locked = edits.isLocked(path, chosen);
    if (event.key === 'Delete' || event.key === 'Backspace') removeKey();
    else if (event.shiftKey && event.key in turns && !locked) {
      const free = edits.aimed(path, { mode: 'free' });
      aim = { ...aim, mode: 'free' };
      const { orientation } = free.keys[chosen];
      commit(edits.change(free, chosen, { orientation: turned(orientation, ...turns[event.key]) }));
    } else if (event.key in moves && !locked) {
      const position = key().position.map((part, i) => part + moves[event.key][i]);
      commit(edits.change(path, chosen, { position }));
    } else if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
  });

  root.addEventListener('keydown', (event) => {
    const typing = event.target.closest('input, textarea, select');
    const undoes = (event.ctrlKey || event.metaKey) && event.target !== area;
    if (undoes && event.key.toLowerCase() === 'z') travel(...(event.shiftKey ? [future, past] : [past, future]));
    else if (undoes && event.key.toLowerCase() === 'y') travel(future, past);
    else if (event.key === ' ' && !typing && !event.target.closest('button, summary')) play();
    else if (event.key === 'Escape' && (tool || more.open)) {
      more.open = false;
      take(null);
    } else return;
    event.preventDefault();
  });

  // -- the place ------------------------------------------------------------------------------------------------------

  let world = null;
  let engine = null;
  let shown = null;

  function measure() {
    const whole = views.getBoundingClientRect();
    const inside = (part) => {
      const { left, top: high, width, height } = part.getBoundingClientRect();
      return { x: left - whole.left, y: high - whole.top, width, height };
    };
    return whole.width ? { above: inside(top), eye: inside(frame) } : null;
  }

  // On a machine without a graphics card the room is coarse while something moves, and fine a moment later
  let rest = null;
  function paint(atRest = false) {
    const boxes = measure();
    if (!boxes || !world) return;
    world.fit();
    clearTimeout(rest);
    const isQuick = !atRest && world.quick !== world.fine;
    if (isQuick && playing === null) rest = setTimeout(() => paint(true), 400);
    const layer = isQuick ? world.quick : world.fine;
    world.drawFrom(boxes.eye, at(time), layer);
    world.drawAbove(boxes.above, view, layer);
    root.dataset.painted = shown;
  }

  let wasOpen = false;
  const resized = new ResizeObserver(() => {
    const boxes = measure();
    if (!boxes) wasOpen = false;
    if (!boxes) return;
    const first = box.width <= 1;
    box = boxes.above;
    if (first) fit();
    refresh();
    // a phone shows the cards and the editor on different screens
    const { top: high } = root.getBoundingClientRect();
    if (!wasOpen && (high < 0 || high > 0.6 * innerHeight)) root.scrollIntoView({ behavior: 'smooth' });
    wasOpen = true;
  });
  for (const part of [top, frame]) resized.observe(part);

  async function enter() {
    const { place } = props;
    if (!place) return;
    root.style.setProperty('--aspect', place.width / place.height);
    root.classList.toggle('tall', place.width < place.height);
    const lensed = edits.withLens(path, place.fov);
    if (shown === null) begin(lensed);
    else if (JSON.stringify(lensed) !== JSON.stringify(path)) {
      put(lensed);
      commit();
    }
    const { file } = place;
    shown ??= '';
    try {
      engine ??= await import('./place.js');
      const answer = await fetch(new URL(`gradio_api/file=${encodeURI(file)}`, document.baseURI));
      if (!answer.ok) throw new Error(answer.status);
      const pixels = engine.parse(await answer.arrayBuffer());
      if (props.place.file !== file) return; // another one was asked for meanwhile
      world ??= new engine.Place(canvas);
      world.show(pixels, place.distance);
      shown = file;
    } catch (error) {
      console.error(error);
      tellOf(say('no_place')); // no WebGL, or no file: the path can still be drawn
    }
    fit();
    refresh();
  }

  // The first place of this visit: the path of the last visit, or an empty floor and the pencil in hand
  function begin(empty) {
    put(empty);
    aim = { mode: 'point', point: [0, 0, D()] };
    if (props.value) adopt(held());
    else {
      try {
        const draft = JSON.parse(localStorage.getItem(DRAFT));
        if (draft?.path?.keys?.length > 1) {
          const kept = edits.tidy(edits.withLens(draft.path, empty.keys[0].fov));
          curve(kept)(0.1);
          aim = draft.aim;
          put(kept);
          tellOf(say('draft'));
        }
      } catch { /* nothing was kept, or nothing that can be read */ }
    }
    settled = JSON.stringify({ path, aim });
    if (isDrawn()) hand();
    else take('draw');
  }

  const held = () => (typeof props.value === 'string' ? JSON.parse(props.value) : props.value);

  // A path that the server gave: a move of the gallery, a repair, a pasted text
  function adopt(given) {
    aim = given.target ? { mode: 'point', point: given.target } : { ...aim, mode: 'free' };
    [chosen, time] = [0, 0];
    take(null);
    put(edits.tidy(given));
    const now = JSON.stringify({ path, aim });
    if (now !== settled) past = [...past.slice(-MAX_UNDO), settled];
    future = [];
    settled = now;
    fit();
    hand();
  }

  watch('texts', words);
  watch('place', enter);
  watch('heard', () => {
    root.dataset.state = 'heard';
  });
  watch('review', () => {
    root.dataset.state = 'reviewed';
    review();
    refresh();
  });
  watch('value', () => {
    if (!props.value && isDrawn()) props.value = sent; // the widgets of a clip without a path came back: ours stays
    else if (props.value && JSON.stringify(held()) !== sent) adopt(held());
  });
  words();
  enter();
  root.dataset.frames = numFrames(1); // the module is there
}
