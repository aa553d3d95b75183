/* What the desk's page does in the analyst's own browser. */
(function () {
  const skip = () => window.dash_clientside.no_update;
  const FACTS = ["record", "field", "value"];

  function told(text) {
    return {
      namespace: "dash_html_components",
      type: "Div",
      props: {
        className: "desk-notice desk-notice-stop",
        children: { namespace: "dash_html_components", type: "P", props: { className: "desk-notice-text", children: text } }
      }
    };
  }

  /* A browser reads a file whole before Dash sees it: say that it is too large before it is read. */
  document.addEventListener("change", function (event) {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || input.type !== "file" || !input.closest("#desk-upload")) {
      return;
    }
    const limit = window.dtmDeskLimit;
    const bytes = Array.from(input.files).reduce((sum, file) => sum + file.size, 0);
    if (limit && bytes > limit.bytes) {
      event.stopImmediatePropagation();
      event.preventDefault();
      input.value = "";
      window.dash_clientside.set_props("desk-upload-report", { children: told(limit.text) });
    }
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    desk: {
      go_to_round: function (number, view) {
        return number && Number(number) !== view.round ? "?lang=" + view.lang + "&round=" + number : skip();
      },
      refresh: function (clicks, tick) {
        return clicks ? (tick || 0) + 1 : skip();
      },
      start: function (view, limit) {
        document.documentElement.lang = view.lang;
        document.title = view.title;
        window.dtmDeskLimit = limit;
        return { width: window.innerWidth };
      },
      take_files: function (contents, names, limit) {
        if (!contents || !contents.length) {
          return [skip(), skip(), skip()];
        }
        const size = (content) => Math.floor((content.length - content.indexOf(",") - 1) * 0.75) - 2;
        if (contents.reduce((sum, content) => sum + size(content), 0) > limit.bytes) {
          return [skip(), null, told(limit.text)];
        }
        return [{ names: names, contents: contents }, null, skip()];
      },
      feedback_link: function (pcode, view) {
        return pcode ? ["/desk/feedback-" + view.round + "-" + pcode + "-" + view.lang + ".html", false] : ["", true];
      },
      chosen: function (rows, words) {
        const count = (rows || []).length;
        const text = count ? words.some.replace("{count}", count) : words.none;
        const one = count === 1 ? FACTS.map((name) => rows[0][name] || "") : ["", "", ""];
        return [text, ...one, one[2]];
      },
      shut: function (clicks) {
        return clicks ? false : skip();
      }
    }
  });
})();
