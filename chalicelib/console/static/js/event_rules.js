/** The rules of an app: what a new sheet would change, and its versions; and the app's settings. */
import { badge, button, card, code, grid, row, soft, stack, wrong } from './events.js';
import { confirmed, copyable, explain, failure, field, h, loading, note, number, replace, select, tick, time, toast }
  from './ui.js';

const SHOWN = 300;
const EXAMPLE = `eventName,eventPayload,dataType,required
user_login,userId,integer,true
,method,text,false
purchase,items[].price,number,true
`;

export async function rules({ root, sluice, path, get, call, reload }, app) {
  const [{ rules: all }, { versions, current }] = await Promise.all([get('/rules'), get('/rules/versions')]);
  const file = (version, kind) => h('a', { download: `${app.app_id}-rules-${version}.json`,
    href: new URL(`${path.slice(1)}/rules/${kind}?version=${version}`, sluice.base) }, kind);
  const chosen = h('input', { type: 'file', accept: '.csv,.json', onchange: () => [...chosen.files].map(attempt) });
  const outcome = h('div', { class: 'stack', role: 'status', tabindex: -1 });

  const next = `version ${current + 1}`;
  async function attempt(sheet) {
    const headers = { 'Content-Type': sheet.name.endsWith('json') ? 'application/schema+json' : 'text/csv' };
    const send = (query) => sluice.call('POST', `${path}/rules${query}`, sheet, { headers });
    replace(outcome, loading('Trying it on stored events…'));
    try {
      replace(outcome, changes(await send('?dry_run=1&last=2000')),
        row(button(`Make it ${next}`, () => send('').then(reload), { class: 'primary' })));
    } catch (/** @type {any} */ error) {
      replace(outcome, error.errors?.length ? note('bad', 'This sheet cannot be taken:', grid('Problems', error.errors,
        { Where: 'pointer', Problem: 'detail' })) : failure(error));
    }
    outcome.focus();
  }
  const rollBack = async (version) => await confirmed(`Make the rules of version ${version} ${next}?`, 'Roll back')
    && call('POST', '/rules/rollback', { version }).then(reload);
  replace(root, h('div', { class: 'split' },
    card('New rules', field('Rule sheet', chosen, { help: 'Drop or choose it: CSV with eventName, eventPayload, '
      + 'dataType, required; or JSON Schema. It is only tried at first.' }),
    button('Try an example', () => attempt(new File([EXAMPLE], 'example.csv')))),
    stack(outcome, current ? [
      card(`Version ${current}`, grid('Rules', all.slice(0, SHOWN), {
        Event: 'event', Field: 'path', Type: 'type', Required: 'required',
        Also: ({ event, path: _, type, required, ...rest }) => Object.entries(rest).map(([name, value]) =>
          h('div', {}, `${name} `, code(JSON.stringify(value)))),
      }), all.length > SHOWN && soft(`The first ${SHOWN} of ${number(all.length)}; the files have all.`)),
      card('Versions', grid('Versions', versions, {
        Version: (one) => [one.version, ' ', badge(one.label, one.label === 'breaking' && 'warn')],
        Rules: 'rules',
        From: (one) => `${one.source}, ${time(one.created_at)}`,
        Files: (one) => [file(one.version, 'csv'), ' ', file(one.version, 'schema')],
        'Roll back': ({ version }) => version !== current
          && button(`To ${version}`, () => rollBack(version), { class: 'small' }),
      })),
    ] : card('No rules yet', 'Every event is taken as it is.'))));
}

function changes({ differences: found, rules: count, trial, ignored }) {
  const lists = Object.entries({ Breaking: found.reasons, 'New events': found.events_added,
    'Removed events': found.events_removed, 'New fields': found.added, 'Removed fields': found.removed,
    'Changed fields': found.changed, 'Ignored': ignored });
  return card(['What would change ', badge(found.label, found.label === 'breaking' ? 'warn' : 'good')],
    h('p', {}, `The sheet has ${number(count)} rules. Of the newest ${number(trial.events)} events `,
      h('b', {}, `${number(trial.turned_invalid)} would turn invalid and ${number(trial.turned_valid)} valid`), '.'),
    lists.map(([title, all]) => all.length > 0 && h('div', {}, h('h3', {}, title),
      h('ul', {}, all.slice(0, SHOWN).map((one) =>
        h('li', {}, one.path ? `${one.event}: ${one.path} ${one.attributes.join(', ')}` : one))))),
    trial.examples.length > 0 && grid('Some that would turn', trial.examples.slice(0, 5), {
      Event: 'event_name', Turns: 'after',
      Because: (one) => one.results.map((each) => h('div', {}, `${each.key}: ${wrong(each)}`)),
    }));
}

export function settings({ root, call, go, reload }, app) {
  const save = (name, value) => call('PUT', '', { [name]: value })
    .then(() => toast('Saved; it holds within seconds'), (error) => toast(explain(error), 'bad'));
  const policy = select([['record', 'are refused (422) and stored as invalid'],
    ['accept', 'are taken (202) and stored as invalid'], ['drop', 'are refused (422) and not stored']],
  { value: app.policy, onchange: () => save('policy', policy.value) });
  const flag = (name, text) => tick(text, { checked: app[name], onchange: ({ target }) => save(name, target.checked) });
  /** A value that is saved when it is left; what is refused is told beside it. */
  const entry = (name, label, help, props) => {
    const made = field(label, h('input', { value: app[name] ?? '', ...props, onchange }), { help });
    async function onchange({ target: { value } }) {
      const said = props ? value === '' ? null : Number(value) : value;
      await call('PUT', '', { [name]: said }).then(() => {
        made.say();
        toast('Saved; it holds within seconds');
      }, (error) => made.say(explain(error)));
    }
    return made;
  };
  const count = (least) => ({ type: 'number', min: least, inputmode: 'numeric' });
  const key = h('div', { role: 'status' });
  const makeKey = async () => {
    const { ingest_key: made } = await call('POST', '/ingest-key');
    replace(key, copyable(made, 'X-Ingest-Key, shown this once'));
  };
  const removing = (what, question, rest, after) => button(what, async () => await confirmed(question, what)
    && call('DELETE', rest).then(after), { class: 'danger' });
  replace(root, h('div', { class: 'grid' },
    card('Judging', field('Events that break rules', policy),
      flag('optional_absent_is_invalid', 'Missing optional fields make events invalid'),
      flag('integer_for_float', 'Whole numbers fit the type float')),
    card('Ingest key', app.has_ingest_key ? 'Events need the key; a new one makes it void.'
      : 'Anyone who knows the address may send events.', key, row(button('Make a new key', makeKey),
      app.has_ingest_key && removing('Remove the key', 'Let events need no key?', '/ingest-key', reload))),
    card('Alerts', flag('spike_alerts', 'Mail when clearly more events than usual are invalid'),
      entry('spike_factor', 'More than so many times the usual', 'The median of the day before.',
        { type: 'number', min: 1, step: 'any' }),
      entry('spike_floor', 'And more than so many in a quarter of an hour', '', count(1)),
      entry('spike_pause_minutes', 'Minutes without another mail', '', count(15))),
    card('Name and sampling', entry('name', 'Name', ''),
      entry('keep_bodies_per_minute', 'Bodies of valid events kept in a minute',
        'Above it they are stored without. Empty: all are kept.', count(0))),
    card('End', row(removing('Delete the app', 'Delete it with rules and events?', '', () => go('#/events'))))));
}
