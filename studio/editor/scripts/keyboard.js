// The keyboard: shortcuts of the whole editor, the chosen key by arrows, the room by arrows.
import { change } from './edits.js';
import { add, isLocked } from './path.js';

const STEP = 0.02; // of the subject's distance: what an arrow key moves
const TURN = 2; // degrees: what shift with an arrow key turns
const ZOOM = 1.3;

export function shortcuts(editor, event) {
  const key = event.key.toLowerCase();
  const isTyping = event.target.closest('input, textarea, select');
  const isUndo = (event.ctrlKey || event.metaKey) && event.target !== editor.files.area;
  if (isUndo && key === 'z') editor[event.shiftKey ? 'redo' : 'undo']();
  else if (isUndo && key === 'y') editor.redo();
  else if (key === ' ' && !isTyping && !event.target.closest('button, summary')) editor.play();
  else if (key === 'escape' && (editor.toolbar.closeMenu() || editor.tool)) editor.takeTool(null);
  else return;
  event.preventDefault();
}

// On a handle of a key: move it, turn it with shift, delete it
export function pressOnKey(editor, event) {
  const { path, chosen, key, distance } = editor;
  const step = STEP * distance;
  const moves = {
    ArrowLeft: [-step, 0, 0], ArrowRight: [step, 0, 0], ArrowUp: [0, 0, step], ArrowDown: [0, 0, -step],
    PageUp: [0, -step, 0], PageDown: [0, step, 0],
  };
  const turns = { ArrowLeft: [TURN, 0], ArrowRight: [-TURN, 0], ArrowUp: [0, TURN], ArrowDown: [0, -TURN] };
  const isFree = !isLocked(path, chosen);
  if (event.key === 'Delete' || event.key === 'Backspace') editor.removePoint();
  else if (event.shiftKey && event.key in turns) {
    if (isFree) editor.turnKey(...turns[event.key]);
  } else if (event.key in moves) {
    if (isFree) editor.commit(change(path, chosen, { position: add(key.position, moves[event.key]) }));
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

// On the room itself: look elsewhere, closer or from farther away
export function pressOnRoom(room, event) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.target !== room.map) return;
  if (event.key in steps) room.viewpoint.step(...steps[event.key]);
  else if (event.key === '+' || event.key === '-') room.zoom(event.key === '+' ? ZOOM : 1 / ZOOM);
  else return;
  event.preventDefault();
  room.editor.refresh();
}
