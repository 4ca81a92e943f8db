// The words of the page: parts that carry words are registered, and relabelled when the language changes.
import { icon, make } from './dom.js';

export class Words {
  // props.texts: {language, key of a sentence: the sentence}
  constructor(props) {
    this.props = props;
    this.formats = {};
    this.labelled = []; // [part, key of its words, where they go]
  }

  say(key, values = {}) {
    return (this.props.texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
  }

  number(value, digits) {
    const { language } = this.props.texts;
    const key = `${language} ${digits}`; // making a format takes longer than using it
    this.formats[key] ??= new Intl.NumberFormat(language, {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
    return this.formats[key].format(Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value);
  }

  // where: 'textContent' or the name of an attribute. Returns the part
  label(part, key, where = 'textContent') {
    this.labelled.push([part, key, where]);
    return part;
  }

  relabel() {
    for (const [part, key, where] of this.labelled) {
      const text = this.props.texts[key];
      if (where === 'textContent') part.textContent = text ?? key;
      else if (text) part.setAttribute(where, text);
    }
  }

  // A button with its words and a tip. sign: it shows only its icon, and the words go to screen readers and the tip
  button(parent, key, run, { art, kind = '', sign = false } = {}) {
    const part = make('button', kind, parent);
    part.type = 'button';
    if (art) icon(art, part);
    this.label(make('span', sign ? 'unseen' : '', part), key);
    this.label(part, sign ? key : `${key}_tip`, 'title');
    part.addEventListener('click', run);
    return part;
  }
}
