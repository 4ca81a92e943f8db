// What Gradio's own parts of the page lack. Runs once, when the page has loaded. words: our text for each of Gradio's,
// {language: {English text: our text}}. lost: what Gradio says while it tries to connect again.
(words, lost) => {
  const root = document.querySelector('.gradio-container');
  let waiting = null;

  // Gradio asks every two seconds whether the server can be reached, and then loads the page again: this is sooner
  function waitForServer() {
    waiting ??= setInterval(async () => {
      const answer = await fetch(new URL('gradio_api/app_id', document.baseURI)).catch(() => null);
      if (answer?.ok) location.reload();
    }, 500);
  }

  function mend() {
    // Radios of different names are a tab stop each; of one name they are a group that arrows go through
    for (const radio of root.querySelectorAll('fieldset[id] input[type="radio"]')) {
      const { id } = radio.closest('fieldset');
      if (radio.name !== id) radio.name = id;
    }
    for (const { firstChild: text } of root.querySelectorAll('[data-testid="toast-text"], .toast-title')) {
      const theirs = text?.textContent.trim();
      const ours = words[document.documentElement.lang]?.[theirs];
      if (theirs === lost) {
        text.parentElement.closest('.toast-body').dataset.calm = ''; // nothing is wrong but the wire
        waitForServer();
      }
      if (ours) text.textContent = ours;
    }
  }

  const changes = { childList: true, subtree: true, attributeFilter: ['name'] };
  new MutationObserver(mend).observe(root, changes);
  mend();
}
