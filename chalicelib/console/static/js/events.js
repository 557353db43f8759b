/**
 * Events: the caller's apps, the frame of an app's page, and how a stored event is shown, on whatever tab.
 * What an app sent, names included, is foreign: it becomes text and nothing else.
 */
import { empty, failure, field, h, loading, loginLink, number, pressing, replace, sayErrors, table } from './ui.js';

const TABS = { Live: 'live', Overview: 'app', Rules: 'rules', Logs: 'app', Quarantine: 'app', Settings: 'rules' };
/** @type {[string, string][]} */
export const VERDICTS = [['', 'Any'], ['valid', 'Valid'], ['invalid', 'Invalid'], ['no_rules', 'No rules']];
const HARMLESS = /^(Valid|Optional payload|Extra|Payload from extra|Further results)/;

export const at = (app, tab, query) => `#/events/${app.app_id}/${tab}${query ? `?${new URLSearchParams(query)}` : ''}`;
export const button = (text, act, props) =>
  h('button', { type: 'button', onclick: (event) => pressing(event.currentTarget, act), ...props }, text);
export const code = (text) =>
  h('code', { style: { display: 'inline-block', minWidth: '14ch', overflowWrap: 'anywhere' } }, text);
export const soft = (...children) => h('p', { class: 'small soft' }, children);
export const stack = (...children) => h('div', { class: 'stack' }, children);
export const row = (...children) => h('div', { class: 'row' }, children);
export const card = (title, ...children) =>
  h('section', { class: 'card stack' }, h('h2', { style: { margin: 0 } }, title), children);
export const badge = (text, kind) => h('span', { class: `badge ${kind || ''}`, style: { whiteSpace: 'normal' } }, text);
export const stats = (all) => h('div', { class: 'stats' }, Object.entries(all).map(([text, value]) =>
  h('div', { class: 'stat' }, h('b', {}, number(value)), h('span', {}, text))));
/** A table by heads, each with the field or what makes the cell. */
export const grid = (label, rows, columns) => table(Object.entries(columns).map(([head, cell]) =>
  ({ head, cell: cell.call ? cell : (one) => one[cell], num: Number.isInteger(rows[0]?.[cell]) })), rows, { label });

/** @param {import('./app.js').Context} context */
export async function show({ root, session, sluice, signal, parts, go, ...context }) {
  if (!session.user_id) {
    replace(root, h('h1', {}, 'Events'),
      h('p', {}, 'See what your apps send as it arrives: which events fit your tracking plan, and what is wrong.'),
      h('a', { class: 'button primary', href: loginLink() }, 'Log in or sign up'));
    return;
  }
  replace(root, loading());
  const [id, wanted] = parts;
  const path = `/api/apps${id ? `/${encodeURIComponent(id)}` : ''}`;
  const call = (method, rest, body) => sluice.call(method, path + rest, body, { signal });
  const found = await call('GET', '');
  if (!id) return showApps(root, call, go, found.apps);
  const tab = Object.keys(TABS).find((name) => name.toLowerCase() === wanted) ?? 'Live';
  const place = h('div', {}, loading());
  replace(root, h('a', { class: 'small', href: '#/events' }, 'All apps'), h('h1', {}, found.name), about(found),
    h('nav', { class: 'tabs', 'aria-label': 'Parts of the app' }, Object.keys(TABS).map((name) =>
      h('a', { href: at(found, name.toLowerCase()), 'aria-current': name === tab && 'page' }, name))), place);
  try {
    const shown = (await import(`./event_${TABS[tab]}.js`))[tab.toLowerCase()];
    const get = (rest) => call('GET', rest);
    return await shown({ ...context, root: place, sluice, signal, go, path, call, get }, found);
  } catch (error) {
    if (!signal.aborted) replace(place, failure(error, context.reload));
  }
}

async function showApps(root, call, go, apps) {
  const fields = {
    name: field('Name', h('input', { value: apps.length ? '' : 'My first app', maxlength: 200 })),
    app_id: field('ID', h('input', { maxlength: 100, placeholder: 'shop-android' }),
      { help: 'Part of its address; made up if empty.' }),
  };
  const create = async () => {
    const [name, id] = Object.values(fields).map((one) => one.control.value.trim());
    await call('POST', '', { name, app_id: id || undefined }).then((app) => go(at(app, 'live')), (error) => {
      const others = sayErrors(error, fields);
      if (error.status === 409) fields.app_id.say(error.message);
      else if (others.length || !error.errors?.length) throw error;
      form.querySelector('[aria-invalid]').focus();
    });
  };
  const press = h('button', { class: 'primary' }, 'Create the app');
  const submit = (event) => event.preventDefault() ?? pressing(press, create);
  const form = h('form', { novalidate: true, onsubmit: submit }, card('New app', Object.values(fields), row(press)));
  const counts = apps.map(() => soft('…'));
  replace(root, h('h1', {}, 'Events'), h('div', { class: 'split' }, form,
    apps.length ? h('div', { class: 'grid' }, apps.map((app, n) =>
      card(h('a', { href: at(app, 'live') }, app.name), about(app), counts[n])))
      : empty('No apps yet', h('p', {}, 'Make one; it has a button that sends a first event.'))));
  // One after the other: an account may have 200 apps.
  for (const [n, { app_id: id }] of apps.entries()) {
    const found = await call('GET', `/${id}/stats`).catch(() => null);
    replace(counts[n], found?.total ? `Events of the last day, by name: ${found.valid} valid, ${found.invalid} invalid`
      : 'No events in the last day');
  }
}

const about = ({ app_id: id, rules_version: version }) =>
  h('p', {}, h('code', {}, id), ' ', version ? badge(`rules version ${version}`) : badge('no rules yet', 'warn'));

/** The table of `eventLine`s; its columns are fixed, so that a new line costs no layout of the others. */
export function eventTable(label) {
  const made = grid(label, [], { Time: '', Event: '', Verdict: '' });
  const [at, , verdict] = made.querySelectorAll('th');
  at.style.width = 'min(11rem, 31vw)';
  verdict.style.width = '6rem';
  made.firstChild.style.tableLayout = 'fixed';
  made.style.maxHeight = '80vh';
  return made;
}

/** The line of a stored event; pressed, `line.detail` is below it. */
export function eventLine(event, ontoggle) {
  const { event_name: name, validation_status: status, validation_results: results } = event;
  const fault = results.find(isFault);
  const opener = h('button', { type: 'button', class: 'plain small', 'aria-expanded': 'false',
    style: { textAlign: 'left', padding: '0', overflowWrap: 'anywhere' } }, name);
  const toggle = () => {
    if (line.detail) line.detail = line.detail.remove();
    else line.after((line.detail = h('tr', {}, h('td', { colspan: 3 }, details(event)))));
    opener.setAttribute('aria-expanded', Boolean(line.detail));
    ontoggle?.();
  };
  const verdict = badge(new Map(VERDICTS).get(status), { valid: 'good', invalid: 'bad' }[status]);
  const at = new Date(event.created_at).toLocaleString();
  const line = h('tr', { class: 'act', onclick: toggle }, h('td', { class: 'small' }, at),
    h('td', {}, opener, fault && soft(`${fault.key}: ${wrong(fault)}`)), h('td', {}, verdict));
  return line;
}

const details = (event) => stack(
  soft(`${event.is_user ? 'User' : 'System'} event, rules version ${event.rules_version}, `, code(event.message_id)),
  grid('Results by field', [...event.validation_results].sort((one, other) => isFault(other) - isFault(one)), {
    Field: 'key', Value: (one) => code(one.value), Expected: 'expectedType', Received: 'receivedType',
    Found: (one) => [badge(one.validationStatus, isFault(one) && 'bad'), one.comment && soft(one.comment)],
  }),
  h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Body', style: { maxHeight: '20rem' } },
    event.is_body_kept ? JSON.stringify(event.payload, null, 2) : 'was not kept'));

const isFault = (one) => Number(!HARMLESS.test(one.validationStatus));
export const wrong = (one) => (one.validationStatus.startsWith('Invalid')
  ? `${one.expectedType} expected, ${one.receivedType} came` : one.validationStatus);
