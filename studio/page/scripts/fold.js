// A title that unfolds text. Its value is markup of the studio's own; where there is `texts.copy` it is plain text,
// which can be copied and saved.
const fold = document.createElement('details');
const title = fold.appendChild(document.createElement('summary'));
const inside = fold.appendChild(document.createElement('div'));
element.querySelector('.fold').append(fold);

const text = document.createElement('pre');
const acts = document.createElement('p');
acts.setAttribute('aria-live', 'polite');
const button = (act) => {
  const part = acts.appendChild(document.createElement('button'));
  part.type = 'button';
  part.addEventListener('click', act);
  return part;
};
const copy = button(async () => {
  getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    document.execCommand('copy'); // no clipboard in an iframe or without https: what is selected can be copied
  }
  copy.textContent = props.texts.copied;
});
const save = button(() => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text.textContent], { type: 'application/json' }));
  link.download = 'mirage-recipe.json';
  link.click();
  URL.revokeObjectURL(link.href);
});

function words() {
  title.textContent = props.texts.title;
  copy.textContent = props.texts.copy;
  save.textContent = props.texts.save;
}

function show() {
  copy.textContent = props.texts.copy;
  if (props.texts.copy) text.textContent = props.value;
  else inside.innerHTML = props.value;
}

if (props.texts.copy) inside.append(text, acts);
watch('texts', words);
watch('value', show);
words();
show();
