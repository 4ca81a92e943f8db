// What is drawn in the room: the path with its findings, time marks, frustums and the aim, the handles, the ruler.
import { draw, set, write } from './dom.js';
import { Handles } from './handles.js';
import { frustum, place, trail } from './outlines.js';
import { Ruler } from './ruler.js';

const FRUSTUM = { now: 46, key: 20 }; // pixels
const MANY = 24; // keys: with more of them only the chosen one shows its frustum

export class Drawing {
  // In the order in which they lie on top of each other
  constructor(room) {
    const { map } = room;
    Object.assign(this, { room, editor: room.editor });
    this.shadow = draw('path', map, { class: 'floor-way' });
    this.stems = draw('path', map, { class: 'stems' });
    this.casing = draw('path', map, { class: 'casing' });
    this.line = draw('path', map, { class: 'way' });
    this.flaws = draw('g', map, { class: 'flaws' });
    this.stroke = draw('polyline', map, { class: 'ghost' }); // while it is drawn by hand
    this.ticks = draw('g', map, { class: 'ticks' });
    this.frustums = draw('path', map, { class: 'frustums' });
    this.wedge = draw('path', map, { class: 'wedge' }); // what the camera sees where the preview stands
    this.aim = draw('g', map, { class: 'aim', role: 'img' });
    draw('circle', this.aim, { r: 16, class: 'reach' });
    draw('circle', this.aim, { r: 8 });
    draw('path', this.aim, { d: 'M-13 0h8M5 0h8M0-13v8M0 5v8' });
    this.handles = new Handles(room);
    this.lifter = draw('g', map, { class: 'lifter', 'aria-hidden': 'true' }); // see height.js
    this.ruler = new Ruler(room);
    this.samples = { of: null, points: [] };
  }

  show() {
    const { editor, room } = this;
    const { width, height } = room.viewpoint.box;
    set(room.map, 'viewBox', `0 0 ${width} ${height}`);
    const cameras = editor.path.keys.map((key) => editor.at(key.time)); // of the keys
    this.showPath();
    this.showTicks();
    this.handles.show(cameras);
    this.showFrustums(cameras);
    place(this.aim, editor.aim.mode === 'point' && room.viewpoint.spotOf(editor.aim.point));
    this.showFlaws();
    this.ruler.show();
    this.showTime();
  }

  // Only what changes while it plays
  showTime() {
    const { editor, room } = this;
    set(this.wedge, 'd', frustum(room.viewpoint, editor.at(editor.time), FRUSTUM.now, editor.props.place));
  }

  showPath() {
    const { viewpoint, isFromAbove } = this.room;
    const { keys } = this.editor.path;
    const points = this.sampled();
    for (const part of [this.casing, this.line]) set(part, 'd', trail(viewpoint, points));
    // where the path leaves the photo's height, its shadow at that height shows by how much
    const level = 1e-3 * this.editor.distance;
    const isFlat = isFromAbove || keys.every(({ position }) => Math.abs(position[1]) < level);
    const ground = ([x, , z]) => [x, 0, z];
    const stems = () => keys.map(({ position }) => trail(viewpoint, [position, ground(position)])).join('');
    set(this.shadow, 'd', isFlat ? '' : trail(viewpoint, points.map(ground)));
    set(this.stems, 'd', isFlat ? '' : stems());
  }

  // Points along the path, computed once for each path
  sampled() {
    const { editor, samples } = this;
    if (samples.of !== editor.at) {
      const count = editor.isDrawn ? Math.min(Math.max(60, 8 * editor.path.keys.length), 480) : 0;
      samples.points = Array.from({ length: count }, (_, i) => editor.at((editor.seconds * i) / (count - 1)).position);
      samples.of = editor.at;
    }
    return samples.points;
  }

  // One at every full second
  showTicks() {
    const { editor, room, ticks } = this;
    ticks.replaceChildren();
    for (let second = 1; second < editor.seconds; second += 1) {
      const spot = room.viewpoint.spotOf(editor.at(second).position);
      if (spot) draw('circle', ticks, { cx: spot[0], cy: spot[1], r: 2.4 });
    }
  }

  showFrustums(cameras) {
    const { viewpoint, isFromAbove } = this.room;
    const { chosen, props } = this.editor;
    const shown = isFromAbove ? [] : cameras.filter((_, i) => cameras.length <= MANY || i === chosen);
    const outlines = shown.map((camera) => frustum(viewpoint, camera, FRUSTUM.key, props.place));
    set(this.frustums, 'd', outlines.join(''));
  }

  // What the checks found, on the path where it is
  showFlaws() {
    const { editor, room, flaws } = this;
    const found = editor.sync.flaws;
    while (flaws.children.length > found.length) flaws.lastChild.remove();
    found.forEach(({ begin, end, words }, i) => {
      const part = flaws.children[i] ?? draw('path', flaws);
      if (!part.firstChild) draw('title', part);
      const count = 2 + Math.ceil((60 * (end - begin)) / editor.seconds);
      const time = (k) => begin + ((end - begin) * k) / (count - 1);
      const points = Array.from({ length: count }, (_, k) => editor.at(time(k)).position);
      set(part, 'd', trail(room.viewpoint, points));
      part.dataset.flaw = i;
      write(part.firstChild, words);
    });
  }
}
