// Keeps the path of the page and the one in Python the same, and takes what Python says about it. An answer about an
// older path is dropped. root.dataset.state says how far the newest path is: 'sent', 'checked' (all that needs no look
// at the place) or 'reviewed'.

export class Sync {
  constructor(editor) {
    this.editor = editor;
    this.sent = null; // JSON of the path that Python has, null for none
    this.review = {}; // {coverage, findings, notice, fixes} of it
    this.flaws = []; // its findings, one entry per run of frames: {begin, end, words, finding}
  }

  // After every edit
  send() {
    const { editor } = this;
    const json = editor.drawn && JSON.stringify(editor.drawn);
    if (json === this.sent) return;
    this.sent = json;
    this.state = 'sent';
    if (json) this.check(json);
    else this.show({});
    editor.props.value = json; // as text: Gradio copies a value many times, and an object piece by piece
    editor.server.edited();
  }

  get state() { return this.editor.root.dataset.state; }
  set state(state) { this.editor.root.dataset.state = state; }

  // What needs no look at the place comes back at once; other findings stay until the thorough review has its turn
  async check(json) {
    const answer = await this.editor.server.check(json).catch(() => null); // the review says the same later
    if (!answer || json !== this.sent || this.state !== 'sent') return;
    this.state = 'checked';
    const { kinds = [], findings = [], notice } = answer;
    const others = (this.review.findings ?? []).filter(({ kind }) => kind && !kinds.includes(kind));
    this.show({ coverage: this.review.coverage, findings: [...findings, ...others], notice });
  }

  // The thorough review has come, as the prop `review`; of: the path that it is about
  reviewed() {
    const review = this.editor.props.review ?? {};
    if (review.of && review.of !== this.sent) return;
    this.state = 'reviewed';
    this.show(review);
  }

  show(review) {
    const { editor } = this;
    const findings = editor.isDrawn ? review.findings ?? [] : [];
    this.review = review;
    this.flaws = findings.flatMap(({ spans = [], words }, finding) => (
      spans.map(([begin, end]) => ({ begin, end: Math.min(end, editor.seconds), words, finding }))));
    editor.findings.show();
    if (review.notice) editor.notify(review.notice, review.fixes);
    editor.refresh();
  }

  // The prop `value` has changed. A path from Python is an object. Text is the page's own, which Gradio may put back
  // with the answer to an older edit; null comes with the widgets of a clip that has no drawn path
  valueChanged() {
    const { editor } = this;
    const { value } = editor.props;
    if (value && typeof value === 'object') {
      if (JSON.stringify(value) !== this.sent) editor.adopt(value);
    } else if (editor.isDrawn && value !== this.sent) editor.props.value = this.sent;
  }
}
