/* What all pages draw with. Only text nodes are made of what the server says, never markup. */
(function () {
  "use strict";

  const $ = (id) => document.getElementById(id);

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function write(id, text) {
    if ($(id).textContent !== text) $(id).textContent = text;
  }

  function filled(template, values) {
    return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  window.tokenq = { $, element, write, filled };
})();
