// The stage. What it shows comes from Python in props.value; a dropped photo is uploaded, and 'photo' carries its path.
const root = element.querySelector('.stage');

function make(tag, kind, parent = root) {
  const part = document.createElement(tag);
  part.className = kind;
  parent.append(part);
  return part;
}

const drop = make('label', 'drop');
const input = make('input', 'file', drop);
input.type = 'file';
// image/* also lets a phone offer its gallery; browsers know no type for many of the others
input.accept = 'image/*,.heic,.heif,.hif,.avif,.jxl,.dng,.nef,.nrw,.arw,.cr2,.cr3,.raf,.rw2,.orf,.pef,.srw,.3fr,.iiq,.x3f';
const icon = make('span', 'icon', drop);
const invite = make('strong', 'invite', drop);
const choose = make('span', 'choose', drop);
const kinds = make('small', 'kinds', drop);
icon.setAttribute('aria-hidden', 'true');

const image = make('img', 'picture');
const video = make('video', 'picture');
Object.assign(video, { autoplay: true, loop: true, muted: true, playsInline: true });
const tag = make('span', 'tag');
const replace = make('button', 'replace');
replace.type = 'button';
replace.addEventListener('click', () => input.click());

const edit = make('button', 'edit');
edit.type = 'button';
edit.addEventListener('click', () => trigger('edit', {}));

const activity = make('div', 'activity');
const note = make('p', 'note', activity);
note.setAttribute('aria-live', 'polite');
const bar = make('div', 'bar', activity);
const fill = make('i', '', bar);
const trouble = make('p', 'trouble');
trouble.setAttribute('role', 'alert');

function say({ words = '', share = null, error = '' }) {
  note.textContent = words;
  activity.hidden = !words && share === null;
  bar.hidden = share === null;
  fill.style.width = `${100 * (share ?? 0)}%`;
  trouble.textContent = error;
  trouble.hidden = !error;
}

function show() {
  const value = props.value || { kind: 'empty' };
  const url = value.file ? new URL('gradio_api/file=' + encodeURI(value.file), document.baseURI).href : '';
  const moves = value.kind === 'preview' || value.kind === 'clip';
  root.dataset.kind = value.kind;
  if (value.width) root.style.setProperty('--ratio', value.width / value.height);
  image.hidden = moves || !url;
  video.hidden = !moves;
  video.controls = value.kind === 'clip';
  if (moves && video.src !== url) {
    video.src = url;
    video.play().catch(() => {}); // a browser that refuses autoplay still shows the controls
  }
  if (!moves) video.removeAttribute('src');
  if (!moves && url && image.src !== url) image.src = url;
  image.alt = props.texts[`stage_${value.kind}`] || '';
  tag.textContent = props.texts[`stage_${value.kind}`] || '';
  tag.hidden = !url;
  replace.hidden = !url || value.kind === 'live';
  drop.hidden = Boolean(url);
  edit.hidden = !value.editable;
  root.toggleAttribute('data-drawing', Boolean(value.drawing)); // the editor is in front: the stage only shows words
  say({ words: value.note, share: value.share, error: value.error });
}

function words() {
  invite.textContent = props.texts.drop;
  choose.textContent = props.texts.choose;
  kinds.textContent = props.texts.kinds;
  replace.textContent = props.texts.replace;
  edit.textContent = props.texts.edit_path;
  show();
}

async function take(file) {
  if (!file) return;
  if (file.size > props.max_bytes) {
    say({ error: props.texts.too_heavy });
    return;
  }
  say({ words: props.texts.uploading });
  try {
    // The visitor's own file name stays private. The new one is random, because Gradio keeps equal files of one name as
    // a single upload, which visitors would then share
    const name = `photo-${Math.random().toString(36).slice(2)}`;
    const { path } = await upload(new File([file], name, { type: file.type }));
    trigger('photo', { path });
  } catch (error) {
    say({ error: props.texts.upload_failed });
  }
}

input.addEventListener('change', () => {
  take(input.files[0]);
  input.value = ''; // the same photo may be chosen again
});
root.addEventListener('dragover', (event) => {
  event.preventDefault();
  root.classList.add('over');
});
root.addEventListener('dragleave', () => root.classList.remove('over'));
root.addEventListener('drop', (event) => {
  event.preventDefault();
  root.classList.remove('over');
  take(event.dataTransfer.files[0]);
});
document.addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files || [])].find((item) => item.type.startsWith('image/'));
  if (file) take(file);
});

watch('texts', words);
watch('value', show);
words();
