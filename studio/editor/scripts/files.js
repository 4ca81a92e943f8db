// A path as text, and cameras from and to files of other tools.
import { make } from './page.js';

const FORMATS = ['path', 'json', 're10k', 'colmap', 'nerfstudio', 'blender', 'spatia'];

export function files(ed) {
  const { speech, say } = ed;
  const chooser = make('input', '', ed.root);
  Object.assign(chooser, { type: 'file', accept: '.json,.txt,.py', multiple: true, hidden: true });
  chooser.addEventListener('change', () => {
    read([...chooser.files]);
    chooser.value = ''; // the same file may be chosen again
  });

  let last = []; // files that were read
  function read(chosen, fix = null) {
    last = chosen;
    if (chosen.length) ed.tell.cameras(chosen, fix).catch(() => ed.notify(say('file_failed')));
  }

  ed.root.addEventListener('dragover', (event) => event.preventDefault());
  ed.root.addEventListener('drop', (event) => {
    event.preventDefault();
    read([...event.dataTransfer.files]);
  });

  const text = make('div', 'as-text', ed.root);
  const area = make('textarea', '', text);
  Object.assign(area, { rows: 8, spellcheck: false, maxLength: 256 * 1024 });
  speech.name(area, 'as_text', 'aria-label');
  const textActs = make('div', 'acts', text);
  speech.button(textActs, 'copy', async () => {
    area.select();
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      document.execCommand('copy'); // no clipboard in an iframe or without https: what is selected can be copied
    }
    ed.notify(say('copied'));
  });
  speech.button(textActs, 'paste', () => ed.tell.pasted(area.value));
  speech.button(textActs, 'hide', () => {
    text.hidden = true;
  });

  const saver = make('div', 'saver', ed.root);
  const label = make('label', 'field save_as', saver);
  speech.name(make('span', '', label), 'save_as');
  const format = make('select', '', label);
  for (const each of FORMATS) speech.name(make('option', '', format), `as_${each}`).value = each;
  const saverActs = make('div', 'acts', saver);
  speech.button(saverActs, 'save', async () => {
    try {
      const { name, data, refusal } = await ed.tell.save(format.value, JSON.stringify(ed.value));
      if (refusal) ed.notify(refusal);
      else download(name, data);
    } catch {
      ed.notify(say('save_failed'));
    }
  });
  speech.button(saverActs, 'hide', () => {
    saver.hidden = true;
  });
  text.hidden = true;
  saver.hidden = true;

  // data: base64
  function download(name, data) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const link = make('a', '', ed.root);
    Object.assign(link, { href: URL.createObjectURL(new Blob([bytes])), download: name });
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    ed.notify(say('saved', { name }));
  }

  const asText = () => JSON.stringify(ed.value, null, 1) ?? '';
  return {
    area,
    choose: () => chooser.click(),
    again: (fix) => read(last, fix),
    toggleText: () => {
      text.hidden = !text.hidden;
      area.value = asText();
      if (!text.hidden) area.focus();
    },
    toggleSaver: () => {
      saver.hidden = !saver.hidden;
      if (!saver.hidden) format.focus();
    },
    show: () => {
      if (!text.hidden && document.activeElement !== area) area.value = asText();
    },
  };
}
