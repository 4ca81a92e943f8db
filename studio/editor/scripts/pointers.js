// Mouse and fingers in the room: decides what a press is about.
import { append, insert } from './edits.js';
import * as gestures from './gestures.js';
import { isLocked } from './path.js';
import { keyAt, pointOfPlace, timeAt } from './picking.js';

export class Pointers {
  constructor(room) {
    const { map } = room;
    Object.assign(this, { room, editor: room.editor });
    this.fingers = new Map(); // pointerId -> spot of each that is down
    this.stop = null; // ends the gesture under way when a second finger makes it a pinch
    map.addEventListener('pointerdown', (event) => this.press(event));
    map.addEventListener('pointermove', (event) => {
      if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, this.spotOf(event));
    });
    map.addEventListener('pointerup', (event) => this.release(event));
    map.addEventListener('pointercancel', (event) => this.fingers.delete(event.pointerId));
    map.addEventListener('dblclick', (event) => this.addPoint(this.spotOf(event)));
    map.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
  }

  spotOf(event) {
    const { left, top } = this.room.map.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  press(event) {
    const { editor } = this;
    if (event.button) return;
    const spot = this.spotOf(event);
    this.fingers.set(event.pointerId, spot);
    editor.play(false);
    if (this.fingers.size === 2) {
      this.stop?.();
      editor.withdraw(); // what the first finger had begun to move
      this.stop = gestures.pinch(this, event);
    } else if (!editor.isPointing) this.begin(event, spot);
  }

  // What lies under the finger says what its drag does
  begin(event, spot) {
    const { editor, room } = this;
    if (event.target.closest('.lifter')) {
      this.stop = room.height.drag(event, room.map, room.viewpoint.scaleAt(editor.key.position));
      return;
    }
    const index = keyAt(room, spot);
    if (editor.tool === 'draw' || (!editor.isDrawn && index === 0)) {
      this.stop = gestures.sketch(this, event);
    } else if (index >= 0) {
      event.preventDefault(); // the handle on top may be that of a neighbour: it shall not take the focus
      editor.choose(index);
      this.stop = isLocked(editor.path, index) ? null : gestures.moveKey(this, event, index);
    } else if (event.target.closest('.aim')) {
      this.stop = gestures.moveAim(this, event);
    } else if (event.target.dataset?.flaw !== undefined) {
      editor.goTo(editor.sync.flaws[event.target.dataset.flaw]);
    } else {
      this.stop = gestures.turnView(this, event);
    }
  }

  release(event) {
    this.fingers.delete(event.pointerId);
    if (this.editor.isPointing) this.editor.pointAt(pointOfPlace(this.room, this.spotOf(event)));
  }

  // A double click: on the path where it is, or after its last key
  addPoint(spot) {
    const { editor, room } = this;
    const { path, limits } = editor;
    if (editor.tool || keyAt(room, spot) >= 0) return;
    const time = timeAt(room, spot);
    const point = room.viewpoint.pointAt(spot, path.keys[path.keys.length - 1].position[1]);
    if (time !== null) editor.commitNewKey(insert(path, time, limits));
    else if (point) editor.commitNewKey(append(path, editor.snapped(point), editor.newSeconds, limits));
  }

  wheel(event) {
    event.preventDefault();
    this.room.viewpoint.zoom(Math.exp(-event.deltaY / 500), this.spotOf(event), this.editor.distance);
    this.editor.refresh();
  }
}
