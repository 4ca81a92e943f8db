// Time: the play button, the photo-backed strip with a diamond for every key, and the findings where they are.
import { drag, draw, make, set, write } from './dom.js';
import { setTime } from './edits.js';
import { Player } from './player.js';

const STILL = 3; // pixels: a hand that moves less meant no drag

export class Timeline {
  constructor(editor) {
    this.editor = editor;
    const run = make('div', 'run', editor.root);
    this.player = new Player(editor, run, () => this.showTime());
    const lane = make('div', 'lane', run);
    this.slider = make('div', 'track', lane);
    this.slider.tabIndex = 0;
    this.slider.setAttribute('role', 'slider');
    this.slider.setAttribute('aria-valuemin', 0);
    editor.words.label(this.slider, 'track', 'aria-label');
    this.strip = draw('svg', this.slider, {
      viewBox: '0 0 1000 40', preserveAspectRatio: 'none', 'aria-hidden': 'true',
    });
    this.marks = make('div', 'marks', this.slider);
    this.head = make('i', 'head', this.slider);
    this.flaws = make('div', 'flaws', lane);
    this.clock = make('span', 'clock', run);
    this.slider.addEventListener('pointerdown', (event) => this.press(event));
    this.slider.addEventListener('keydown', (event) => this.pressKey(event));
  }

  // -- what is shown --------------------------------------------------------------------------------------------------

  // Seconds as a place along the slider
  percent(seconds) {
    return `${this.editor.seconds ? (100 * seconds) / this.editor.seconds : 0}%`;
  }

  show() {
    this.showMarks();
    this.showStrip();
    this.showFlaws();
    this.showTime();
  }

  // Only what changes while it plays
  showTime() {
    const { number, time, seconds } = this.editor;
    this.player.show();
    this.head.style.left = this.percent(time);
    write(this.clock, `${number(time, 1)} / ${number(seconds, 1)} s`);
    set(this.slider, 'aria-valuemax', seconds.toFixed(2));
    set(this.slider, 'aria-valuenow', time.toFixed(2));
    set(this.slider, 'aria-valuetext', `${number(time, 1)} s`);
  }

  showMarks() {
    const { editor, marks } = this;
    const { keys } = editor.path;
    while (marks.children.length > keys.length) marks.lastChild.remove();
    while (marks.children.length < keys.length) make('i', '', marks);
    keys.forEach((key, i) => {
      const part = marks.children[i];
      part.dataset.key = i;
      part.style.left = this.percent(key.time);
      part.classList.toggle('chosen', i === editor.chosen);
      if (part.title !== (key.name ?? '')) part.title = key.name ?? '';
    });
  }

  // How much of each frame the photo backs
  showStrip() {
    const { editor, strip } = this;
    const coverage = editor.isDrawn ? editor.sync.review.coverage ?? [] : [];
    strip.classList.toggle('stale', editor.sync.state !== 'reviewed');
    if (strip.coverage === coverage) return;
    strip.coverage = coverage;
    strip.replaceChildren();
    draw('rect', strip, { width: 1000, height: 40, class: coverage.length ? 'strip-invented' : 'strip-unknown' });
    if (coverage.length < 2) return;
    const points = coverage.map((share, i) => `${(1000 * i) / (coverage.length - 1)},${40 * (1 - share)}`);
    draw('polygon', strip, { class: 'strip-backed', points: `0,40 ${points.join(' ')} 1000,40` });
  }

  // Each finding has a row of its own, so that two at the same time can both be clicked
  showFlaws() {
    const { editor, flaws } = this;
    const found = editor.sync.flaws;
    const rows = [...new Set(found.map(({ finding }) => finding))];
    while (flaws.children.length > found.length) flaws.lastChild.remove();
    while (flaws.children.length < found.length) {
      const part = make('button', 'flaw', flaws);
      part.type = 'button';
      make('i', '', part);
      part.addEventListener('click', () => editor.goTo(editor.sync.flaws[[...flaws.children].indexOf(part)]));
    }
    flaws.style.setProperty('--rows', rows.length);
    found.forEach(({ begin, end, words, finding }, i) => {
      const part = flaws.children[i];
      part.style.left = `${(100 * begin) / editor.seconds}%`;
      part.style.width = `${(100 * (end - begin)) / editor.seconds}%`;
      part.style.setProperty('--row', rows.indexOf(finding));
      set(part, 'title', words);
      set(part, 'aria-label', words);
    });
  }

  // -- mouse, fingers and keyboard ------------------------------------------------------------------------------------

  secondsAt(event) {
    const { left, width } = this.slider.getBoundingClientRect();
    return (this.editor.seconds * (event.clientX - left)) / width;
  }

  press(event) {
    const { editor } = this;
    if (!editor.isDrawn) return;
    editor.play(false);
    const index = event.target.dataset?.key;
    if (index !== undefined) {
      this.dragKey(event, Number(index));
      return;
    }
    editor.seek(this.secondsAt(event));
    drag(event, this.slider, (e) => editor.seek(this.secondsAt(e)));
  }

  dragKey(event, index) {
    const { editor } = this;
    editor.choose(index);
    // moving the last key would change the length of the path: that is what its field is for
    if (index === 0 || index === editor.path.keys.length - 1) return;
    let moved = false;
    drag(event, this.slider, (e) => {
      if (!moved && Math.abs(e.clientX - event.clientX) < STILL) return;
      moved = true;
      editor.propose(setTime(editor.path, editor.chosen, this.secondsAt(e), editor.limits));
      editor.time = editor.key.time;
    }, () => moved && editor.commit());
  }

  pressKey(event) {
    const { editor } = this;
    const frame = 1 / editor.limits.fps;
    const steps = { ArrowLeft: -frame, ArrowRight: frame, ArrowDown: -0.5, ArrowUp: 0.5 };
    if (event.key in steps) editor.seek(editor.time + steps[event.key]);
    else if (event.key === 'Home') editor.seek(0);
    else if (event.key === 'End') editor.seek(editor.seconds);
    else return;
    editor.play(false);
    event.preventDefault();
  }
}
