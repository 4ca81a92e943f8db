// Plays the path: the button, and the time that runs while it plays.
import { icon, make, set } from './dom.js';

const FPS = 30; // of the preview while it plays

export class Player {
  // showTime: shows where the preview stands
  constructor(editor, parent, showTime) {
    Object.assign(this, { editor, showTime });
    this.request = null; // of the next picture, while it plays
    this.button = make('button', 'player', parent);
    this.button.type = 'button';
    this.button.addEventListener('click', () => this.play());
  }

  get isPlaying() { return this.request !== null; }

  play(on = !this.isPlaying) {
    const { editor } = this;
    if (this.isPlaying) cancelAnimationFrame(this.request);
    this.request = null;
    if (on && editor.isDrawn) this.start();
    this.showTime();
    if (!on) editor.refresh(); // at rest the room is fine again
  }

  // From where the preview stands, or from the start where it stands at the end
  start() {
    const { editor } = this;
    let began = performance.now() - 1000 * (editor.time >= editor.seconds - 1e-3 ? 0 : editor.time);
    let shown = 0;
    const step = (now) => {
      let time = (now - began) / 1000;
      if (time >= editor.seconds && editor.path.closed) began = now - 1000 * (time %= editor.seconds);
      const isOver = time >= editor.seconds;
      if (now - shown >= 900 / FPS || isOver) {
        shown = now;
        editor.time = Math.min(Math.max(time, 0), editor.seconds);
        editor.showTime();
      }
      if (isOver) this.play(false);
      else this.request = requestAnimationFrame(step);
    };
    this.request = requestAnimationFrame(step);
  }

  show() {
    const { button, editor, isPlaying } = this;
    if (button.dataset.playing !== String(isPlaying)) {
      button.dataset.playing = isPlaying;
      button.replaceChildren();
      icon(isPlaying ? 'pause' : 'play', button);
    }
    set(button, 'aria-label', editor.say(isPlaying ? 'pause' : 'play'));
    button.disabled = !editor.isDrawn;
  }
}
