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

// A file that could not be fetched is asked for again, for as long as a connection may well be away
let tries = 0;
for (const media of [image, video]) {
  media.addEventListener(media === video ? 'loadeddata' : 'load', () => { tries = 0; });
  media.addEventListener('error', () => {
    const { src } = media;
    if (!src || tries >= 60) return;
    tries += 1;
    setTimeout(() => { if (media.src === src) media.src = src; }, 2000);
  });
}

function words() {
  invite.textContent = props.texts.drop;
  choose.textContent = props.texts.choose;
  kinds.textContent = props.texts.kinds;
  replace.textContent = props.texts.replace;
  edit.textContent = props.texts.edit_path;
  show();
}

// A photo on its way outlives a page that has to load again: it lies in the browser's own store until it has arrived.
// The tab knows it by its name there, and afterwards by its path on the server, see visit.js
const DAY = 24 * 3600 * 1000;
const onItsWay = (what) => window.visit?.store.setItem('mirage-upload', what);
const shelf = (act) => new Promise((resolve, reject) => { // rejects also where this page is lent no store
  const opening = indexedDB.open('mirage');
  opening.onupgradeneeded = () => opening.result.createObjectStore('photos');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const base = opening.result;
    const change = base.transaction('photos', 'readwrite');
    const request = act(change.objectStore('photos'));
    change.oncomplete = () => { base.close(); resolve(request.result); };
    change.onerror = () => { base.close(); reject(change.error); };
  };
});
const forget = (name) => shelf((photos) => photos.delete(name)).catch(() => {});
let newest = ''; // name of the photo that was dropped last

async function take(file) {
  if (!file) return;
  if (file.size > props.max_bytes) {
    say({ error: props.texts.too_heavy });
    return;
  }
  const name = newest = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  say({ words: props.texts.uploading });
  onItsWay(name);
  shelf((photos) => {
    photos.delete(IDBKeyRange.upperBound(String(Date.now() - DAY))); // of tabs that were closed meanwhile
    return photos.put(file, name);
  }).catch(() => {}); // a browser without a store still sends it, for as long as the page stays
  while (name === newest) {
    try {
      // The visitor's own file name stays private. The new one is random, because Gradio keeps equal files of one name
      // as a single upload, which visitors would then share
      const { path } = await upload(new File([file], `photo-${name}`, { type: file.type }));
      onItsWay(path);
      trigger('photo', { path });
      break;
    } catch (error) {
      if (!/^Connection errored out/.test(error?.message)) { // the server has refused it
        window.visit?.store.removeItem('mirage-upload');
        say({ error: props.texts.upload_failed });
        break;
      }
      say({ words: props.texts.upload_again });
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
    }
  }
  forget(name);
}

// The page has loaded again while a photo was on its way
document.addEventListener('visit-known', async ({ detail: name }) => {
  if (!/^\d+-\w+$/.test(name ?? '')) return;
  const file = await shelf((photos) => photos.get(name)).catch(() => null);
  if (file) take(file);
  else say({ error: props.texts.upload_failed });
  forget(name);
}, { once: true });

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
