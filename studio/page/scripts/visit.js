// What this tab takes along when it loads again: the key of its visit, what its widgets hold, and the photo that is on
// its way (see stage.js). `window.visit` is for the events of the page. names: of the widgets, in the order in which they are kept.
(names) => {
  const box = () => document.querySelector('#visit textarea');
  const isKnown = () => Boolean(box()?.value);

  // A browser may lend this page no storage: then nothing is kept, and every load starts with a new visit
  const store = Object.fromEntries(['getItem', 'setItem', 'removeItem'].map((name) => [name, (...values) => {
    try { return sessionStorage[name](...values); } catch { return null; }
  }]));

  // The key lies in the tab's storage only while the page is not looked at: a tab that is duplicated would copy it, and
  // two tabs are two visits
  const leave = () => { if (isKnown()) store.setItem('mirage-visit', box().value); };
  const stay = () => { if (isKnown()) store.removeItem('mirage-visit'); };
  addEventListener('pagehide', leave);
  addEventListener('pageshow', stay);
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : stay()));

  window.visit = {
    store,
    // before the visit is known the widgets still show what every new page does
    keep(language, values) {
      if (!isKnown()) return;
      const settings = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      store.setItem('mirage-settings', JSON.stringify({ language, settings }));
    },
    known() {
      if (!document.hidden) stay();
      const upload = store.getItem('mirage-upload');
      store.removeItem('mirage-upload');
      document.dispatchEvent(new CustomEvent('visit-known', { detail: upload }));
    },
    // what was kept, for the server
    arrive() {
      const kept = JSON.parse(store.getItem('mirage-settings') ?? 'null') ?? {};
      return { ...kept, key: store.getItem('mirage-visit'), upload: store.getItem('mirage-upload') };
    },
  };
  return window.visit.arrive();
}
