// Cards as a radio group: arrow keys move the focus, space and enter choose. Runs once per widget.
const root = element.querySelector('.cards');
root.setAttribute('role', 'radiogroup');

const cards = () => [...root.children];

function mark() {
  const chosen = cards().find((card) => card.dataset.id === props.value);
  cards().forEach((card, index) => {
    card.setAttribute('aria-checked', card === chosen);
    card.tabIndex = card === chosen || (!chosen && index === 0) ? 0 : -1;
  });
}

function choose(card) {
  props.value = card.dataset.id;
  mark();
  card.focus({ preventScroll: true });
  trigger('picked', { id: card.dataset.id });
}

function line(tag, kind, text) {
  const part = document.createElement(tag);
  part.className = kind;
  part.textContent = text;
  return part;
}

function build() {
  root.setAttribute('aria-label', props.caption);
  root.replaceChildren(...props.items.map((item, index) => {
    const texts = props.texts[index];
    const card = document.createElement('button');
    card.type = 'button';
    card.className = 'card';
    card.dataset.id = item.id;
    card.setAttribute('role', 'radio');
    const art = document.createElement('span');
    art.className = 'art';
    art.innerHTML = item.art; // the studio's own drawings, never a visitor's
    card.append(art, line('span', 'title', texts.title));
    if (texts.line) card.append(line('span', 'line', texts.line));
    if (texts.badge) card.append(line('span', `badge ${item.level}`, texts.badge));
    card.addEventListener('click', () => choose(card));
    return card;
  }));
  mark();
}

root.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const at = cards().indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = cards()[(at + step + cards().length) % cards().length];
  cards().forEach((card) => { card.tabIndex = card === next ? 0 : -1; });
  next.focus();
});

watch(['texts', 'caption'], build);
watch('value', mark);
build();
