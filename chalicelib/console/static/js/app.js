/**
 * The frame of the console: which page is shown, who is logged in, and the tasks that run, whatever page is shown.
 *
 * A page is a module with `show(context)`, which fills `context.root` and may answer a function that is called when the
 * page is left. Its address is the part behind #: `#/name/part?query`.
 */
import { Sluice } from './sluice.js';
import { explain, failure, h, loading, replace, toast } from './ui.js';

/**
 * @typedef {object} Session
 * @property {string|null} user_id
 * @property {{email: string, name: string, role: string}|null} user
 * @property {string[]} scopes
 * @property {boolean} public_forecasts
 * @property {boolean} public_search
 * @property {string} stage
 *
 * @typedef {object} Context
 * @property {HTMLElement} root  where the page goes
 * @property {Sluice} sluice
 * @property {Session} session
 * @property {string[]} parts  of the address behind the page's name
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal  aborted when the page is left
 * @property {(query: URLSearchParams|Record<string, string>, options?: {push?: boolean}) => void} setQuery  keeps the page's
 *   state in its address without showing it anew
 * @property {(hash: string) => void} go  to another address
 * @property {() => void} reload  shows the page anew
 * @property {() => Promise<void>} refreshSession  after a login or logout
 * @property {(taskId: string, label: string, back: string) => void} track  shows a task above all pages until it has ended
 */

/** @type {Record<string, [string, () => Promise<{show: (context: Context) => any}>]>} */
const PAGES = {
  forecast: ['Forecast', () => import('./forecast.js')],
  contracts: ['Contracts', () => import('./contracts.js')],
  events: ['Events', () => import('./events.js')],
  jobs: ['Jobs', () => import('./jobs.js')],
  account: ['Account', () => import('./account.js')],
};
const TRACKED = 'console';

const sluice = new Sluice();
const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const running = /** @type {HTMLElement} */ (document.getElementById('running'));
/** @type {Session} */
let session = { user_id: null, user: null, scopes: [], public_forecasts: true, public_search: true, stage: '' };
/** @type {AbortController|null} */
let shown = null;
/** @type {(() => void)|undefined} */
let leave;
let written = '';

function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...parts] = path.split('/').map(decodeURIComponent);
  return { name: name || 'forecast', parts: parts.filter(Boolean), query: new URLSearchParams(query) };
}

async function show() {
  written = location.hash;
  const { name, parts, query } = read();
  shown?.abort(new DOMException('the page was left', 'AbortError'));
  leave?.();
  leave = undefined;
  const mine = (shown = new AbortController());
  for (const link of document.querySelectorAll('.top a[href]')) {
    const isHere = link.getAttribute('href') === `#/${name}`;
    if (isHere && !link.classList.contains('brand')) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const found = PAGES[name];
  if (!found) {
    replace(main, h('h1', {}, 'There is no such page'), h('p', {}, h('a', { href: '#/forecast' }, 'To the forecasts')));
    return;
  }
  const [title, load] = found;
  document.title = `${title} · Sluice`;
  replace(main, loading());
  const root = h('div', {});
  try {
    const page = await load();
    if (mine.signal.aborted) return;
    /** @type {Context} */
    const context = {
      root, sluice, session, parts, query, signal: mine.signal, setQuery, track, refreshSession,
      go: (hash) => (location.hash = hash), reload: show,
    };
    replace(main, root);
    const ended = await page.show(context);
    if (mine.signal.aborted) ended?.();
    else leave = ended;
  } catch (error) {
    if (mine.signal.aborted) return;
    console.error(error);
    replace(main, h('h1', {}, title), failure(error, show));
  }
}

/** @type {Context['setQuery']} */
function setQuery(query, { push = false } = {}) {
  const { name, parts } = read();
  const text = String(new URLSearchParams(query));
  const hash = `#/${[name, ...parts].map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
  if (hash === location.hash) return;
  written = hash;
  if (push) history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
}

/** @type {Context['track']} */
function track(taskId, label, back) {
  sluice.remember(taskId, TRACKED, { label, back });
  follow(taskId, label, back);
}

/** @param {string} taskId @param {string} label @param {string} back */
async function follow(taskId, label, back) {
  if (running.querySelector(`[data-task="${CSS.escape(taskId)}"]`)) return;
  const bar = h('progress', { max: 100, value: 0, 'aria-label': `Progress of ${label}` });
  const status = h('span', { class: 'soft' }, 'Waiting');
  const stop = h('button', { type: 'button', class: 'small', onclick: cancel }, 'Cancel');
  const line = h('div', { data: { task: taskId } }, h('a', { href: back }, label), bar, status, stop);
  async function cancel() {
    stop.disabled = true;
    status.textContent = 'Cancelling';
    await sluice.cancel(taskId).catch((/** @type {any} */ error) => toast(explain(error), 'bad'));
  }
  running.append(line);
  running.hidden = false;
  try {
    const task = await sluice.follow(taskId, {
      onProgress: (one) => {
        bar.value = one.progress;
        status.textContent = `${one.progress} % ${one.stage || one.status || ''}`;
      },
    });
    const ends = { SUCCESS: ['is done', 'good'], FAILURE: [`failed: ${task.error}`, 'bad'], REVOKED: ['was cancelled', 'warn'] };
    const [text, kind] = /** @type {any} */ (ends)[task.state];
    toast(`${label} ${text}`, kind);
  } catch (error) {
    // A task that is not there any more is nothing to tell of.
    if (![404, 410].includes(/** @type {any} */ (error).status)) toast(`${label}: ${explain(error)}`, 'bad');
  }
  sluice.forget(taskId, TRACKED);
  line.remove();
  running.hidden = !running.childElementCount;
}

async function refreshSession() {
  try {
    session = await sluice.call('GET', '/api/auth/session');
  } catch (error) {
    if (/** @type {any} */ (error).status !== 401) throw error;
    // The cookie is good for nothing any more; public pages work without it.
    await sluice.call('POST', '/api/auth/logout');
    session = await sluice.call('GET', '/api/auth/session');
    toast('Your login has ended', 'warn');
  }
  const account = /** @type {HTMLElement} */ (document.getElementById('account'));
  account.textContent = session.user_id ? session.user?.name || session.user?.email || 'Account' : 'Log in';
  account.setAttribute('href', session.user_id ? '#/account' : '#/account/login');
  const stage = /** @type {HTMLElement} */ (document.getElementById('stage'));
  stage.textContent = session.stage === 'prod' ? '' : `stage ${session.stage}`;
}

// A link that is followed is told by both events, and in this order or the other.
function arrive() {
  if (location.hash === written) return;
  scrollTo(0, 0);
  // Whoever reads on is at the new page, which may move the focus further.
  main.focus({ preventScroll: true });
  show();
}
addEventListener('hashchange', arrive);
addEventListener('popstate', arrive);

try {
  await refreshSession();
} catch (error) {
  toast(explain(error), 'bad');
}
for (const { task_id, about } of sluice.remembered(TRACKED)) follow(task_id, about.label, about.back);
await show();
