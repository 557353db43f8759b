/** For operators: queues, dead letters, metrics of a local stage, kinds. */
import { badge, keepDrawing, press, span, title } from './jobs.js';
import { confirmed, empty, failure, h, loading, number, redraw, replace, table, time, toast } from './ui.js';

const count = (head, kind = '', name = head.toLowerCase()) =>
  ({ head, num: true, class: kind, cell: (one) => number(one[name]) });
const age = (of) => ({ head: 'Oldest waits', num: true, class: 'wide', cell: (one) => span(1000 * of(one)) });

/** @param {import('./app.js').Context} context @param {HTMLElement} content */
export async function showOperations({ sluice, signal, session, query, setQuery }, content) {
  const call = (method, path) => sluice.call(method, `/api/admin/${path}`, undefined, { signal });
  const post = (queue, verb) => () => call('POST', `queues/${queue}/${verb}`);
  const [top, letters, metrics, below] = ['', '', '', ''].map(() => h('section', {}));

  async function draw() {
    try {
      const [{ queues }, { kinds }] = await Promise.all([call('GET', 'queues'), call('GET', 'kinds?limit=500')]);
      const waits = (one) => one.unstarted_s ?? -Infinity;
      const oldest = ({ queue }) => Math.max(...kinds.filter((one) => one.queue === queue).map(waits));
      redraw(top, [h('h2', {}, 'Queues'), table([
        { head: 'Queue', cell: (one) =>
          [one.queue, ' ', one.is_paused && h('span', { class: 'badge warn' }, 'Paused')] },
        count('Waiting'), count('In flight', 'wide', 'in_flight'), age(oldest), count('Dead', 'wide'),
        { head: 'Actions', cell: ({ queue, dead, is_paused: isPaused }) => h('div', { class: 'row' },
          press(isPaused ? 'Resume' : 'Pause', queue, post(queue, isPaused ? 'resume' : 'pause'), next),
          press('Purge', queue, () => purge(queue), next),
          dead > 0 && press('Dead letters', queue, () => open(queue).then((heading) => heading.focus()))) },
      ], queues, { label: 'Queues' })]);
      redraw(below, [h('h2', {}, 'Kinds'), table([
        { head: 'Kind', cell: (one) => [title(one.name), h('div', { class: 'soft small' }, one.summary)] },
        { head: 'Queue', class: 'wide', cell: (one) => one.queue },
        count('Waiting'), count('Running'), age(waits),
      ], kinds, { label: 'Kinds' })]);
    } catch (error) {
      if (!signal.aborted) replace(top, failure(error, next));
    }
    return true;
  }
  async function purge(queue) {
    if (!(await confirmed(`Cancel every job that waits in ${queue}?`, 'Cancel them'))) return;
    const { revoked, is_empty: isEmpty } = await post(queue, 'purge')();
    toast(`Jobs cancelled: ${revoked}${isEmpty ? '' : '; purge again for more'}`, 'warn');
  }
  async function open(queue) {
    setQuery({ dead: queue });
    const { letters: found } = await call('GET', `queues/${queue}/dead`);
    const heading = h('h2', { tabindex: -1 }, `Dead letters of ${queue}`);
    replace(letters, heading, !found.length ? empty('There are none.') : [table([
      { head: 'Message', cell: ({ task_id: id, kind }) =>
        id ? h('a', { href: `#/jobs/${id}` }, title(kind)) : kind || 'Unreadable' },
      { head: 'Its job', cell: (one) => (one.state ? badge(one) : 'None') },
      { head: 'Why', cell: (one) => one.reason || 'Delivered too often' },
      { head: 'Since', class: 'wide', cell: (one) => time(one.sent_at) },
      { head: 'Action', cell: ({ task_id: id, state }) => state === 'FAILURE' && press('Redrive', id, async () => {
        await call('POST', `tasks/${id}/redrive`);
        toast('Queued again; its message stays until the rest is deleted');
      }, () => open(queue)) },
    ], found, { label: 'Dead letters' }), h('p', { class: 'row' },
      press('Redrive all', queue, () => redrive(queue, '')),
      press('Redrive, delete the rest', queue, async () =>
        (await confirmed('Delete messages without a failed job?', 'Delete them')) && redrive(queue, '&drop=1')))]);
    return heading;
  }
  async function redrive(queue, drop) {
    const { redriven, dropped, left } = await post(queue, `redrive?limit=500${drop}`)();
    toast(`Started again: ${redriven}, deleted: ${dropped}, left: ${left}`);
    await open(queue);
    await next();
  }
  async function measure() {
    const { kinds, counts } = await sluice.call('GET', '/dev/metrics', undefined, { signal });
    const two = (head, name) =>
      ({ head, num: true, cell: (one) => `${span(one[`${name}_p50_ms`])} / ${span(one[`${name}_p95_ms`])}` });
    redraw(metrics, [h('h2', {}, 'Metrics of the last 3 hours'), table([
      { head: 'Kind', cell: (one) => title(one.kind) },
      ...['Submitted', 'Succeeded', 'Failed', 'Revoked', 'Retried'].map((head) => count(head)),
      two('Waited, p50 / p95', 'lag'), two('Ran, p50 / p95', 'run'),
    ], kinds, { label: 'Metrics' }),
    h('p', { class: 'soft' }, Object.entries(counts).map(([name, sum]) => `${name} ${number(sum)}`).join(' · ')),
    press('Measure again', 'metrics', measure)]);
  }

  const next = keepDrawing(signal, draw);
  replace(top, loading());
  replace(content, top, letters, metrics, below);
  await next();
  const dead = query.get('dead');
  if (dead) await open(dead).catch((error) => replace(letters, failure(error)));
  if (session.stage === 'local') await measure().catch((error) => replace(metrics, failure(error)));
}
