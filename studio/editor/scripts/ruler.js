// A bar of a round length, in metres where they are known.
import { draw, set, write } from './dom.js';

const LONGEST = 84; // pixels

export class Ruler {
  constructor(room) {
    this.room = room;
    const group = draw('g', room.map, { class: 'ruler' });
    this.bar = draw('path', group);
    this.label = draw('text', group);
  }

  show() {
    const { editor, viewpoint } = this.room;
    const { measures, say } = editor;
    const perUnit = viewpoint.scaleAt(viewpoint.pivot); // pixels per scene unit; from above the same everywhere
    const longest = LONGEST / (perUnit * measures.unit);
    const power = 10 ** Math.floor(Math.log10(longest));
    const length = [5, 2, 1].map((digit) => digit * power).find((each) => each <= longest) ?? power;
    const { height } = viewpoint.box;
    set(this.bar, 'd', `M12 ${height - 18}v6h${(length * measures.unit * perUnit).toFixed(1)}v-6`);
    set(this.label, 'x', 12);
    set(this.label, 'y', height - 24);
    const digits = Math.max(0, -Math.floor(Math.log10(length) + 1e-9));
    const number = editor.number(length, digits);
    write(this.label, measures.prefix + say(measures.metre ? 'metres' : 'shares', { number }));
  }
}
