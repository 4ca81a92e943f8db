// What this tab takes along when it loads again: the key of its visit, what its widgets hold, and the photo that is on
// its way (see stage.js). `window.visit` is for the events of the page. names: of the widgets, in the order in which they are kept.
(names) => {
  const box = () => document.querySelector('#visit textarea');
  const isKnown = () => Boolean(box()?.value);

  // The key lies in the tab's storage only while the page is not looked at: a tab that is duplicated would copy it, and
  // two tabs are two visits. A browser that lends no storage to this page starts every load with a new visit
  const leave = () => { if (isKnown()) sessionStorage.setItem('mirage-visit', box().value); };
  const stay = () => { if (isKnown()) sessionStorage.removeItem('mirage-visit'); };
  addEventListener('pagehide', leave);
  addEventListener('pageshow', stay);
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : stay()));

  window.visit = {
    // before the visit is known the widgets still show what every new page does
    keep(language, values) {
      if (!isKnown()) return;
      const settings = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      sessionStorage.setItem('mirage-settings', JSON.stringify({ language, settings }));
    },
    known() {
      if (!document.hidden) stay();
      const upload = sessionStorage.getItem('mirage-upload');
      sessionStorage.removeItem('mirage-upload');
      document.dispatchEvent(new CustomEvent('visit-known', { detail: upload }));
    },
    // what was kept, for the server
    arrive() {
      const kept = JSON.parse(sessionStorage.getItem('mirage-settings') ?? 'null') ?? {};
      return { ...kept, key: sessionStorage.getItem('mirage-visit'), upload: sessionStorage.getItem('mirage-upload') };
    },
  };
  return window.visit.arrive();
}
