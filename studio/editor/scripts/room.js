// The room with the camera's way in it: from above or from around, with a handle for every key, one for its height, time
// marks, frustums and a ruler.
import * as edits from './edits.js';
import { Above, Around } from './lenses.js';
import { about, add, norm, scale, subtract, times } from './path.js';
import { drag, draw, make, set, write } from './page.js';

const STEP = 0.02; // of the subject's distance: what an arrow key moves
const HEIGHTS = 0.5; // of the subject's distance: what the height slider reaches up and down
const MANY = 24; // keys: with more of them only the chosen one shows its frustum
const TOP = 56; // pixels: higher up the lens switches would cover a handle
const FRUSTUM = { now: 46, key: 20 }; // pixels

// dx, dy: degrees to the left and up
export const turned = (q, left, up) => times(times(about([0, -1, 0], left), q), about([1, 0, 0], up));

export function room(ed, views) {
  const { speech, say } = ed;
  const pane = make('div', 'pane above', views);
  const map = draw('svg', pane, { role: 'group', tabindex: 0 });
  const lenses = { above: new Above(), around: new Around() };
  let lens = lenses.above;

  // -- what is drawn ------------------------------------------------------------------------------------------------

  const shade = draw('path', map, { class: 'floor-way' });
  const stems = draw('path', map, { class: 'stems' });
  const casing = draw('path', map, { class: 'casing' });
  const way = draw('path', map, { class: 'way' });
  const flaws = draw('g', map, { class: 'flaws' });
  const ghost = draw('polyline', map, { class: 'ghost' });
  const ticks = draw('g', map, { class: 'ticks' });
  const frustums = draw('path', map, { class: 'frustums' });
  const wedge = draw('path', map, { class: 'wedge' });
  const mark = draw('g', map, { class: 'aim', role: 'img' });
  draw('circle', mark, { r: 16, class: 'reach' });
  draw('circle', mark, { r: 8 });
  draw('path', mark, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });
  const handles = draw('g', map);
  const badge = draw('g', map, { class: 'badge', 'aria-hidden': 'true' }); // the chosen point, above its neighbours
  draw('circle', badge, { r: 10 });
  draw('text', badge, { dy: '0.35em' });
  const lifter = draw('g', map, { class: 'lifter', 'aria-hidden': 'true' });
  draw('path', lifter, { class: 'stalk' });
  const knob = draw('g', lifter);
  draw('circle', knob, { r: 18, class: 'reach' });
  draw('circle', knob, { r: 11 });
  draw('path', knob, { d: 'M-3.500-2L0-6L3.500-2M-3.500 2L0 6L3.500 2' });
  const ruler = draw('g', map, { class: 'ruler' });
  draw('path', ruler);
  draw('text', ruler);

  pane.addEventListener('contextmenu', (event) => event.preventDefault()); // of a finger that rests before it drags

  const hint = make('p', 'hint', pane);
  const modes = make('div', 'modes', pane);
  const switches = ['above', 'around'].map((key) => {
    const part = speech.button(modes, key, () => {
      lens = lenses[key];
      ed.root.dataset.view = key;
      fit();
      ed.refresh();
    });
    return [key, part];
  });
  const zoom = make('div', 'zoom', pane);
  for (const [key, factor] of [['zoom_in', 1.3], ['zoom_out', 1 / 1.3], ['fit', 0]]) {
    speech.button(zoom, key, () => {
      if (factor) lens.zoom(factor, [lens.box.width / 2, lens.box.height / 2], ed.D);
      else fit();
      ed.refresh();
    }, { art: key, sign: true });
  }

  // The height of the chosen point, which a view from above cannot show
  const lift = make('div', 'lift', pane);
  Object.assign(lift, { tabIndex: 0 });
  for (const [name, value] of [['role', 'slider'], ['aria-orientation', 'vertical']]) lift.setAttribute(name, value);
  speech.name(lift, 'height_of', 'aria-label');
  speech.name(lift, 'height_tip', 'title');
  const rail = make('i', 'rail', lift);
  make('i', 'level', rail);
  const grip = make('i', 'grip', rail);
  const reading = make('span', '', lift);

  function fit() {
    const points = ed.path.keys.map((key) => key.position);
    lens.fit(ed.aim.mode === 'point' ? [...points, ed.aim.point] : points, ed.D);
  }

  function resize(box) {
    const first = lenses.above.box.width <= 1;
    for (const each of Object.values(lenses)) each.box = box;
    lenses.around.aim();
    if (first) fit();
  }

  const round = (spot) => spot.map((part) => part.toFixed(1)).join(' ');

  // Places -> the d of one line, broken where it passes behind the eye
  function trail(places) {
    let [line, down] = ['', false];
    for (const place of places) {
      const spot = lens.spot(place);
      if (spot) line += `${down ? 'L' : 'M'}${round(spot)}`;
      down = Boolean(spot);
    }
    return line;
  }

  // The pyramid that a camera sees, so many pixels long
  function frustum({ position, rotation, fov }, pixels) {
    const { width, height } = ed.props.place ?? { width: 16, height: 9 };
    const across = Math.tan((fov * Math.PI) / 360);
    const reach = pixels / lens.scaleAt(position);
    const corner = ([right, down]) => add(position, rotation.map((row) => reach
      * (row[2] + right * across * row[0] + down * across * (height / width) * row[1])));
    const spots = [position, ...[[-1, -1], [1, -1], [1, 1], [-1, 1]].map(corner)].map((place) => lens.spot(place));
    if (spots.includes(null)) return '';
    const [eye, a, b, c, d] = spots.map(round);
    return `M${eye}L${a}L${b}ZM${eye}L${d}L${c}ZM${a}L${b}L${c}L${d}Z`; // all turn the same way round, so that all fill
  }

  let [sampled, samples] = [null, []];
  function line() {
    if (sampled !== ed.at) {
      const count = ed.isDrawn ? Math.min(Math.max(60, 8 * ed.path.keys.length), 480) : 0;
      samples = Array.from({ length: count }, (_, i) => ed.at((ed.seconds * i) / (count - 1)).position);
      sampled = ed.at;
    }
    return samples;
  }

  function handle(i) {
    while (handles.children.length <= i) {
      const group = draw('g', handles, { class: 'key', tabindex: 0, role: 'button' });
      draw('circle', group, { r: 17, class: 'reach' });
      draw('path', group, { class: 'heading' });
      draw('circle', group, { r: 8, class: 'dot' });
      draw('text', group, { dy: '0.35em' });
      draw('text', group, { class: 'tag', dy: '-1.4em' });
      group.addEventListener('focus', () => ed.choose(Number(group.dataset.key), false));
    }
    return handles.children[i];
  }

  function show() {
    const { path, chosen, at } = ed;
    const { keys } = path;
    const isAbove = lens === lenses.above;
    set(map, 'viewBox', `0 0 ${lens.box.width} ${lens.box.height}`);
    const places = line();
    for (const part of [casing, way]) set(part, 'd', trail(places));
    // where the way leaves the photo's height, its shadow at that height says by how much
    const isFlat = isAbove || keys.every(({ position }) => Math.abs(position[1]) < 1e-3 * ed.D);
    const ground = ([x, , z]) => [x, 0, z];
    set(shade, 'd', isFlat ? '' : trail(places.map(ground)));
    set(stems, 'd', isFlat ? '' : keys.map(({ position }) => trail([position, ground(position)])).join(''));

    ticks.replaceChildren();
    for (let second = 1; second < ed.seconds; second += 1) {
      const spot = lens.spot(at(second).position);
      if (spot) draw('circle', ticks, { cx: spot[0], cy: spot[1], r: 2.4 });
    }

    while (handles.children.length > keys.length) handles.lastChild.remove();
    const views = keys.map((key) => at(key.time));
    keys.forEach((key, i) => {
      const group = handle(i);
      const spot = lens.spot(key.position);
      const isLocked = edits.isLocked(path, i);
      group.dataset.key = i;
      // a loop comes home onto key 1: that one stays on top
      group.style.display = !spot || (path.closed && i === keys.length - 1) ? 'none' : '';
      if (!spot) return;
      set(group, 'transform', `translate(${round(spot)})`);
      set(group, 'class', `key${i === chosen ? ' chosen' : ''}${isLocked ? ' locked' : ''}`);
      const time = ed.number(key.time, 1);
      const name = say('point_at', { point: i + 1, points: keys.length, time });
      set(group, 'aria-label', key.name ? `${key.name}, ${name}` : name);
      set(group, 'aria-pressed', i === chosen);
      const [, heading, , number, tag] = group.children;
      write(number, String(i + 1));
      write(tag, key.name ?? '');
      const [hx, hz] = [views[i].rotation[0][2], views[i].rotation[2][2]];
      set(heading, 'd', isAbove ? `M${round([hx * 10, -hz * 10])}L${round([hx * 17, -hz * 17])}` : '');
    });
    const spot = lens.spot(ed.key.position);
    badge.style.display = spot && ed.isDrawn ? '' : 'none';
    if (spot) set(badge, 'transform', `translate(${round(spot)})`);
    set(badge, 'class', edits.isLocked(path, chosen) ? 'badge locked' : 'badge');
    write(badge.lastChild, String(chosen + 1));
    const seen = isAbove ? [] : views.filter((_, i) => keys.length <= MANY || i === chosen);
    set(frustums, 'd', seen.map((view) => frustum(view, FRUSTUM.key)).join(''));

    const aim = ed.aim.mode === 'point' && lens.spot(ed.aim.point);
    mark.style.display = aim ? '' : 'none';
    if (aim) set(mark, 'transform', `translate(${round(aim)})`);
    showFlaws();
    showLift();
    showRuler();
    showNow();
    for (const [name, part] of switches) set(part, 'aria-pressed', lens === lenses[name]);
    hint.textContent = ed.tool ? say(`${ed.tool}_hint`) : ed.isDrawn ? '' : say('empty_hint');
    hint.hidden = !hint.textContent;
  }

  // What changes while it plays
  function showNow() {
    set(wedge, 'd', frustum(ed.at(ed.time), FRUSTUM.now));
  }

  // What the checks found, on the way where it is
  function showFlaws() {
    while (flaws.children.length > ed.flaws.length) flaws.lastChild.remove();
    ed.flaws.forEach(({ begin, end, words }, i) => {
      const part = flaws.children[i] ?? draw('path', flaws);
      if (!part.firstChild) draw('title', part);
      const count = 2 + Math.ceil((60 * (end - begin)) / ed.seconds);
      const places = Array.from({ length: count }, (_, k) => ed.at(begin + ((end - begin) * k) / (count - 1)).position);
      set(part, 'd', trail(places));
      part.dataset.flaw = i;
      write(part.firstChild, words);
    });
  }

  function showRuler() {
    const unit = ed.metre ?? ed.D;
    const middle = lens === lenses.above ? null : lens.pivot;
    const pixels = lens.scaleAt(middle);
    const wanted = 84 / (pixels * unit);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const nice = [5, 2, 1].map((n) => n * power).find((n) => n <= wanted) ?? power;
    const [bar, label] = ruler.children;
    set(bar, 'd', `M12 ${lens.box.height - 18}v6h${(nice * unit * pixels).toFixed(1)}v-6`);
    set(label, 'x', 12);
    set(label, 'y', lens.box.height - 24);
    const digits = Math.max(0, -Math.floor(Math.log10(nice) + 1e-9));
    write(label, ed.about + say(ed.metre ? 'metres' : 'shares', { number: ed.number(nice, digits) }));
  }

  // -- height ---------------------------------------------------------------------------------------------------------

  const canLift = () => ed.isDrawn && !edits.isLocked(ed.path, ed.chosen);

  function showLift() {
    lift.hidden = !canLift();
    lifter.style.display = 'none';
    if (lift.hidden) return;
    const { position } = ed.key;
    const height = -position[1] / (HEIGHTS * ed.D);
    grip.style.top = `${50 - 50 * Math.min(Math.max(height, -1), 1)}%`;
    reading.textContent = ed.heightWords(position[1]);
    set(lift, 'aria-valuemin', (-HEIGHTS).toFixed(2));
    set(lift, 'aria-valuemax', HEIGHTS.toFixed(2));
    set(lift, 'aria-valuenow', (-position[1] / ed.D).toFixed(2));
    set(lift, 'aria-valuetext', reading.textContent);
    if (lens === lenses.above) return;
    const [spot, up] = [position, add(position, [0, -0.1 * ed.D, 0])].map((place) => lens.spot(place));
    if (!spot || !up) return;
    const way = subtract(up, spot);
    if (norm(way) < 4) return; // seen from straight above
    const reach = scale(way, 40 / norm(way));
    const end = spot[1] + reach[1] < TOP ? subtract(spot, reach) : add(spot, reach);
    lifter.style.display = '';
    set(lifter.firstChild, 'd', `M${round(spot)}L${round(end)}`);
    set(knob, 'transform', `translate(${round(end)})`);
  }

  const liftTo = (y, from = ed.path) => {
    const [x, , z] = from.keys[ed.chosen].position;
    return edits.change(from, ed.chosen, { position: [x, ed.snapped([0, y, 0])[1], z] });
  };

  // perUnit: pixels of the hand for one scene unit of height
  function liftBy(event, on, perUnit) {
    const start = ed.path;
    const y = ed.key.position[1];
    let moved = false;
    event.preventDefault();
    return drag(event, on, (e) => {
      const up = event.clientY - e.clientY;
      if (!moved && Math.abs(up) < 3) return;
      moved = true;
      ed.shape(liftTo(y - up / perUnit, start));
    }, () => moved && ed.commit());
  }

  lift.addEventListener('pointerdown', (event) => {
    if (event.button || !canLift()) return;
    lift.focus({ preventScroll: true });
    liftBy(event, lift, rail.clientHeight / (2 * HEIGHTS * ed.D));
  });
  lift.addEventListener('keydown', (event) => {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 };
    const step = Math.max(STEP, ed.snap ? ed.grid : 0) * ed.D;
    if (event.key in steps) ed.commit(liftTo(ed.key.position[1] - steps[event.key] * step));
    else if (event.key === 'Home') ed.commit(liftTo(0));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // -- pointers -------------------------------------------------------------------------------------------------------

  const spotOf = (event) => {
    const { left, top } = map.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  // Of handles that overlap the nearest is meant
  function keyAt([x, y]) {
    let [best, at] = [17, -1];
    ed.path.keys.forEach((key, i) => {
      const spot = lens.spot(key.position);
      const off = spot ? Math.hypot(spot[0] - x, spot[1] - y) : Infinity;
      if (off < best && !(ed.path.closed && i === ed.path.keys.length - 1)) [best, at] = [off, i];
    });
    return at;
  }

  const fingers = new Map();
  let stop = null; // forgets the drag under way when a second finger makes it a pinch
  map.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, spotOf(event));
    ed.play(false);
    if (fingers.size === 2) {
      stop?.();
      ghost.setAttribute('points', '');
      ed.letGo(); // what the first finger had begun to move
      return void (stop = pinch(event));
    }
    const spot = spotOf(event);
    if (ed.tool === 'look' || ed.tool === 'orbit') return;
    if (event.target.closest('.lifter')) {
      stop = liftBy(event, map, lens.scaleAt(ed.key.position));
      return;
    }
    const index = keyAt(spot);
    if (ed.tool === 'draw' || (!ed.isDrawn && index === 0)) {
      stop = sketch(event);
    } else if (index >= 0) {
      event.preventDefault(); // the handle on top may be that of a neighbour: it shall not take the focus
      ed.choose(index);
      stop = edits.isLocked(ed.path, index) ? null : moveKey(event, index, spot);
    } else if (event.target.closest('.aim')) {
      stop = drag(event, map, (e) => {
        const place = lens.place(spotOf(e), ed.aim.point[1]);
        if (!place) return;
        ed.aim = { mode: 'point', point: ed.snapped(place) };
        ed.shape(ed.path);
      }, () => ed.commit());
    } else if (event.target.dataset?.flaw !== undefined) {
      ed.goTo(ed.flaws[event.target.dataset.flaw]);
    } else {
      const from = { ...lens };
      stop = drag(event, map, (e) => {
        const now = spotOf(e);
        lens.turn(from, now[0] - spot[0], now[1] - spot[1]);
        ed.refresh();
      });
    }
  });
  for (const end of ['pointerup', 'pointercancel']) {
    map.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (end === 'pointerup' && (ed.tool === 'look' || ed.tool === 'orbit')) ed.pointAt(pick(spotOf(event)));
    });
  }
  map.addEventListener('pointermove', (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, spotOf(event));
  });

  function pinch(event) {
    const hold = () => {
      const [[ax, ay], [bx, by]] = [...fingers.values()];
      return { size: Math.max(Math.hypot(ax - bx, ay - by), 1), x: (ax + bx) / 2, y: (ay + by) / 2 };
    };
    let before = hold();
    const follow = () => {
      if (fingers.size !== 2) return;
      const now = hold();
      lens.zoom(now.size / before.size, [now.x, now.y], ed.D);
      lens.slide({ ...lens }, now.x - before.x, now.y - before.y);
      before = now;
      ed.refresh();
    };
    const [first, second] = [...fingers.keys()];
    const other = first === event.pointerId ? second : first;
    const forget = [drag(event, map, follow), drag({ pointerId: other }, map, follow)];
    return () => forget.forEach((each) => each());
  }

  function moveKey(event, i, spot) {
    const start = ed.path;
    const from = start.keys[i].position;
    const held = lens.place(spot, from[1]) ?? from;
    let moved = false;
    return drag(event, map, (e) => {
      const now = spotOf(e);
      if (!moved && Math.hypot(now[0] - spot[0], now[1] - spot[1]) < 3) return;
      moved = true;
      if (e.shiftKey) { // with shift the hand lifts and lowers the camera
        ed.shape(liftTo(from[1] + (now[1] - spot[1]) / lens.scaleAt(from), start));
        return;
      }
      const place = lens.place(now, from[1]);
      if (place) ed.shape(edits.change(start, i, { position: ed.snapped(add(from, subtract(place, held))) }));
    }, () => moved && ed.commit());
  }

  function sketch(event) {
    const points = [];
    const collect = (e) => {
      const place = lens.place(spotOf(e));
      if (place) points.push([place[0], place[2]]);
    };
    collect(event);
    const forget = drag(event, map, (e) => {
      for (const part of e.getCoalescedEvents?.() ?? [e]) collect(part);
      const line = [[0, 0], ...points].map(([x, z]) => lens.spot([x, 0, z])).filter(Boolean);
      ghost.setAttribute('points', line.map(round).join(' '));
    }, (e) => {
      ghost.setAttribute('points', '');
      if (points.length && norm(points[0]) * lens.scaleAt([0, 0, 0]) < 24) {
        // pressed on the camera, but hardly in its very middle: no hook there
        const [ox, oz] = points[0];
        points.forEach((point, i) => {
          const share = 1 - i / (points.length - 1);
          points[i] = [point[0] - ox * share, point[1] - oz * share];
        });
      }
      ed.drawStroke(e.type === 'pointercancel' ? [] : points);
    });
    return () => {
      forget();
      ghost.setAttribute('points', '');
    };
  }

  map.addEventListener('dblclick', (event) => {
    const spot = spotOf(event);
    if (ed.tool || keyAt(spot) >= 0) return;
    const count = 240;
    let [best, when] = [14, null];
    for (let i = 0; i <= count && ed.isDrawn; i += 1) {
      const on = lens.spot(ed.at((ed.seconds * i) / count).position);
      const off = on ? Math.hypot(on[0] - spot[0], on[1] - spot[1]) : Infinity;
      if (off < best) [best, when] = [off, (ed.seconds * i) / count];
    }
    const place = lens.place(spot, ed.path.keys[ed.path.keys.length - 1].position[1]);
    if (when !== null) ed.lay(edits.insert(ed.path, when));
    else if (place) ed.lay(edits.append(ed.path, ed.snapped(place), ed.newSeconds));
  });

  map.addEventListener('wheel', (event) => {
    event.preventDefault();
    lens.zoom(Math.exp(-event.deltaY / 500), spotOf(event), ed.D);
    ed.refresh();
  }, { passive: false });

  function pick(spot) {
    const { width, height } = lens.box;
    if (lens === lenses.above) {
      const place = lens.place(spot);
      return ed.world?.pickAbove([place[0], place[2]], 12 / lens.scale) ?? place;
    }
    const found = ed.world?.pick({ x: spot[0] / width, y: spot[1] / height }, lens, width / height);
    return ed.world ? found : lens.place(spot);
  }

  // -- keys -----------------------------------------------------------------------------------------------------------

  handles.addEventListener('keydown', (event) => {
    const step = STEP * ed.D;
    const moves = {
      ArrowLeft: [-step, 0, 0], ArrowRight: [step, 0, 0], ArrowUp: [0, 0, step], ArrowDown: [0, 0, -step],
      PageUp: [0, -step, 0], PageDown: [0, step, 0],
    };
    const turns = { ArrowLeft: [2, 0], ArrowRight: [-2, 0], ArrowUp: [0, 2], ArrowDown: [0, -2] };
    const isLocked = edits.isLocked(ed.path, ed.chosen);
    if (event.key === 'Delete' || event.key === 'Backspace') ed.removeKey();
    else if (event.shiftKey && event.key in turns) {
      if (!isLocked) ed.turnKey(...turns[event.key]);
    } else if (event.key in moves) {
      if (!isLocked) {
        const position = add(ed.key.position, moves[event.key]);
        ed.commit(edits.change(ed.path, ed.chosen, { position }));
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  map.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.target !== map) return;
    if (event.key in steps) lens.step(...steps[event.key]);
    else if (event.key === '+' || event.key === '-') {
      lens.zoom(event.key === '+' ? 1.3 : 1 / 1.3, [lens.box.width / 2, lens.box.height / 2], ed.D);
    } else return;
    event.preventDefault();
    ed.refresh();
  });

  speech.name(map, 'above_tip', 'aria-label');
  return {
    pane, fit, resize, show, showNow,
    focus: (i) => handles.children[i]?.focus({ preventScroll: true }),
    paint: (box, layer) => (lens === lenses.above
      ? ed.world.drawAbove(box, lens, layer) : ed.world.drawAround(box, lens, layer)),
  };
}
