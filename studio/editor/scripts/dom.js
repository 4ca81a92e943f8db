// Making and changing elements of the page. Text reaches it as textContent only.
const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  draw: 'M3 13.5c4-9 6 2 10-9M11 3l2.5 1.5L12 7',
  look: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z',
  orbit: 'M2.2 10.2a6 6 0 1 1 11.6 0M13.8 10.2l1-2.6M13.8 10.2L11.4 9M8 7.6v.8',
  add: 'M8 3v10M3 8h10',
  undo: 'M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M3 6.5L6 3.5M3 6.5l3 3',
  redo: 'M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10M13 6.5L10 3.5M13 6.5l-3 3',
  play: 'M5 3.2v9.6L13 8z',
  pause: 'M5 3.5v9M11 3.5v9',
  zoom_in: 'M8 3.5v9M3.5 8h9',
  zoom_out: 'M3.5 8h9',
  fit: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3',
  previous: 'M9.5 4L5.5 8l4 4',
  next: 'M6.5 4l4 4-4 4',
};

// A new HTML element at the end of `parent`
export function make(tag, kind, parent, text) {
  const part = document.createElement(tag);
  if (kind) part.className = kind;
  if (text !== undefined) part.textContent = text;
  parent?.append(part);
  return part;
}

// A new SVG element at the end of `parent`
export function draw(tag, parent, attributes = {}) {
  const part = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
  parent?.append(part);
  return part;
}

export function icon(name, parent) {
  const art = draw('svg', parent, { viewBox: '0 0 16 16', 'aria-hidden': 'true', class: `icon ${name}` });
  draw('path', art, { d: ICONS[name] });
}

// `set` and `write` leave alone what is there already: writing it again would make the browser lay out the page anew
export function set(part, name, value) {
  const text = String(value);
  if (part.getAttribute(name) !== text) part.setAttribute(name, text);
}

export function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

// Follows one pointer over the element `on` until it lets go: move(event) at every step, done(event) at the end.
// Returns a function that stops following it
export function drag(event, on, move, done = () => {}) {
  on.setPointerCapture(event.pointerId);
  const follow = (e) => e.pointerId === event.pointerId && move(e);
  const finish = (e) => {
    if (e.pointerId !== event.pointerId) return;
    stop();
    done(e);
  };
  function stop() {
    on.removeEventListener('pointermove', follow);
    for (const end of ['pointerup', 'pointercancel']) on.removeEventListener(end, finish);
  }
  on.addEventListener('pointermove', follow);
  for (const end of ['pointerup', 'pointercancel']) on.addEventListener(end, finish);
  return stop;
}
