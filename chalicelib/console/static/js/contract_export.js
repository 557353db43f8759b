/** Files of what was found: written by tasks, and found again after a reload while they can be had. */
import { KINDS, chosen, filtersOf, writeState } from './contract_filters.js';
import { button, explain, field, h, number, pressing, replace, select, tick } from './ui.js';

const NAME = 'contracts-export';

/** The form, and the files of this browser. */
export function exporting(context, state) {
  const { sluice } = context;
  const what = select(/** @type {any} */ ([
    ['', 'The awards'], ...KINDS.map(({ dimension, one }) => [dimension, `Sums by ${one.toLowerCase()}`]),
  ]));
  const format = select([['csv', 'CSV'], ['xlsx', 'Excel (XLSX)'], ['jsonl', 'JSON Lines']], { onchange: fit });
  const bom = tick('UTF-8 mark for Excel (BOM)', { checked: true });
  const gzip = tick('Compress (gzip)');
  const start = button('Export', () => pressing(start, submit), { class: 'primary' });
  const files = h('div', { class: 'stack' }, sluice.remembered(NAME).reverse().map((one) => file(one, context)));
  function fit() {
    bom.hidden = format.value !== 'csv';
    gzip.hidden = format.value === 'xlsx';
  }
  async function submit() {
    const isTicked = (box) => !box.hidden && box.querySelector('input').checked;
    const id = await sluice.submit('/api/v1/data-processing/tasks/export/', {
      filters: filtersOf(state), dimension: what.value || null, format: format.value,
      gzip: isTicked(gzip), bom: isTicked(bom),
    });
    const words = chosen(state).map(({ text }) => text).join(', ') || 'all';
    const about = `${what.selectedOptions[0].text} as ${format.selectedOptions[0].text}: ${words}`;
    context.track(id, 'Export of contracts', `#/contracts?${writeState({ ...state, tab: 'export' })}`);
    sluice.remember(id, NAME, about);
    files.prepend(file({ task_id: id, about }, context));
  }
  return h('div', { class: 'stack' },
    h('div', { class: 'grid' }, field('What', what), field('Format', format)), bom, gzip, h('div', {}, start), files);
}

/** A file that is written, or there. */
function file({ task_id: id, about }, { sluice, signal }) {
  let isReady = false;
  const state = h('div', { role: 'status' });
  const stop = button('Cancel', () => isReady ? remove() : pressing(stop, () => sluice.cancel(id)), { class: 'small' });
  const card = h('section', { class: 'card stack' }, h('h3', {}, about), state, h('div', {}, stop));
  function remove() {
    sluice.forget(id, NAME);
    card.remove();
  }
  function show({ ready, state: name, progress, error, result }) {
    isReady = ready;
    if (ready) stop.textContent = 'Remove from this list';
    const ended = { FAILURE: `It failed: ${error}`, REVOKED: 'It was cancelled' }[name];
    replace(state, ended ?? (result ? [
      h('a', { class: 'button primary', href: `api/tasks/${id}/download` }, `Download ${result.file_name}`),
      h('p', {}, `${number(result.row_count)} rows, ${number(result.size_bytes / 1000, 1)} kB`),
      h('p', { class: 'small mono', style: { overflowWrap: 'anywhere' } }, `SHA-256 ${result.sha256}`),
    ] : [h('progress', { max: 100, value: progress, 'aria-label': 'Progress' }), `${progress} %`]));
  }
  sluice.follow(id, { signal, onProgress: show }).catch((error) => {
    if ([404, 410].includes(error.status)) remove();
    else if (!signal.aborted) replace(state, explain(error));
  });
  return card;
}
