/* A customer's own ticket: asks for its state, more often when the turn is near, and rings when it has come. */
(function () {
  "use strict";

  const { $, recall, keep, element, write, filled, replace, inLanguage, drawLanguages } = window.tokenq;
  const here = location.pathname.replace(/\/$/, "");
  let state = null;
  let timer = null;
  let failures = 0;
  let asked = 0; // how often, so that a late answer does not overtake a newer one
  let rungFor = ""; // the call for which this phone has rung
  let audio = null;

  async function ask(path, method) {
    clearTimeout(timer);
    const mine = ++asked;
    let wait = 3;
    try {
      const answer = await fetch(inLanguage(path || here + "/state"), { method: method || "GET" });
      if (mine !== asked) return;
      if (answer.status === 404 || answer.status === 410 || answer.status === 422) { ended(await answer.json().catch(() => ({}))); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const content = await answer.json();
      if (mine !== asked) return;
      state = content;
      failures = 0;
      wait = state.askAfter;
    } catch (error) {
      if (mine !== asked) return;
      failures += 1;
      wait = Math.min(30, 2 + failures * 3);
      if (failures > 1 || method) fail();
    }
    timer = setTimeout(ask, wait * 1000);
    if (!failures) draw();
  }

  function fail() {
    write("old", state ? state.texts.old : "No connection. This page keeps trying.");
    $("old").hidden = false;
  }

  function ended(said) {
    if (recall("tokenq-ticket") === here) keep("tokenq-ticket", "");
    ["wait", "others", "ring", "leave", "sure", "old"].forEach((id) => { $(id).hidden = true; });
    $("mine").classList.remove("is-called");
    ["label", "number", "department"].forEach((id) => write(id, ""));
    document.documentElement.lang = said.language || document.documentElement.lang;
    document.documentElement.dir = said.direction || document.documentElement.dir;
    write("sentence", state ? state.texts.ended : said.ended || "This link has ended. Please ask at the desk.");
  }

  function draw() {
    const t = state.texts;
    if (state.isLive) keep("tokenq-ticket", here); // an older link must not hide a newer ticket
    drawLanguages(state.languages, t, ask);
    document.title = state.number + " · " + sentence(t);
    $("old").hidden = true;
    write("branch", state.branch);
    write("label", t.yourNumber);
    write("number", state.number);
    fit($("number"));
    write("department", state.department);
    write("sentence", sentence(t));
    const isCalled = state.state === "CALLED";
    $("mine").classList.toggle("is-called", isCalled);
    drawFacts(t);
    drawCalled(t);
    const isWaiting = state.state === "WAITING" || state.state === "PARKED";
    $("ring").hidden = !isWaiting;
    write("ring", audio ? t.notifying : t.notify);
    $("ring").disabled = Boolean(audio);
    $("leave").hidden = !state.mayLeave || !$("sure").hidden;
    write("leave", t.leave);
    if (!state.mayLeave) $("sure").hidden = true;
    write("question", t.sure);
    write("yes", t.yes);
    write("no", t.no);
    if (isCalled && rungFor !== state.counter + state.calls) { rungFor = state.counter + state.calls; ring(t); }
  }

  /* A long number stays on its line. */
  function fit(part) {
    part.style.fontSize = "";
    const room = part.clientWidth;
    if (part.scrollWidth > room) part.style.fontSize = Math.floor(parseFloat(getComputedStyle(part).fontSize) * room / part.scrollWidth) + "px";
  }

  function sentence(t) {
    if (state.state === "WAITING" && state.before === 0) return t.next;
    return filled(t[state.state] || t.WAITING, { counter: state.counter });
  }

  function drawFacts(t) {
    const facts = [];
    if (state.before !== null) facts.push([t.before, String(state.before)]);
    if (state.wait && state.state === "WAITING") facts.push([t.expectedWait, state.wait]);
    $("wait").hidden = !facts.length;
    const parts = [];
    facts.forEach(([name, value]) => { parts.push(element("dt", "quiet", name)); parts.push(element("dd", "", value)); });
    replace("facts", parts);
  }

  function drawCalled(t) {
    $("others").hidden = !["WAITING", "PARKED"].includes(state.state);
    write("called-title", t.nowCalled);
    const rows = state.called.map((call) => {
      const row = element("li");
      row.appendChild(element("b", "", call.number));
      row.appendChild(element("span", "", call.counter));
      return row;
    });
    replace("called", rows.length ? rows : [element("li", "quiet", t.nobodyCalled)]);
  }

  /* Sound needs a tap first; a phone that allows neither still shows it. */
  function ring(t) {
    if (navigator.vibrate) navigator.vibrate([600, 200, 600, 200, 600]);
    if (audio) [0, 0.7, 1.4].forEach(tone);
    if ("Notification" in window && Notification.permission === "granted" && document.hidden) {
      try { new Notification(state.number, { body: sentence(t), tag: "tokenq" }); } catch (error) { /* Android wants a worker */ }
    }
  }

  function tone(at) {
    const sound = audio.createOscillator();
    const loudness = audio.createGain();
    sound.frequency.value = 880;
    loudness.gain.setValueAtTime(0.5, audio.currentTime + at);
    loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.6);
    sound.connect(loudness);
    loudness.connect(audio.destination);
    sound.start(audio.currentTime + at);
    sound.stop(audio.currentTime + at + 0.6);
  }

  function stayAwake() {
    if ("wakeLock" in navigator) navigator.wakeLock.request("screen").catch(() => { /* not granted */ });
  }

  $("ring").addEventListener("click", () => {
    audio = new (window.AudioContext || window.webkitAudioContext)();
    audio.resume();
    tone(0);
    if ("Notification" in window && window.isSecureContext) Notification.requestPermission();
    stayAwake();
    draw();
  });
  $("leave").addEventListener("click", () => { $("sure").hidden = false; $("leave").hidden = true; $("no").focus(); });
  $("no").addEventListener("click", () => { $("sure").hidden = true; draw(); $("leave").focus(); });
  $("yes").addEventListener("click", () => { $("sure").hidden = true; ask(here + "/leave", "POST"); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (audio) { audio.resume(); stayAwake(); } // a page that was out of sight has lost both
    ask();
  });
  window.addEventListener("online", () => ask());
  ask();
})();
