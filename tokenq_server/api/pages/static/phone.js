/* What both pages for phones need besides. */
(function () {
  "use strict";

  const { $, element } = window.tokenq;
  const kept = new Map(); // what a browser that keeps nothing keeps until the page is loaded again
  const language = () => recall("tokenq-language");

  /* A browser may refuse to keep anything. */
  function recall(name) {
    try { return localStorage.getItem(name) || ""; } catch (error) { return kept.get(name) || ""; }
  }

  function keep(name, value) {
    kept.set(name, value);
    try {
      if (value) localStorage.setItem(name, value); else localStorage.removeItem(name);
    } catch (error) { /* kept here only */ }
  }

  function replace(id, parts) {
    const parent = $(id);
    while (parent.firstChild) parent.removeChild(parent.firstChild);
    parts.forEach((part) => parent.appendChild(part));
  }

  function inLanguage(path) {
    return path + (language() ? "?lang=" + encodeURIComponent(language()) : "");
  }

  /* Show the languages to choose from; `ask` fetches the page's content again. */
  function drawLanguages(choices, texts, ask) {
    document.documentElement.lang = texts.language;
    document.documentElement.dir = texts.direction;
    const select = $("languages");
    select.hidden = choices.length < 2;
    select.setAttribute("aria-label", choices.map((choice) => choice.name).join(", ")); // in whatever language one reads
    if (select.options.length !== choices.length) {
      replace("languages", choices.map((choice) => {
        const option = element("option", "", choice.name);
        option.value = choice.language;
        option.lang = choice.language;
        return option;
      }));
      select.onchange = () => { keep("tokenq-language", select.value); ask(); };
    }
    select.value = texts.language;
  }

  Object.assign(window.tokenq, { recall, keep, replace, inLanguage, drawLanguages });
})();
