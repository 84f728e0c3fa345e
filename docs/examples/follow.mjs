// The calls of a department, in a browser or with Node 18 or newer: node follow.mjs URL KEY DEPARTMENT [POSITION]
export async function follow(url, key, department, onEvent, position = "") {
  for (;;) {
    const connection = new AbortController();
    const waitForWord = () => setTimeout(() => connection.abort(new TypeError("silence")), 20_000);
    let silence = waitForWord();
    try {
      const headers = { Authorization: `Bearer ${key}`, ...(position && { "Last-Event-ID": position }) };
      const answer = await fetch(`${url}/events?departmentId=${department}`, { headers, signal: connection.signal });
      if (answer.status >= 400 && answer.status < 429) throw new Error((await answer.json()).detail);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(silence);
        silence = waitForWord();
        const messages = (text + part.value).split("\n\n");
        text = messages.pop();
        for (const message of messages) {
          const field = (name) => message.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
          if (field("event")) onEvent(field("event"), JSON.parse(field("data")));
          position = field("id") ?? position;
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // which is what a lost connection is
    } finally {
      clearTimeout(silence);
    }
    await new Promise((done) => setTimeout(done, 1000 + 1000 * Math.random()));
  }
}

if (globalThis.process?.argv[4]) {
  const [url, key, department, position] = process.argv.slice(2);
  const show = (type, event) => type === "TOKEN_CALLED" && console.log(`${event.displayNumber}: counter ${event.counterId}`);
  await follow(url, key, department, show, position);
}
