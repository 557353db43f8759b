/** Forecasts: a new one, scenarios beside each other, saved ones, and whether they came true. */
import { showCompare } from './forecast_compare.js';
import { example, makeFields, moreOptions, words } from './forecast_form.js';
import { resultView } from './forecast_results.js';
import { offerToSave, showAccuracy, showSaved } from './forecast_saved.js';
import { button, div, follow, get, kept, list, parsed } from './forecast_work.js';
import { append, copyable, empty, failure, h, loading, note, number, replace } from './ui.js';

/** @type {any} */
const VIEWS = {
  '': ['New', showNew], '/compare': ['Compare', showCompare], '/saved': ['Saved', showSaved],
  '/accuracy': ['Accuracy', showAccuracy],
};
const PATH = '/api/async/simulate';

/** @param {import('./app.js').Context} context */
export function show(context) {
  const asked = `/${context.parts[0]}`;
  const view = asked in VIEWS ? asked : '';
  const tab = ([each, [text]]) => h('a', { href: `#/forecast${each}`, 'aria-current': each === view && 'page' }, text);
  const place = h('div');
  append(context.root, [h('h1', {}, 'Forecast'),
    h('nav', { class: 'tabs no-print', 'aria-label': 'Forecasts' }, Object.entries(VIEWS).map(tab)), place]);
  VIEWS[view][1](context, place);
}

function showNew(context, place) {
  const { sluice, signal } = context;
  const query = new URLSearchParams(String(context.query) || kept()[PATH]);
  let parent = query.get('parent');
  const form = makeFields();
  const { fields } = form;
  const samples = fields.tpSamples.control;
  const others = h('div', { 'aria-live': 'polite' });
  const seen = h('p', { class: 'small soft' });
  const panel = h('section', { class: 'stack', 'aria-label': 'Result' }, empty('When will it be done?',
    h('p', {}, 'Say what was finished and what is left. Press Forecast for the example.')));

  function fill(body) {
    const rest = form.fill(body);
    replace(others, rest.length > 0 && note('', `Also used, as it came: ${rest.join(', ')}.`));
    count();
  }

  function count() {
    const all = words(samples.value).map(Number);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    seen.textContent = mean >= 0 ? `${all.length} weeks, ${number(mean, 1)} a week on average` : '';
  }

  /** Samples from a table of closed items. */
  async function take(file) {
    replace(others, loading(`Reading ${file.name}…`));
    try {
      const headers = { 'Content-Type': 'text/csv' };
      const found = await sluice.call('POST', '/api/throughput/import', file, { headers, signal });
      samples.value = found.tpSamples.join(', ');
      const rejected = found.rejected.slice(0, 5).map((one) => `Line ${one.line} was left out: ${one.reason}`);
      const head = `${found.items_closed} closed items up to ${found.as_of}.`;
      replace(others, note('', list([head, ...found.warnings, ...rejected])));
      count();
    } catch (error) {
      if (!signal.aborted) replace(others, failure(error));
    }
  }

  async function run(body, taskId = '', byHand = true) {
    const state = { share: JSON.stringify(body), parent };
    const done = await follow(context, panel, { path: PATH, body, taskId, state, retry: () => run(body),
      label: `Forecast ${body.projectName ?? ''}`, refuse: form.refuse });
    if (done) tell(done.result, body, done.signal);
    if (done && byHand) panel.querySelector('h2')?.focus();
  }

  function tell(result, body, mine) {
    const room = div('no-print');
    const link = `${location.href.split('#')[0]}#/forecast?${new URLSearchParams({ share: JSON.stringify(body) })}`;
    const ask = async () => (await sluice.run('/api/async/deadline-analysis',
      { simulationData: { ...body, historyInterval: false } }, { signal: mine })).result;
    const [head, ...rest] = resultView(result, body, mine, ask);
    replace(panel, head, div('row no-print',
      button('Save', () => offerToSave(context, room, body, parent)),
      button('Share link', () => replace(room, copyable(link, 'Link to this forecast'))),
      button('Print', () => print()),
      button('Add to comparison', () => {
        kept({ scenarios: [...(kept().scenarios ?? []), body].slice(-6), '/api/async/compare-scenarios': '' });
        context.go('#/forecast/compare');
      })), room, rest);
  }

  async function open(id) {
    const { input_data: body, forecast_data: result } = await get(context, `/api/forecasts/${id}`);
    if (!result.confidence) throw new Error('This is another sort of forecast.');
    fill(body);
    parent = id;
    tell(result, form.read() ?? body, signal);
  }

  const over = (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    source.classList.toggle('over', event.type === 'dragover');
    if (event.type === 'drop') take(event.dataTransfer.files[0]);
  };
  const file = h('input', { type: 'file', hidden: true, onchange: () => take(file.files[0]) });
  const source = h('div', { class: 'drop', ondragover: over, ondragleave: over, ondrop: over }, fields.tpSamples, seen,
    div('row', button('Choose a file', () => file.click(), 'small'), file,
      button('Use the example', () => fill(example()), 'small')));
  const submit = (event) => {
    event.preventDefault();
    const body = form.read();
    if (body) run(body);
  };
  replace(place, div('split', h('form', { class: 'stack no-print', novalidate: true, oninput: count, onsubmit: submit },
    fields.projectName, source, others, fields.numberOfTasks, div('stats', fields.startDate, fields.deadlineDate),
    moreOptions(fields), h('button', { class: 'primary' }, 'Forecast')), panel));

  const body = parsed(query.get('share'));
  fill(body ?? example());
  if (query.has('share') && !body) replace(panel, note('bad', 'This link cannot be read: it was cut short.'));
  if (query.has('saved')) open(query.get('saved')).catch((error) => replace(panel, failure(error)));
  else if (body) run(form.read() ?? body, query.get('task') ?? '', false);
}
