// The photo as a place, behind both views: reads its file, and paints it where the views are on the page.
import { make } from './dom.js';

const COARSE = 3; // a machine without a graphics card draws every third pixel while something moves
const REST = 300; // ms without a movement until everything is drawn fine

export class Backdrop {
  constructor(editor, views) {
    Object.assign(this, { editor, views });
    this.canvas = make('canvas', '', views);
    this.place = null; // a Place, once one is there
    this.file = null; // what it shows; '' while the first one is on its way
    this.boxes = null; // where the views are on the canvas; null while the editor is hidden
    this.wasVisible = false;
  }

  async load({ file, distance }) {
    const { editor } = this;
    if (file === this.file) return; // the same again: it stays as the hand has turned it
    this.file ??= '';
    try {
      const [{ Place }, { parse }, answer] = await Promise.all([
        import('./place.js'), import('./pixels.js'),
        fetch(new URL(`gradio_api/file=${encodeURI(file)}`, document.baseURI)),
      ]);
      if (!answer.ok) throw new Error(answer.status);
      const pixels = parse(await answer.arrayBuffer());
      if (editor.props.place.file !== file) return; // meanwhile there is another one
      this.place ??= new Place(this.canvas, COARSE);
      this.place.show(pixels, distance);
      this.file = file;
    } catch (error) {
      console.error(error);
      editor.notify(editor.say('no_place')); // no WebGL, or no file: the path can still be drawn
    }
    editor.room.fit();
    editor.refresh();
  }

  // After the views have changed their size
  measure() {
    const { editor } = this;
    this.boxes = this.measuredBoxes();
    if (!this.boxes) {
      this.wasVisible = false;
      return;
    }
    editor.room.resize(this.boxes.room);
    editor.refresh();
    // a phone shows the cards and the editor on different screens
    const { top } = editor.root.getBoundingClientRect();
    if (!this.wasVisible && (top < 0 || top > 0.6 * innerHeight)) editor.root.scrollIntoView({ behavior: 'smooth' });
    this.wasVisible = true;
  }

  measuredBoxes() {
    const whole = this.views.getBoundingClientRect();
    const inside = (part) => {
      const { left, top, width, height } = part.getBoundingClientRect();
      return { x: left - whole.left, y: top - whole.top, width, height };
    };
    const { room, viewfinder } = this.editor;
    return whole.width ? { room: inside(room.pane), viewfinder: inside(viewfinder.frame) } : null;
  }

  // On a machine without a graphics card coarse while something moves, and fine a moment later
  paint(isAtRest = false) {
    const { editor, place, boxes } = this;
    if (!boxes || !place) return;
    clearTimeout(this.rest);
    if (!isAtRest) this.rest = setTimeout(() => editor.player.isPlaying || this.paint(true), REST);
    place.fit();
    const layer = place.layer(isAtRest ? 1 : place.coarseStep);
    editor.viewfinder.paint(boxes.viewfinder, layer);
    editor.room.paint(boxes.room, layer);
    editor.root.dataset.painted = this.file;
  }
}
