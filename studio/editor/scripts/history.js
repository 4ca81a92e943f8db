// Undo, redo, and the draft that the browser keeps until the next visit. A state is JSON text of {path, aim, eyeLevel}.

const DRAFT = 'mirage-studio-path';
const MAX_UNDO = 200;

export class History {
  constructor(state) {
    this.current = state;
    this.past = [];
    this.future = [];
  }

  // Returns whether the state differs from the current one; only then there is something to undo, and nothing to redo
  push(state) {
    if (state === this.current) return false;
    this.past = [...this.past.slice(-MAX_UNDO), this.current];
    this.future = [];
    this.current = state;
    return true;
  }

  // Both return the state that is current then, parsed, or null where there is none
  undo() { return this.step(this.past, this.future); }
  redo() { return this.step(this.future, this.past); }

  step(from, to) {
    if (!from.length) return null;
    to.push(this.current);
    this.current = from.pop();
    return JSON.parse(this.current);
  }

  keepDraft() {
    try {
      localStorage.setItem(DRAFT, this.current);
    } catch { /* a browser that keeps nothing still edits */ }
  }
}

// The state of the last visit, not checked; null where there is none that has a path
export function draft() {
  const state = JSON.parse(localStorage.getItem(DRAFT));
  return state?.path?.keys?.length > 1 ? state : null;
}
