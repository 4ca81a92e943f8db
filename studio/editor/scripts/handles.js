// A handle for every key of the path, and the number of the chosen one above its neighbours.
import { draw, set, write } from './dom.js';
import { place, round } from './outlines.js';
import { isLocked } from './path.js';

export class Handles {
  constructor(room) {
    Object.assign(this, { room, editor: room.editor });
    this.group = draw('g', room.map);
    this.badge = draw('g', room.map, { class: 'badge', 'aria-hidden': 'true' });
    draw('circle', this.badge, { r: 10 });
    draw('text', this.badge, { dy: '0.35em' });
  }

  focus(i) {
    this.group.children[i]?.focus({ preventScroll: true });
  }

  // cameras: of the keys
  show(cameras) {
    const { editor, room } = this;
    const { path, chosen, key } = editor;
    while (this.group.children.length > path.keys.length) this.group.lastChild.remove();
    while (this.group.children.length < path.keys.length) this.addHandle();
    cameras.forEach((camera, i) => this.showHandle(i, camera));
    const spot = room.viewpoint.spotOf(key.position);
    place(this.badge, editor.isDrawn && spot);
    set(this.badge, 'class', isLocked(path, chosen) ? 'badge locked' : 'badge');
    write(this.badge.lastChild, String(chosen + 1));
  }

  addHandle() {
    const part = draw('g', this.group, { class: 'key', tabindex: 0, role: 'button' });
    draw('circle', part, { r: 17, class: 'reach' });
    draw('path', part, { class: 'heading' });
    draw('circle', part, { r: 8, class: 'dot' });
    draw('text', part, { dy: '0.35em' });
    draw('text', part, { class: 'tag', dy: '-1.4em' });
    part.addEventListener('focus', () => this.editor.choose(Number(part.dataset.key), false));
  }

  showHandle(i, { rotation }) {
    const { editor, room } = this;
    const { path, chosen } = editor;
    const key = path.keys[i];
    const part = this.group.children[i];
    const [, heading, , number, tag] = part.children;
    part.dataset.key = i;
    // the last key of a loop lies on the first: that one stays on top
    const isHidden = path.closed && i === path.keys.length - 1;
    const spot = room.viewpoint.spotOf(key.position);
    part.style.display = !spot || isHidden ? 'none' : '';
    if (!spot) return;
    set(part, 'transform', `translate(${round(spot)})`);
    set(part, 'class', `key${i === chosen ? ' chosen' : ''}${isLocked(path, i) ? ' locked' : ''}`);
    const point = { point: i + 1, points: path.keys.length, time: editor.number(key.time, 1) };
    const name = editor.say('point_at', point);
    set(part, 'aria-label', key.name ? `${key.name}, ${name}` : name);
    set(part, 'aria-pressed', i === chosen);
    write(number, String(i + 1));
    write(tag, key.name ?? '');
    const [x, z] = [rotation[0][2], rotation[2][2]];
    const line = () => `M${round([x * 10, -z * 10])}L${round([x * 17, -z * 17])}`;
    set(heading, 'd', room.isFromAbove ? line() : '');
  }
}
