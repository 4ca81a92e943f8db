// Time: playing, the photo-backed strip with a diamond for every key, what the checks found, and its repairs.
import * as edits from './edits.js';
import { drag, draw, icon, make, set, write } from './page.js';

const FPS = 30; // of the playing preview

export function track(ed) {
  const { speech, say, number } = ed;
  const run = make('div', 'run', ed.root);
  const player = make('button', 'player', run);
  player.type = 'button';
  const lane = make('div', 'lane', run);
  const slider = make('div', 'track', lane);
  slider.tabIndex = 0;
  slider.setAttribute('role', 'slider');
  speech.name(slider, 'track', 'aria-label');
  const strip = draw('svg', slider, { viewBox: '0 0 1000 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const marks = make('div', 'marks', slider);
  const head = make('i', 'head', slider);
  const flaws = make('div', 'flaws', lane);
  const clock = make('span', 'clock', run);

  // -- playing --------------------------------------------------------------------------------------------------------

  let playing = null;
  function play(on = playing === null) {
    if (playing !== null) cancelAnimationFrame(playing);
    playing = null;
    if (on && ed.isDrawn) {
      let began = performance.now() - 1000 * (ed.time >= ed.seconds - 1e-3 ? 0 : ed.time);
      let shown = 0;
      const step = (now) => {
        let to = (now - began) / 1000;
        if (to >= ed.seconds && ed.path.closed) began = now - 1000 * (to %= ed.seconds);
        if (now - shown >= 900 / FPS || to >= ed.seconds) {
          shown = now;
          ed.time = Math.min(Math.max(to, 0), ed.seconds);
          ed.showNow();
        }
        if (to >= ed.seconds) play(false);
        else playing = requestAnimationFrame(step);
      };
      playing = requestAnimationFrame(step);
    }
    showNow();
    if (!on) ed.refresh(); // at rest the room is fine again
  }
  player.addEventListener('click', () => play());

  // -- what is drawn --------------------------------------------------------------------------------------------------

  // What changes while it plays
  function showNow() {
    const on = playing !== null;
    if (player.dataset.playing !== String(on)) {
      player.dataset.playing = on;
      player.replaceChildren();
      icon(on ? 'pause' : 'play', player);
    }
    set(player, 'aria-label', say(on ? 'pause' : 'play'));
    player.disabled = !ed.isDrawn;
    head.style.left = `${ed.seconds ? (100 * ed.time) / ed.seconds : 0}%`;
    write(clock, `${number(ed.time, 1)} / ${number(ed.seconds, 1)} s`);
    set(slider, 'aria-valuemax', ed.seconds.toFixed(2));
    set(slider, 'aria-valuenow', ed.time.toFixed(2));
    set(slider, 'aria-valuetext', `${number(ed.time, 1)} s`);
  }

  function show() {
    const { keys } = ed.path;
    while (marks.children.length > keys.length) marks.lastChild.remove();
    while (marks.children.length < keys.length) make('i', '', marks);
    keys.forEach((key, i) => {
      const part = marks.children[i];
      part.dataset.key = i;
      part.style.left = `${ed.seconds ? (100 * key.time) / ed.seconds : 0}%`;
      part.classList.toggle('chosen', i === ed.chosen);
      if (part.title !== (key.name ?? '')) part.title = key.name ?? '';
    });
    const coverage = ed.isDrawn ? ed.review.coverage ?? [] : [];
    if (strip.coverage !== coverage) {
      strip.coverage = coverage;
      strip.replaceChildren();
      draw('rect', strip, { width: 1000, height: 40, class: coverage.length ? 'strip-invented' : 'strip-unknown' });
      if (coverage.length > 1) {
        const points = coverage.map((share, i) => `${(1000 * i) / (coverage.length - 1)},${40 * (1 - share)}`);
        draw('polygon', strip, { class: 'strip-backed', points: `0,40 ${points.join(' ')} 1000,40` });
      }
    }
    strip.classList.toggle('stale', ed.root.dataset.state !== 'reviewed');
    showFlaws();
    showNow();
  }

  // Each finding has its row of the lane, so that two at the same time can both be clicked
  function showFlaws() {
    const rows = [...new Set(ed.flaws.map(({ finding }) => finding))];
    while (flaws.children.length > ed.flaws.length) flaws.lastChild.remove();
    while (flaws.children.length < ed.flaws.length) {
      const part = make('button', 'flaw', flaws);
      part.type = 'button';
      make('i', '', part);
      part.addEventListener('click', () => ed.goTo(ed.flaws[[...flaws.children].indexOf(part)]));
    }
    flaws.style.setProperty('--rows', rows.length);
    ed.flaws.forEach(({ begin, end, words, finding }, i) => {
      const part = flaws.children[i];
      part.style.left = `${(100 * begin) / ed.seconds}%`;
      part.style.width = `${(100 * (end - begin)) / ed.seconds}%`;
      part.style.setProperty('--row', rows.indexOf(finding));
      set(part, 'title', words);
      set(part, 'aria-label', words);
    });
  }

  // -- what the checks say --------------------------------------------------------------------------------------------

  const health = make('div', 'health', ed.root);
  const findings = make('ul', '', health);
  findings.setAttribute('aria-live', 'polite');
  const notice = make('p', 'notice', health);
  notice.setAttribute('role', 'status');

  function review() {
    const said = ed.isDrawn ? ed.review.findings ?? [] : [];
    findings.replaceChildren(...said.map((finding, number) => {
      const row = make('li', finding.level);
      row.dataset.kind = finding.kind ?? '';
      const spans = ed.flaws.filter((flaw) => flaw.finding === number);
      if (spans.length) {
        const words = make('button', 'words', row, finding.words);
        words.type = 'button';
        words.title = say('go_there');
        words.addEventListener('click', () => ed.goTo(spans[0]));
      } else make('span', 'words', row, finding.words);
      if (finding.repair) {
        const part = make('button', 'repair', row, finding.label);
        part.type = 'button';
        part.addEventListener('click', () => ed.tell.repaired(finding.repair));
      }
      return row;
    }));
  }

  function point(finding) {
    [...findings.children].forEach((row, i) => row.classList.toggle('pointed', i === finding));
  }

  // -- pointers and keys ----------------------------------------------------------------------------------------------

  slider.addEventListener('pointerdown', (event) => {
    if (!ed.isDrawn) return;
    const along = (e) => {
      const { left, width } = slider.getBoundingClientRect();
      return (ed.seconds * (e.clientX - left)) / width;
    };
    play(false);
    const hit = event.target.dataset?.key;
    if (hit === undefined) {
      ed.seek(along(event));
      drag(event, slider, (e) => ed.seek(along(e)));
      return;
    }
    ed.choose(Number(hit));
    // the last key carries the length of the path with it: that is what the field is for
    if (Number(hit) === 0 || Number(hit) === ed.path.keys.length - 1) return;
    let moved = false;
    drag(event, slider, (e) => {
      if (!moved && Math.abs(e.clientX - event.clientX) < 3) return;
      moved = true;
      ed.shape(edits.setTime(ed.path, ed.chosen, along(e)));
      ed.time = ed.key.time;
    }, () => moved && ed.commit());
  });

  slider.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1 / 16, ArrowRight: 1 / 16, ArrowDown: -0.5, ArrowUp: 0.5 };
    if (event.key in steps) ed.seek(ed.time + steps[event.key]);
    else if (event.key === 'Home') ed.seek(0);
    else if (event.key === 'End') ed.seek(ed.seconds);
    else return;
    play(false);
    event.preventDefault();
  });
  slider.setAttribute('aria-valuemin', 0);

  return {
    play, show, showNow, review, point,
    isPlaying: () => playing !== null,
    // fixes: [{fix, label}], other ways to read the cameras that are spoken of
    notify: (words, fixes = []) => {
      notice.replaceChildren(words, ...fixes.map(({ fix, label }) => {
        const part = make('button', 'repair', null, label);
        part.type = 'button';
        part.addEventListener('click', () => ed.files.again(fix));
        return part;
      }));
    },
  };
}
