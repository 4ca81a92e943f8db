// What the checks say about the path, each with the button that repairs it, and the last notice.
import { make } from './dom.js';

export class Findings {
  constructor(editor) {
    this.editor = editor;
    const health = make('div', 'health', editor.root);
    this.list = make('ul', '', health);
    this.list.setAttribute('aria-live', 'polite');
    this.notice = make('p', 'notice', health);
    this.notice.setAttribute('role', 'status');
  }

  show() {
    const { isDrawn, sync } = this.editor;
    const findings = isDrawn ? sync.review.findings ?? [] : [];
    this.list.replaceChildren(...findings.map((finding, number) => this.row(finding, number)));
  }

  row({ level, kind, words, repair, label }, number) {
    const { editor } = this;
    const row = make('li', level);
    row.dataset.kind = kind ?? '';
    const flaw = editor.sync.flaws.find(({ finding }) => finding === number);
    if (flaw) {
      const part = make('button', 'words', row, words);
      part.type = 'button';
      part.title = editor.say('go_there');
      part.addEventListener('click', () => editor.goTo(flaw));
    } else make('span', 'words', row, words);
    if (repair) this.button(row, label, () => editor.server.repair(repair));
    return row;
  }

  button(parent, text, run) {
    const part = make('button', 'repair', parent, text);
    part.type = 'button';
    part.addEventListener('click', run);
    return part;
  }

  // The finding with this number stands out
  mark(number) {
    [...this.list.children].forEach((row, i) => row.classList.toggle('pointed', i === number));
  }

  // fixes: [{fix, label}], other ways to read the cameras of the file that was opened
  notify(text, fixes = []) {
    const buttons = fixes.map(({ fix, label }) => this.button(null, label, () => this.editor.files.readAgain(fix)));
    this.notice.replaceChildren(text, ...buttons);
  }
}
