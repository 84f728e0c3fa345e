/* The lobby's board: draws what the stream sends, and says each call once. ES2019, for televisions of 2019. */
(function () {
  "use strict";

  const NEW_SECONDS = 20; // how long a call stays big and bright
  const LEAST_SECONDS = 5; // after that a call makes room for the next one
  const MOST_TILES = 4;
  const OLD_SECONDS = 25; // the server says something every ten seconds
  const MISSED_SECONDS = 120; // calls missed while asleep are shown and said if they are no older
  const AGAIN_SECONDS = 15; // how long a connection may take before another one is tried
  const SAID_SECONDS = 60; // a call that has waited longer for its turn is not said any more
  const SPEAKING_SECONDS = 20; // how long one language may take: some browsers do not tell that they have ended
  const LANGUAGE_SECONDS = 8;
  const PAGE_SECONDS = 10;
  const DEPARTMENTS_PER_PAGE = { landscape: 4, portrait: 6 };

  const { $, element, write, filled } = window.tokenq;
  const branch = new URLSearchParams(location.search).get("branch") || "";
  let setup = null;
  let picture = null;
  let source = null;
  const ticks = () => performance.now(); // milliseconds of a clock that nobody sets
  let heardAt = ticks(); // when the stream last said something, whatever has been tried since
  let heardOn = Date.now();
  let triedAt = 0; // when the last connection began
  let trying = null;
  let clockAhead = 0; // milliseconds that the server's clock is ahead of this one
  const drawn = new Map(); // of each part, what it shows
  let isFirst = true;
  const known = new Map(); // of each department, the last call that was announced
  let fresh = []; // [call, since], newest last
  let waitingCalls = []; // new calls that found no tile yet
  let toSay = []; // [call, since], in the order in which they are said
  let speaking = null; // the timer that ends a call which the browser does not end

  // --- the key, which only ever stands in the fragment ---

  async function start() {
    const key = new URLSearchParams(location.hash.slice(1)).get("key");
    if (key) {
      history.replaceState(null, "", location.pathname + location.search);
      await signIn(key);
    } else {
      connect();
    }
  }

  async function signIn(key) {
    let answer;
    try {
      answer = await fetch("/board/session", { method: "POST", headers: { Authorization: "Bearer " + key } });
    } catch (error) {
      setTimeout(() => signIn(key), 3000);
      return;
    }
    if (answer.ok) {
      $("sign-in").hidden = true;
      connect();
    } else {
      askForKey(answer.status === 429 ? "Too many attempts. Wait a minute." : "This is no key of a board.");
    }
  }

  function askForKey(error) {
    $("sign-in-error").textContent = error || "";
    $("sign-in").hidden = false;
    $("key").focus();
  }

  // --- the stream ---

  function connect() {
    clearTimeout(trying);
    if (source) source.close();
    triedAt = ticks();
    source = new EventSource("/board/stream" + (branch ? "?branch=" + encodeURIComponent(branch) : ""));
    source.addEventListener("setup", (message) => { setup = JSON.parse(message.data); draw(); });
    source.addEventListener("picture", (message) => take(JSON.parse(message.data)));
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) whyRefused(); };
  }

  async function whyRefused() {
    try {
      const answer = await fetch("/board/session" + (branch ? "?branch=" + encodeURIComponent(branch) : ""));
      if (answer.status === 401 || answer.status === 403) { askForKey(""); return; }
      if (!setup && (answer.status === 404 || answer.status === 422)) {
        write("old", "There is no branch " + (branch || "main") + ": see ?branch= in the address.");
        $("old").hidden = false;
      }
    } catch (error) { /* no network: try again */ }
    clearTimeout(trying);
    trying = setTimeout(connect, 3000);
  }

  function take(next) {
    heardAt = ticks();
    heardOn = Date.now();
    clockAhead = Date.parse(next.at) - heardAt;
    picture = next;
    const news = next.calls.filter(isNews).reverse(); // the server sends the newest first
    next.calls.forEach((call) => known.set(call.department, Math.max(known.get(call.department) || 0, call.seq)));
    if (!isFirst && news.length) announce(news);
    isFirst = false;
    draw();
  }

  const isLate = (call) => now() - Date.parse(call.at) > MISSED_SECONDS * 1000;
  const isSame = (one, other) => one.department === other.department && one.seq === other.seq;

  function isNews(call) {
    return call.seq > (known.get(call.department) || 0) && call.state !== "NO_SHOW" && !isLate(call);
  }

  function isGone(call) {
    return isLate(call) || picture.calls.some((each) => isSame(each, call) && each.state === "NO_SHOW");
  }

  function announce(news) {
    waitingCalls = waitingCalls.concat(news);
    place();
    if (isLoud()) { chime(); news.forEach(say); }
  }

  function place() {
    const at = ticks();
    fresh = fresh.filter(([, since]) => at - since < NEW_SECONDS * 1000);
    waitingCalls = waitingCalls.filter((call) => !isGone(call)); // or a busy hour would be shown in the next one
    while (waitingCalls.length && (fresh.length < MOST_TILES || at - fresh[0][1] >= LEAST_SECONDS * 1000)) {
      const call = waitingCalls.shift();
      fresh = fresh.filter(([other]) => other.number !== call.number || other.department !== call.department);
      fresh = fresh.slice(-(MOST_TILES - 1)).concat([[call, at]]);
    }
  }

  const now = () => ticks() + clockAhead;

  // --- drawing ---

  function language() {
    return setup.texts[Math.floor(Date.now() / 1000 / LANGUAGE_SECONDS) % setup.texts.length];
  }

  function draw() {
    if (!setup || !picture) return;
    document.body.classList.remove("is-starting");
    const t = language();
    document.documentElement.lang = t.language;
    document.documentElement.dir = t.direction;
    place();
    write("site", setup.name);
    write("clock", time(now(), t));
    write("last-title", t.lastCalls);
    drawOld(t);
    drawTiles(t);
    drawCalls(t);
    drawDepartments(t);
    write("sound", isLoud() ? t.soundOff : t.soundOn);
    write("full", t.fullScreen);
  }

  function replace(id, parts) {
    const parent = $(id);
    const made = document.createElement("div");
    parts.forEach((part) => made.appendChild(part));
    if (drawn.get(id) === made.innerHTML) return; // unchanged: a television redraws slowly
    drawn.set(id, made.innerHTML);
    while (parent.firstChild) parent.removeChild(parent.firstChild);
    while (made.firstChild) parent.appendChild(made.firstChild);
  }

  function time(at, t) {
    // Not hour12: with it, browsers of 2019 call the hour after midnight 24 in English.
    const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: setup.timezone };
    return new Intl.DateTimeFormat(t.language + "-u-nu-latn", options).format(new Date(at));
  }

  function isOld() {
    return ticks() - heardAt > OLD_SECONDS * 1000 || (picture && picture.isDoubtful);
  }

  function drawOld(t) {
    $("old").hidden = !isOld();
    if (isOld()) write("old", t.old + " " + filled(t.since, { time: time(heardAt + clockAhead, t) }));
  }

  function drawTiles(t) {
    const isCalling = fresh.length > 0;
    const open = picture.calls.filter((call) => call.state === "CALLED").slice(0, 1);
    const shown = isCalling ? fresh.map(([call]) => call) : open;
    write("now-title", shown.length ? t.nowCalling : "");
    const tiles = $("tiles");
    tiles.className = shown.length > 2 ? "four" : "";
    replace("tiles", shown.length ? shown.map((call) => tile(call, t, isCalling)) : [welcome(t)]);
    Array.from(tiles.querySelectorAll("[data-share]")).forEach(fit);
  }

  function tile(call, t, isNew) {
    const made = element("div", isNew ? "tile is-new" : "tile");
    const number = element("b", "number", call.number);
    const where = element("span", "where", call.counter[t.language] || "");
    number.dataset.share = "0.46";
    where.dataset.share = "0.24";
    made.appendChild(number);
    made.appendChild(where);
    const again = call.times > 1 ? t.again + " · " : "";
    const what = element("span", "what", again + call.departmentName);
    what.dataset.share = "0.13";
    made.appendChild(what);
    return made;
  }

  /* As large as its share of the tile's height and the whole width allow. */
  function fit(part) {
    const box = part.parentElement;
    const wanted = box.clientHeight * Number(part.dataset.share) / 1.15;
    part.style.fontSize = wanted + "px";
    const room = box.clientWidth * 0.94;
    if (part.scrollWidth > room) part.style.fontSize = Math.floor(wanted * room / part.scrollWidth) + "px";
  }

  function welcome(t) {
    const made = element("div", "tile");
    const title = element("b", "", t.welcome);
    title.dataset.share = "0.2";
    made.appendChild(title);
    made.appendChild(element("p", "", t.nobody));
    const waits = picture.departments.filter((each) => each.wait && !each.isClosed).slice(0, 6);
    if (waits.length) {
      const table = element("table");
      waits.forEach((each) => {
        const row = element("tr");
        row.appendChild(element("td", "", each.name));
        row.appendChild(element("td", "", t.expectedWait + ": " + each.wait[t.language]));
        table.appendChild(row);
      });
      made.appendChild(table);
    }
    return made;
  }

  function drawCalls(t) {
    const big = new Set((fresh.length ? fresh.map(([call]) => call) : []).map((call) => call.department + call.seq));
    const rows = picture.calls.filter((call) => !big.has(call.department + call.seq)).slice(0, 10).map((call) => {
      const row = element("tr", call.state === "CALLED" || call.state === "SERVING" ? "" : "is-over");
      row.appendChild(element("td", "", time(Date.parse(call.at), t)));
      row.appendChild(element("td", "", call.number));
      row.appendChild(element("td", "", call.counter[t.language] || ""));
      return row;
    });
    replace("calls", rows);
  }

  function drawDepartments(t) {
    const isWide = innerWidth > innerHeight;
    const size = DEPARTMENTS_PER_PAGE[isWide ? "landscape" : "portrait"];
    const all = picture.departments;
    const pages = Math.max(1, Math.ceil(all.length / size));
    const even = Math.ceil(all.length / pages); // balanced pages: 5 are 3 and 2, not 4 and 1
    const page = Math.floor(Date.now() / 1000 / PAGE_SECONDS) % pages;
    $("departments").style.gridTemplateColumns = "repeat(" + Math.min(even, isWide ? 4 : 2) + ", 1fr)";
    replace("departments", all.slice(page * even, (page + 1) * even).map((each) => department(each, t)));
  }

  function department(each, t) {
    const made = element("div", "department");
    const text = element("div");
    text.appendChild(element("div", "name", each.name));
    text.appendChild(element("div", "state", state(each, t)));
    made.appendChild(text);
    const waiting = element("div", "waiting");
    waiting.appendChild(element("div", "label", t.waiting));
    waiting.appendChild(element("div", "count", String(each.waiting)));
    made.appendChild(waiting);
    return made;
  }

  function state(each, t) {
    const hours = each.hours && each.hours.length ? " · " + each.hours.join(", ") : "";
    if (each.isClosed) return t.closed + hours;
    const served = each.atCounters.map((one) => one.number);
    if (served.length) return served.slice(0, 4).join("  ");
    if (each.paused.length) return filled(t.paused, { counters: each.paused.map((one) => one[t.language]).join(", ") });
    return each.hours && each.hours.length ? each.hours.join(", ") : "";
  }

  // --- sound: a chime and a voice, after somebody has allowed it ---

  let audio = null;
  let loud = "off";
  try { loud = localStorage.getItem("tokenq-sound"); } catch (error) { /* a browser that keeps nothing */ }
  const isLoud = () => loud === "on";

  function chime() {
    try {
      audio = audio || new (window.AudioContext || window.webkitAudioContext)();
      audio.resume();
      [[880, 0], [660, 0.35]].forEach(([frequency, at]) => {
        const tone = audio.createOscillator();
        const loudness = audio.createGain();
        tone.frequency.value = frequency;
        loudness.gain.setValueAtTime(0.4, audio.currentTime + at);
        loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.9);
        tone.connect(loudness);
        loudness.connect(audio.destination);
        tone.start(audio.currentTime + at);
        tone.stop(audio.currentTime + at + 1);
      });
    } catch (error) { /* a screen without sound stays a screen */ }
  }

  function say(call) {
    if (!("speechSynthesis" in window)) return;
    toSay.push([call, ticks()]);
    if (speaking === null) sayNext();
  }

  function sayNext() {
    clearTimeout(speaking);
    speaking = null;
    toSay = toSay.filter(([, since]) => ticks() - since < SAID_SECONDS * 1000);
    if (!toSay.length) return;
    const [call] = toSay.shift();
    const languages = setup.texts.map((t) => t.language);
    const mine = setTimeout(sayNext, languages.length * SPEAKING_SECONDS * 1000);
    speaking = mine;
    languages.forEach((language, place) => {
      const words = new SpeechSynthesisUtterance(call.spoken[language]);
      words.lang = language;
      if (place === languages.length - 1) words.onend = words.onerror = () => { if (speaking === mine) sayNext(); };
      speechSynthesis.speak(words); // the browser says one after the other
    });
  }

  // --- people and time ---

  $("sign-in").addEventListener("submit", (event) => { event.preventDefault(); signIn($("key").value.trim()); $("key").value = ""; });
  $("sound").addEventListener("click", () => {
    loud = isLoud() ? "off" : "on";
    try { localStorage.setItem("tokenq-sound", loud); } catch (error) { /* until the page is loaded again */ }
    if (isLoud()) chime();
    else if ("speechSynthesis" in window) { toSay = []; speechSynthesis.cancel(); }
    draw();
  });
  $("full").addEventListener("click", toggleFull);
  document.addEventListener("keydown", (event) => {
    if (event.key === "f" && !event.ctrlKey && !event.metaKey && event.target.tagName !== "INPUT") toggleFull();
  });

  function toggleFull() {
    const root = document.documentElement;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (root.requestFullscreen) root.requestFullscreen().catch(() => { /* not granted */ });
  }

  let hiding = null;
  ["mousemove", "touchstart", "keydown"].forEach((kind) => document.addEventListener(kind, () => {
    document.body.classList.add("is-touched");
    clearTimeout(hiding);
    hiding = setTimeout(() => document.body.classList.remove("is-touched"), 4000);
  }));

  async function stayAwake() {
    try { if ("wakeLock" in navigator) await navigator.wakeLock.request("screen"); } catch (error) { /* not granted */ }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { stayAwake(); connect(); } });
  window.addEventListener("online", connect);
  window.addEventListener("resize", draw);

  let last = Date.now();
  setInterval(() => {
    const slept = Date.now() - last > 15000 && Date.now() - heardOn > 15000;
    last = Date.now();
    if (slept) heardAt = Math.min(heardAt, ticks() - OLD_SECONDS * 1000 - 1); // old until the stream says something
    const isDue = ticks() - heardAt > OLD_SECONDS * 1000 && (slept || ticks() - triedAt > AGAIN_SECONDS * 1000);
    if (source && $("sign-in").hidden && isDue) connect();
    draw();
  }, 1000);

  stayAwake();
  start();
})();
