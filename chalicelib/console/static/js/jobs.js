/** Jobs: the caller's own, one of them, and for admins everybody's that have not ended. */
import {
  copyable, duration, empty, failure, field, h, loading, loginLink, note, number, pressing, redraw, replace, select,
  stateBadge, table, time, toast,
} from './ui.js';

const RUNNING = 'STARTED,PROGRESS';
const STATES = [
  ['', 'Any'], ['PENDING,RETRY', 'Waiting'], [RUNNING, 'Running'], ['SUCCESS', 'Finished'], ['FAILURE', 'Failed'],
  ['REVOKED', 'Cancelled'],
];
const SINCE = [['', 'Any time'], ['1', 'Last hour'], ['24', 'Last day'], ['168', 'Last week']];

/** A kind in words. */
export const title = (kind) => kind.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

export const badge = ({ state }) => stateBadge(state, STATES.find(([states]) => states && states.includes(state))?.[1]);

const bar = ({ state, progress }) =>
  RUNNING.includes(state) && h('progress', { max: 100, value: progress, 'aria-label': 'Progress' });

export const span = (ms) => (Number.isFinite(ms) ? duration(Math.max(0, ms) / 1000) : '–');

/** How long a job waited for its first run and how long its latest lasted. */
function times(job) {
  const at = (name) => Date.parse(job[name]);
  const end = RUNNING.includes(job.state) ? Date.now() : at('ended_at');
  return { lag_ms: at('started_at') - at('created_at'), run_ms: end - at('last_started_at'), ...job };
}

/** Draws now and again while somebody looks, soon again where `draw` says so; answers what draws at once. */
export function keepDrawing(signal, draw) {
  let timer;
  async function next() {
    const isBusy = !document.hidden && (await draw());
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(next, isBusy ? 4_000 : 15_000);
  }
  document.addEventListener('visibilitychange', next, { signal });
  return next;
}

/** A button about something; `then` is called when `act` is over. */
export const press = (word, about, act, then) => h('button', {
  type: 'button', class: 'small', 'aria-label': `${word}: ${about}`, data: { key: word + about },
  onclick: (event) => pressing(event.currentTarget, act).then(then),
}, word);

/** Cancel or retry. */
function action({ sluice }, { kind, ready, state, task_id: id }, then) {
  const about = `${title(kind)} ${id.slice(0, 8)}`;
  if (!ready) {
    return press('Cancel', about, async () =>
      toast((await sluice.cancel(id)) ? 'It was asked to stop' : 'It had ended already', 'warn'), then);
  }
  return state === 'FAILURE' && press('Retry', about, () => sluice.call('POST', `/api/tasks/${id}/retry`), then);
}

/** @param {import('./app.js').Context} context */
export async function show(context) {
  const { root, parts: [view = ''], session, go } = context;
  if (!['', 'all', 'queues'].includes(view)) return showJob(context, view);
  const id = h('input', { 'aria-label': 'Id of a job', placeholder: 'Id of a job' });
  const find = (event) => {
    event.preventDefault();
    go(`#/jobs/${encodeURIComponent(id.value.trim())}`);
  };
  const tab = (name, text) => h('a', { href: `#/jobs/${name}`, 'aria-current': view === name && 'page' }, text);
  const content = h('div', { class: 'stack' });
  replace(root, h('div', { class: 'row apart' }, h('h1', {}, 'Jobs'),
    h('form', { class: 'find', role: 'search', onsubmit: find }, id, h('button', {}, 'Find'))),
  session.scopes.includes('admin') && h('nav', { class: 'tabs', 'aria-label': 'Jobs' },
    tab('', 'Mine'), tab('all', 'Everybody’s'), tab('queues', 'Queues')), content);
  if (view === 'queues') return (await import('./job_operations.js')).showOperations(context, content);
  if (session.user_id) return list(context, content, view === 'all');
  replace(content, empty('Log in to see your jobs.', h('p', {}, 'A job without an account is found by its id.'),
    h('p', {}, h('a', { class: 'button primary', href: loginLink() }, 'Log in or sign up'))));
}

function list(context, content, isAll) {
  const { sluice, signal, query, setQuery } = context;
  const place = h('div', { class: 'stack' }, loading());
  const choice = (name, label, options) => field(label, select(options, {
    value: query.get(name) ?? '', onchange: (event) => turn({ [name]: event.target.value, cursor: '' }),
  }));
  const kind = choice('kind', 'Kind', [['', 'Any']]);
  const known = new Set();
  let asked = 0;

  function turn(changes) {
    for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
    setQuery(query, { push: true });
    next();
  }
  function learn(value) {
    const selected = value === query.get('kind');
    if (!known.has(value)) kind.control.append(h('option', { value, selected }, title(value)));
    known.add(value);
  }
  async function load() {
    if (isAll) {
      const { jobs } = await sluice.call('GET', '/api/admin/active?limit=200', undefined, { signal });
      const fits = (name, value) => (query.get(name) ?? value).split(',').includes(value);
      return { tasks: jobs.filter((one) => fits('state', one.state) && fits('kind', one.kind)) };
    }
    const asks = new URLSearchParams(query);
    const hours = Number(query.get('since'));
    if (hours) asks.set('since', new Date(Date.now() - 3_600_000 * hours).toISOString());
    return sluice.call('GET', `/api/tasks?limit=100&${asks}`, undefined, { signal });
  }
  async function draw() {
    const mine = ++asked;
    try {
      const { tasks, next_cursor: older } = await load();
      if (mine !== asked) return true;
      for (const one of tasks) learn(one.kind);
      redraw(place, [tasks.length ? jobTable(tasks) : nothing(isAll || String(query) || older),
        older && h('div', {}, h('button', { onclick: () => turn({ cursor: older }) }, 'Older'))]);
      return tasks.some((one) => !one.ready);
    } catch (error) {
      if (signal.aborted || mine !== asked) return false;
      // What is shown stays while the service is away for a moment.
      place.querySelector('.loading')?.remove();
      if (!place.querySelector('.note')) place.prepend(failure(error, next));
      return true;
    }
  }
  const jobTable = (jobs) => table([
    { head: 'Job', cell: (one) => [
      h('a', { href: `#/jobs/${one.task_id}`, data: { key: one.task_id } }, title(one.kind)),
      h('div', { class: 'soft small' }, one.task_id.slice(0, 8))] },
    { head: 'State', cell: (one) => [badge(one), bar(one), h('div', { class: 'small' }, !one.ready && one.stage)] },
    { head: 'Queue', class: 'wide', cell: (one) => one.queue },
    ...(isAll ? [{ head: 'Account', class: 'wide', cell: (one) => one.owner || 'None' }] : []),
    { head: 'Attempt', class: 'wide', num: true, cell: (one) => number(one.attempt) },
    { head: 'Submitted', class: 'wide', cell: (one) => (isAll ? `${duration(one.age_s)} ago` : time(one.created_at)) },
    { head: 'Waited', class: 'wide', num: true, cell: (one) => span(times(one).lag_ms) },
    { head: 'Ran', class: 'wide', num: true, cell: (one) => span(times(one).run_ms) },
    { head: 'Action', cell: (one) => action(context, one, next) },
  ], jobs, { label: 'Jobs' });

  if (query.has('kind')) learn(query.get('kind'));
  const next = keepDrawing(signal, draw);
  replace(content, h('div', { class: 'stats' }, choice('state', 'State', STATES), kind,
    !isAll && choice('since', 'Submitted', SINCE)), place);
  next();
}

const nothing = (isFiltered) => isFiltered ? empty('There is no such job.') : empty('You have no jobs yet.',
  h('p', {}, h('a', { class: 'button primary', href: '#/forecast' }, 'Make a forecast')));

async function showJob(context, id) {
  const { root, sluice, signal, session, reload } = context;
  const path = `/api/tasks/${encodeURIComponent(id)}`;
  const [head, body, ran] = [h('div', {}, loading()), h('div', { class: 'stack' }), h('span', {})];
  replace(root, h('p', {}, h('a', { href: '#/jobs' }, 'All jobs')), head, body);
  let job = /** @type {any} */ ({});

  async function draw(update) {
    const isNews = update.state !== job.state;
    // A socket's message says little.
    const more = isNews && !update.created_at && (await sluice.call('GET', path, undefined, { signal }));
    if (signal.aborted || (job.ready && !update.ready)) return;
    job = { ...job, stage: '', ...update, ...more };
    replace(head, h('h1', {}, title(job.kind)),
      h('p', { role: 'status' }, badge(job), ' ', !job.ready && `${job.stage} (${job.progress} %)`), bar(job));
    tick();
    if (!isNews) return;
    const facts = [
      ['Queue', job.queue], ['Submitted', time(job.created_at)], ['Waited', span(times(job).lag_ms)],
      ['Attempt', job.attempt], ['Ran', ran], ['Ended', time(job.ended_at)], ['Kept until', time(job.expires_at)],
    ];
    replace(body,
      h('div', { class: 'row' }, action(context, job, reload), job.result_url &&
        h('a', { class: 'button', href: `${path.slice(1)}/download`, download: '' }, 'Download the result')),
      job.error && note('bad', `${job.error} (${job.error_type})`),
      job.warnings && note('warn', h('ul', {}, job.warnings.map((one) => h('li', {}, one)))),
      h('div', { class: 'scroll' }, h('table', {}, h('tbody', {}, facts.map(([name, value]) =>
        h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value ?? '–')))))),
      copyable(id, 'Id'), job.state === 'SUCCESS' && result());
  }
  function result() {
    const text = JSON.stringify(job.result, null, 2) ?? '';
    // More than a page can show is for a file.
    if (!text || text.length > 200_000) return h('p', {}, 'Its owner can download it.');
    const shown = copyable(text, 'Result');
    shown.lastChild.style.maxHeight = '32rem';
    return shown;
  }
  const tick = () => (ran.textContent = span(times(job).run_ms));
  const timer = setInterval(tick, 1000);

  try {
    await draw(await sluice.follow(id, { signal, onProgress: (one) => void draw(one).catch(() => {}) }));
  } catch (error) {
    if (signal.aborted) return;
    replace(body);
    replace(head, h('h1', {}, 'Job'), ![404, 410].includes(error.status) ? failure(error, reload) : empty(
      error.status === 410 ? 'This job has expired.' : 'There is no such job.',
      !session.user_id && h('p', {}, 'Submitted with an account? ', h('a', { href: loginLink() }, 'Log in'))));
  } finally {
    clearInterval(timer);
  }
}
