/** How an app's events are doing: numbers and coverage; stored events and their files; and what is wrong with them. */
import { bars, chart } from './charts.js';
import { at, button, card, code, eventLine, eventTable, grid, row, soft, stack, stats, VERDICTS } from './events.js';
import { empty, failure, field, h, loading, number, replace, select, time } from './ui.js';

export async function overview({ root, get, go, query, signal }, app) {
  const step = query.get('step') === 'day' ? 'day' : 'hour';
  const [now, cover, { points, events, counted_until: until }] = await Promise.all([
    get(`/stats?hours=${step === 'day' ? 720 : 24}`), get('/coverage'), get(`/history?by_event=true&step=${step}`)]);
  const of = (name) => points.map((one) => one[name]);
  const sum = (all) => all.reduce((total, one) => total + one.total, 0);
  const address = (name) => at(app, 'logs', { event_names: name });
  const names = (title, all) => all.length > 0 && [h('h3', {}, `${title}: ${number(all.length)}`),
    h('div', { class: 'chips', style: { overflowWrap: 'anywhere' } }, all.slice(0, 99).map((one) =>
      h('a', { class: 'chip', href: address(one) }, one)))];
  const periods = [['hour', 'Last 24 hours'], ['day', 'Last 30 days']];
  replace(root, stack(h('div', { class: 'tabs' }, periods.map(([value, text]) =>
    h('a', { href: at(app, 'overview', { step: value }), 'aria-current': value === step && 'true' }, text))),
    card('Event names, by the newest event of each', stats({ Seen: now.total, Valid: now.valid - now.no_rules,
      Invalid: now.invalid, 'Without rules': now.no_rules })),
    card('Events', soft(`${number(sum(points))} were counted until ${until ? time(until) : 'now'}`),
      chart({ title: `Events by ${step}`, isTime: true, x: of('at').map((text) => Date.parse(text) / 1000), signal,
        series: [{ label: 'Stored', values: of('total'), as: 'area' },
          { label: 'Invalid', values: of('invalid'), colour: 'bad' }] }),
      bars(events.map((one) => ({ label: one.event_name, value: sum(one.points) })),
        { title: 'Events by name', onpick: ({ label }) => go(address(label)) })),
    card('Coverage', cover.total ? [
      `${number(cover.captured)} of ${number(cover.total)} events were seen.`,
      h('progress', { max: cover.total, value: cover.captured, 'aria-label': 'Coverage' })]
      : h('a', { href: at(app, 'rules') }, 'Upload rules to see which events of the plan are missing'),
    names('Not seen yet', cover.missing_events), names('Seen, but without rules', cover.extra_events))));
}

export async function logs({ root, get, path, sluice, query, setQuery }) {
  const said = (name) => query.get(name) ?? '';
  const text = (label, name, props) =>
    field(label, h('input', { name, value: said(name), placeholder: 'any', ...props }));
  const names = h('datalist', { id: 'names' });
  const form = h('form', { class: 'card stats', onchange: load, onsubmit: (event) => event.preventDefault() },
    text('Event', 'event_names', { list: 'names' }),
    field('Verdict', select(VERDICTS, { name: 'status', value: said('status') })),
    text('Field', 'field_names'), text('Value contains', 'value_search'),
    ['from', 'to'].map((name) => text(`Accepted ${name} (UTC)`, name, { type: 'datetime-local' })), names);
  const list = eventTable('Stored events, the newest first');
  const body = list.querySelector('tbody');
  const status = h('span', { class: 'soft', role: 'status' });
  const older = button('Load older events', more);
  let cursor, shown;

  const filters = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value).map(([name, value]) =>
    [name, name.endsWith('names') ? [value] : value]));
  async function more() {
    const asked = Object.entries(filters()).map(([name, value]) =>
      [name, value instanceof Array ? JSON.stringify(value) : `${value}`]);
    const mine = shown;
    const page = await get(`/logs?${new URLSearchParams([...asked, ['cursor', cursor]])}`);
    if (mine !== shown) return;
    const { total, is_total_exact: isAll } = page;
    if (total !== null) status.textContent = `${number(total)}${isAll ? '' : '+'} events fit`;
    for (const event of page.logs) body.append(eventLine(event));
    shown.push(...page.logs);
    cursor = page.next_cursor ?? '';
    older.hidden = !cursor;
    list.hidden = !shown.length;
  }
  async function load() {
    setQuery(filters());
    cursor = '';
    shown = [];
    replace(body);
    status.textContent = 'Loading…';
    await more().catch((error) => replace(status, failure(error, load)));
  }
  const save = (title, rest, ask) => button(title, async () => {
    status.textContent = 'Making the file…';
    const { body: content, headers } = await sluice.exchange('POST', path + rest, ask());
    const name = headers.get('Content-Disposition').split('"')[1];
    // So that Excel reads UTF-8.
    const href = URL.createObjectURL(new Blob(['\ufeff', content], { type: 'text/csv' }));
    h('a', { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    status.textContent = `Saved ${name}`;
  });
  replace(root, stack(form,
    h('div', { class: 'row apart' }, status, row(
      save('CSV of these rows', '/download-report',
        () => ({ results: shown.flatMap((one) => one.validation_results) })),
      save('CSV of all that fit', '/download-all-results', () => ({ filters: filters(), all_events: true })),
      save('CSV of the last day', '/download-valid-events', () => ({})))),
    list, row(older)));
  await load();
  replace(names, (await get('/event-names')).event_names.map((value) => h('option', { value })));
}

export async function quarantine({ root, get, path, sluice, signal, query, setQuery, track }, app) {
  const place = h('div');
  const outcome = h('div', { role: 'status', tabindex: -1 });

  async function list() {
    const found = await get('/quarantine?limit=200');
    replace(place, found.total ? grid('Faults', found.groups, {
      'Event and field': (one) => [h('a', { href: at(app, 'logs', { event_names: one.event_name, status: 'invalid',
        field_names: one.field_name }) }, one.event_name), ' ', code(one.field_name),
      soft(`${one.validation_status}; ${one.sample.comment}`)],
      Example: (one) => code(one.sample.value), Events: 'events', Faults: 'count',
      'Seen last': (one) => time(one.last_seen),
    }) : empty('Nothing is wrong', h('p', {}, 'Invalid events would be grouped here.')));
  }
  async function judge(body) {
    const task = await sluice.submit(`${path}/replay`, body);
    setQuery({ task });
    track(task, `Replay of ${app.name}`, location.hash);
    await follow(task);
  }
  async function follow(task) {
    replace(outcome, loading('Judging them again…'));
    try {
      const { result } = await sluice.finish(task, { signal });
      const body = { apply: true, rules_version: result.rules_version || undefined };
      replace(outcome, verdicts(result, () => judge(body)));
      outcome.focus();
      await list();
    } catch (error) {
      if (!signal.aborted) replace(outcome, failure(error));
    }
  }
  replace(root, stack(row(button('Judge stored events again', () => judge({}))), outcome, place));
  await list();
  if (query.get('task')) follow(query.get('task'));
}

const verdicts = (found, apply) => card(found.is_applied ? 'What has turned' : 'What would turn',
  stats({ Judged: found.events, 'Turned valid': found.turned_valid, 'Turned invalid': found.turned_invalid }),
  found.changes.length > 0 && grid('Changes', found.changes, { Event: 'event_name',
    Field: 'field_name', Turns: (one) => one.change.slice(7),
    'Because of': 'validation_status', Events: 'events' }),
  !found.is_applied && row(button('Store these verdicts', apply, { class: 'primary' })));
