/* Charts and maps draw their buttons with English names; say them as the page does (dashboard/own_names.py). */
(function () {
  const DRAWN = ".modebar-btn, .maplibregl-canvas, .maplibregl-ctrl-attrib-button";
  const TOLD = ["aria-label", "data-title", "title"];

  function rename() {
    const source = document.getElementById("own-names");
    const names = source ? JSON.parse(source.dataset.names) : {};
    document.querySelectorAll(DRAWN).forEach(function (element) {
      TOLD.forEach(function (name) {
        const own = names[element.getAttribute(name)];
        if (own) {
          element.setAttribute(name, own);
        }
      });
    });
  }

  let waiting = false;
  new MutationObserver(function () {
    if (!waiting) {
      waiting = true;
      window.requestAnimationFrame(function () {
        waiting = false;
        rename();
      });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
