/* Where people take numbers: one tap, and the ticket's page opens. A repeated tap is the same request. */
(function () {
  "use strict";

  const { $, element, write, replace, inLanguage, drawLanguages, recall, keep } = window.tokenq;
  const here = location.pathname.replace(/\/$/, "");
  let state = null;
  let isTaken = false; // the ticket's page is opening
  /* The key under which this phone asks for a number, until it has one: also after the page was loaded again. */
  function key(department) {
    const name = "tokenq-key" + here + "/" + department;
    if (!recall(name)) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      keep(name, "take-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    }
    return recall(name);
  }

  async function ask() {
    try {
      const answer = await fetch(inLanguage(here + "/state"));
      if (!answer.ok) throw new Error(String(answer.status));
      state = await answer.json();
    } catch (error) {
      fail("");
      return;
    }
    $("old").hidden = true;
    draw();
  }

  function fail(sentence) {
    write("old", sentence || (state ? state.texts.failed : "That did not work. Please try again, or ask at the desk."));
    $("old").hidden = false;
  }

  function draw() {
    const t = state.texts;
    drawLanguages(state.languages, t, ask);
    document.title = t.take;
    write("branch", state.branch);
    write("choose", state.departments.length ? t.choose : t.nothing);
    write("mine", t.mine);
    $("mine").hidden = !recall("tokenq-ticket");
    const focused = document.activeElement.dataset.id;
    replace("departments", state.departments.map((each) => department(each, t)));
    const again = Array.from($("departments").children).find((each) => each.dataset.id === focused);
    if (focused && again) again.focus();
  }

  function department(each, t) {
    const made = element("button", "department");
    made.type = "button";
    made.dataset.id = each.id;
    made.disabled = !each.isOpen;
    const text = element("div");
    text.appendChild(element("b", "", each.name));
    const wait = each.wait ? t.expectedWait + ": " + each.wait : t.waiting + ": " + each.waiting;
    text.appendChild(element("span", "quiet", each.isOpen ? wait : t.closed));
    made.appendChild(text);
    made.appendChild(element("span", "", "›"));
    made.addEventListener("click", () => take(each.id, made));
    return made;
  }

  async function take(department, button) {
    if (isTaken) return;
    button.disabled = true;
    try {
      const answer = await fetch(here + "/" + department, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key(department) },
        body: JSON.stringify({ language: state.texts.language }),
      });
      const body = await answer.json();
      if (!answer.ok) { fail(body.detail); button.disabled = false; return; }
      isTaken = true;
      keep("tokenq-key" + here + "/" + department, "");
      keep("tokenq-ticket", body.page);
      location.assign(body.page);
    } catch (error) {
      fail("");
      button.disabled = false; // the same key: no second number
    }
  }

  $("mine").addEventListener("click", () => location.assign(recall("tokenq-ticket")));
  window.addEventListener("pageshow", () => { isTaken = false; });
  setInterval(() => { if (!document.hidden) ask(); }, 30000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  ask();
})();
