/** What the views of forecasts share: elements, what an address and a tab remember, and a task that is followed. */
import { button as plainButton, date, failure, h, note, number, pressing, replace } from './ui.js';

export const button = (text, onclick, kind = '') => plainButton(text, onclick, { class: kind });
export const div = (kind, ...children) => h('div', { class: kind }, ...children);
export const list = (all) => h('ul', {}, all.map((one) => h('li', {}, one)));
export const num = (head, cell) => ({ head, cell, num: true });
export const weeks = (head, name) => num(`${head}, weeks`, (row) => number(row[name], 1));
export const day = (head, name, kind) => ({ ...num(head, (row) => date(row[name])), class: kind });
export const get = ({ sluice, signal }, path) => sluice.call('GET', path, undefined, { signal });

/** The value of a JSON text; null where it is none. @returns {any} */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What was asked last in this tab, with changes. @param {any} [changes] */
export function kept(changes) {
  const all = { ...parsed(sessionStorage.getItem('sluice.forecast')), ...changes };
  sessionStorage.setItem('sluice.forecast', JSON.stringify(all));
  return all;
}

/** Days as ISO writes them, and Swedes. */
export const today = () => new Date().toLocaleDateString('sv');
export const dayAfter = (day, days) => new Date(Date.parse(day) + 86_400_000 * days).toISOString().slice(0, 10);

// What takes less is not worth a line above all pages.
const SOON_MS = 1500;

/**
 * Submits work, or follows a task of it, in `panel`; answers its result and a signal for as long as that is shown, or
 * undefined after telling why there is none. `state` is the address that shows it again; `refuse` says errors beside
 * their fields and answers the others.
 */
export async function follow(context, panel, { path, body, label, state, taskId, retry, refuse }) {
  let id = taskId;
  panel.current?.abort();
  panel.current = new AbortController();
  const signal = AbortSignal.any([panel.current.signal, context.signal]);
  const bar = h('progress', { max: 100, value: 0, 'aria-label': 'Progress' });
  const status = h('span', { class: 'soft' }, 'Submitting');
  const stop = button('Cancel', () => pressing(stop, async () => id && context.sluice.cancel(id)));
  const title = h('strong', { role: 'status' }, 'Working on it…');
  replace(panel, div('card stack', title, bar, div('row apart', status, stop)));
  const write = (push) => {
    const query = new URLSearchParams(Object.entries({ ...state, task: id }).filter(([, value]) => value));
    context.setQuery(query, { push });
    kept({ [path]: String(query) });
    hash = location.hash;
  };
  let hash, timer;
  const track = () => context.track(id, label, hash);
  write(!id);
  try {
    id ||= await context.sluice.submit(path, body, { signal });
    write(false);
    timer = setTimeout(track, SOON_MS);
    context.signal.addEventListener('abort', track);
    const onProgress = (task) => {
      bar.value = task.progress;
      status.textContent = `${task.progress} % ${task.stage || task.status || ''}`;
    };
    return { signal, result: (await context.sluice.finish(id, { signal, onProgress })).result };
  } catch (/** @type {any} */ error) {
    if (signal.aborted) return undefined;
    // A task that is over and gone is asked for again.
    if (taskId && [404, 410].includes(error.status)) retry();
    else if (error.task?.state === 'REVOKED') {
      replace(panel, note('warn', h('p', {}, 'Cancelled. The form is as it was.'), button('Run it again', retry)));
    } else if (error.errors?.length) replace(panel, note('bad', 'Some fields need another look.', list(refuse(error))));
    else replace(panel, failure(error, retry));
    return undefined;
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', track);
  }
}
