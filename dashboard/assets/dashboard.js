/* Keep the address and the view the same; all of it runs in the reader's browser. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  dtm: {
    collect: function (values, ids, base) {
      const view = Object.assign({}, base.defaults, base.view);
      ids.forEach(function (id, i) {
        view[id.name] = values[i] === null || values[i] === undefined ? "" : values[i];
      });
      const query = new URLSearchParams();
      Object.keys(view).forEach(function (name) {
        const value = view[name];
        const usual = base.defaults[name];
        if (value !== "" && String(value) !== String(usual === undefined ? "" : usual)) {
          query.set(name, value);
        }
      });
      const text = query.toString();
      const search = text ? "?" + text : "";
      window.history.replaceState(window.history.state, "", base.path + search + window.location.hash);
      document.documentElement.lang = view.lang;
      document.title = base.title;
      window.dash_clientside.set_props("view", { data: { search: search, view: view } });
      return Object.assign({ width: window.innerWidth }, view);
    },
    links: function (current, ids, languages) {
      const skip = window.dash_clientside.no_update;
      if (!current) {
        return [ids.map(() => skip), languages.map(() => skip)];
      }
      const other = new URLSearchParams(current.search);
      other.delete("q");
      const carried = other.toString() ? "?" + other.toString() : "";
      const links = ids.map((id) => id.path + carried);
      const switches = languages.map(function (id) {
        const query = new URLSearchParams(current.search);
        query.set("lang", id.lang);
        return window.location.pathname + "?" + query.toString();
      });
      return [links, switches];
    },
    pick: function (click, now) {
      const point = click && click.points && click.points[0];
      const code = point && (point.location || (typeof point.customdata === "string" ? point.customdata : null));
      return code && code !== now ? code : window.dash_clientside.no_update;
    }
  }
});
