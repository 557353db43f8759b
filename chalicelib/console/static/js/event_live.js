/**
 * Events as they arrive: by the socket, or by polling where there is none. The socket is a hint: what it leaves out is
 * read from the logs after joining, after a message that was not complete, and once a minute.
 */
import { badge, button, eventLine, eventTable, row, soft, stack, stats, VERDICTS } from './events.js';
import { copyable, empty, failure, field, h, number, replace, select } from './ui.js';

// Kept of users and of the system each, for whoever changes the filter.
const SHOWN = 300;
const PAINT_MS = 100;
const POLL_MS = 2_000;
const READ_MS = 60_000;
// For a tab that has slept.
const MOST_PAGES = 30;
const KNOWN_IDS = 50_000;
const byAge = (one, other) => other.id - one.id;

export async function live({ root, sluice, signal, query, setQuery, get, reload }, app) {
  const lines = new Map();
  const seen = new Set();
  const said = (name) => query.get(name) ?? '';
  let source = said('source');
  let tally, kept, fresh, received, socket;
  let isDue = false, isHeld = false, isJoined = false;
  let paintedAt = 0, readAt = 0, heldAt = 0, failures = 0;
  let newest = '', sent = '', sentAt = 0;

  const status = h('span', { role: 'status' });
  const fate = h('span', { class: 'small', role: 'status' });
  const pause = button('', () => paint(!isHeld));
  const [cards, below, line] = [h('div'), h('div'), h('div')];
  const name = h('input', { value: said('name'), placeholder: 'any', oninput: narrow });
  const kind = select(VERDICTS, { value: said('verdict'), onchange: narrow });
  const tabs = [['', 'All'], ['user', 'User'], ['system', 'System']].map(([key, text]) => button(text, () => {
    source = key;
    narrow();
  }, { data: { key }, title: key === 'system' && 'Also events without rules' }));
  const shown = eventTable('Events, the newest first');
  const body = shown.querySelector('tbody');

  function narrow() {
    setQuery({ source, name: name.value, verdict: kind.value });
    draw();
  }

  function clear() {
    tally = { valid: 0, invalid: 0, no_rules: 0 };
    kept = { user: [], system: [] };
    fresh = [];
    received = heldAt = 0;
    draw();
  }

  function receive(events, isArrival) {
    for (const event of events) {
      if (seen.has(event.id)) continue;
      if (seen.add(event.id).size > KNOWN_IDS) seen.delete(seen.values().next().value);
      fresh.push(event);
      received++;
      if (isArrival) tally[event.validation_status]++;
      if (event.message_id === sent) fate.append(` Here after ${((Date.now() - sentAt) / 1000).toFixed(1)} s.`);
    }
    fresh = fresh.sort(byAge).slice(0, 2 * SHOWN);
    if (isDue) return;
    isDue = true;
    // A tab that nobody looks at is given no frame, and paints nothing.
    setTimeout(() => requestAnimationFrame(() => paint()), paintedAt + PAINT_MS - performance.now());
  }

  function paint(held = isHeld) {
    isHeld = held;
    isDue = false;
    paintedAt = performance.now();
    if (!isHeld) {
      for (const key of ['user', 'system']) {
        const mine = fresh.filter((event) => event.is_user === (key === 'user'));
        kept[key] = [...mine, ...kept[key]].sort(byAge).slice(0, SHOWN);
      }
      fresh = [];
      heldAt = received;
    }
    draw();
  }

  function draw() {
    const { valid, invalid, no_rules: other } = tally;
    replace(cards, stats({ Arrived: valid + invalid + other, Valid: valid, Invalid: invalid, 'Without rules': other }));
    for (const one of tabs) one.setAttribute('aria-pressed', one.dataset.key === source);
    pause.textContent = isHeld ? `Resume (${number(received - heldAt)} new)` : 'Pause';
    const part = name.value.trim().toLowerCase();
    const events = (source ? kept[source] : [...kept.user, ...kept.system].sort(byAge)).filter((event) =>
      (!kind.value || event.validation_status === kind.value) && event.event_name.toLowerCase().includes(part))
      .slice(0, SHOWN);
    const ids = new Set(events.map((event) => event.id));
    for (const [id, line] of lines) {
      if (ids.has(id)) continue;
      line.detail?.remove();
      line.remove();
      lines.delete(id);
    }
    let next = body.firstChild;
    for (const event of events) {
      // What is read stays where it is: an event that is opened holds the others back.
      const line = lines.get(event.id) ?? eventLine(event, () => paint(true));
      lines.set(event.id, line);
      if (line === next) next = (line.detail ?? line).nextSibling;
      else body.insertBefore(line, next);
    }
    shown.hidden = !lines.size;
    replace(below, shown.hidden && empty('Waiting for events'),
      soft(`${lines.size} of ${number(received)} events are shown.`));
  }

  const tell = (text, mood) => status.textContent !== text && replace(status, badge(text, mood));

  /** Reads what is new; the first page says from where on the next time. */
  async function read() {
    const since = newest;
    for (let cursor = '', page = 0; cursor !== null && page < MOST_PAGES; page++) {
      const found = await get(`/logs?${new URLSearchParams({ limit: '300', since, cursor })}`);
      if (!page) newest = found.newest;
      receive(found.logs, since);
      cursor = since ? found.next_cursor : null;
    }
    if (!isJoined) tell('Polling every 2 s', 'warn');
  }

  async function beat() {
    try {
      if (Date.now() >= readAt) {
        readAt = Date.now() + (isJoined ? READ_MS : POLL_MS);
        await read();
      }
    } catch (/** @type {any} */ error) {
      if (signal.aborted) return;
      tell('The service is away, trying again', 'bad');
      if (!error.isPassing) return replace(root, failure(error, reload));
    }
    setTimeout(beat, 500);
  }

  function connect() {
    if (signal.aborted || typeof WebSocket !== 'function') return;
    socket = new WebSocket(new URL('ws/events/', sluice.base).href.replace('http', 'ws'));
    socket.onopen = () => signal.aborted && socket.close();
    socket.onmessage = ({ data }) => {
      const { type, logs, is_complete: isAll } = JSON.parse(data);
      if (type === 'connection') socket.send(JSON.stringify({ action: 'join', app_id: app.app_id }));
      else if (type === 'validation_update') {
        receive(logs, true);
        if (!isAll) readAt = Math.min(readAt, Date.now() + 500);
      } else {
        if ((isJoined = type === 'joined')) tell('Live', 'good');
        // From then on all are sent, or none.
        readAt = Date.now() + POLL_MS;
        failures = 0;
      }
    };
    socket.onclose = () => {
      isJoined = false;
      readAt = 0;
      setTimeout(connect, Math.min(30_000, 1000 * 2 ** failures++));
    };
  }

  clear();
  tell('Connecting', '');
  connect();
  await read();

  const like = fresh.find((event) => event.validation_status !== 'invalid' && event.payload)?.payload;
  const { messageId: _, ...sample } = like ?? { eventName: 'user_login', payload: { userId: 123 } };
  const key = h('input', { autocomplete: 'off', oninput: write });
  function write() {
    replace(line, copyable(`curl '${app.endpoint}' -H 'Content-Type: application/json' \\
  ${app.has_ingest_key ? `-H 'X-Ingest-Key: ${key.value || 'KEY'}' ` : ''}-d '${
  JSON.stringify(sample).replaceAll("'", "'\\''")}'`, 'curl'));
  }
  async function send() {
    sentAt = Date.now();
    sent = `console-${sentAt}-${Math.random()}`;
    replace(fate);
    const event = { ...sample, messageId: sent };
    const asked = sluice.call('POST', `/api/logs/${app.app_id}`, event, { headers: { 'X-Ingest-Key': key.value } });
    fate.prepend(`${(await asked.catch((error) => {
      // What breaks rules is refused, and comes all the same.
      if (!error.problem?.message_id) throw error;
      return error.problem;
    })).message}.`);
  }
  write();
  replace(root, stack(
    row(status, pause, button('Clear', clear), button('Send a test event', send, { class: 'primary' }), fate), cards,
    h('details', { class: 'card', open: !received }, h('summary', {}, 'How events are sent'),
      stack(copyable(app.endpoint, 'Endpoint'), app.has_ingest_key && field('Ingest key', key), line)),
    row(h('div', { class: 'tabs', role: 'group', 'aria-label': 'Whose events' }, tabs),
      field('Name contains', name), field('Verdict', kind)),
    shown, below));
  beat();
  return () => socket?.readyState && socket.close();
}
