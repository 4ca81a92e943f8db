// A path as text, and cameras from and to files of other tools.
import { make } from './dom.js';

export class Files {
  constructor(editor) {
    this.editor = editor;
    this.latest = []; // files that were read, to be read again another way
    this.buildChooser();
    this.buildText();
    this.buildSaver();
  }

  // -- opening --------------------------------------------------------------------------------------------------------

  buildChooser() {
    const { root } = this.editor;
    this.chooser = make('input', '', root);
    Object.assign(this.chooser, { type: 'file', multiple: true, hidden: true });
    this.chooser.addEventListener('change', () => {
      this.read([...this.chooser.files]);
      this.chooser.value = ''; // the same file may be chosen again
    });
    root.addEventListener('dragover', (event) => event.preventDefault());
    root.addEventListener('drop', (event) => {
      event.preventDefault();
      this.read([...event.dataTransfer.files]);
    });
  }

  choose() { this.chooser.click(); }

  // fix: how else than the files say, or null
  read(files, fix = null) {
    const { editor } = this;
    if (files.some((file) => file.size > editor.limits.file_bytes)) {
      editor.notify(editor.say('file_large'));
      return;
    }
    this.latest = files;
    if (files.length) editor.server.openCameras(files, fix).catch(() => editor.notify(editor.say('file_failed')));
  }

  readAgain(fix) { this.read(this.latest, fix); }

  // -- the path as text -----------------------------------------------------------------------------------------------

  buildText() {
    const { editor } = this;
    const { words } = editor;
    this.text = make('div', 'as-text', editor.root);
    this.text.hidden = true;
    this.area = make('textarea', '', this.text);
    Object.assign(this.area, { rows: 8, spellcheck: false, maxLength: editor.limits.text_letters });
    words.label(this.area, 'as_text', 'aria-label');
    const buttons = make('div', 'acts', this.text);
    words.button(buttons, 'copy', () => this.copy());
    words.button(buttons, 'paste', () => editor.server.paste(this.area.value));
    words.button(buttons, 'hide', () => {
      this.text.hidden = true;
    });
  }

  async copy() {
    const { editor } = this;
    this.area.select();
    try {
      await navigator.clipboard.writeText(this.area.value);
    } catch {
      document.execCommand('copy'); // no clipboard in an iframe or without https: what is selected can be copied
    }
    editor.notify(editor.say('copied'));
  }

  toggleText() {
    this.text.hidden = !this.text.hidden;
    this.showText();
    if (!this.text.hidden) this.area.focus();
  }

  showText() {
    this.area.value = JSON.stringify(this.editor.drawn, null, 1);
  }

  show() {
    if (!this.text.hidden && document.activeElement !== this.area) this.showText();
  }

  // -- saving ---------------------------------------------------------------------------------------------------------

  buildSaver() {
    const { editor } = this;
    const { words } = editor;
    this.saver = make('div', 'saver', editor.root);
    this.saver.hidden = true;
    const label = make('label', 'field save_as', this.saver);
    words.label(make('span', '', label), 'save_as');
    this.format = make('select', '', label);
    for (const format of editor.props.formats) {
      words.label(make('option', '', this.format), `as_${format}`).value = format;
    }
    const buttons = make('div', 'acts', this.saver);
    words.button(buttons, 'save', () => this.save());
    words.button(buttons, 'hide', () => {
      this.saver.hidden = true;
    });
  }

  toggleSaver() {
    this.saver.hidden = !this.saver.hidden;
    if (!this.saver.hidden) this.format.focus();
  }

  async save() {
    const { editor } = this;
    try {
      const { name, data, refusal } = await editor.server.save(this.format.value, JSON.stringify(editor.drawn));
      if (refusal) editor.notify(refusal);
      else this.download(name, data);
    } catch {
      editor.notify(editor.say('save_failed'));
    }
  }

  // data: base64
  download(name, data) {
    const { editor } = this;
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const link = make('a', '', editor.root);
    Object.assign(link, { href: URL.createObjectURL(new Blob([bytes])), download: name });
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    editor.notify(editor.say('saved', { name }));
  }
}
