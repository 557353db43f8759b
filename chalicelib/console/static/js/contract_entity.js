/** All about one area, category, buyer or supplier: its years, partners, names that read alike, and its awards. */
import { chart } from './charts.js';
import { KINDS, entityLink, money, namesLike, pesos } from './contract_filters.js';
import { date, empty, failure, h, loading, note, number, replace, table } from './ui.js';

export async function showEntity(context) {
  const { root, parts: [, dimension, id], query, signal, sluice } = context;
  const kind = KINDS.find((one) => one.dimension === dimension) ?? KINDS[0];
  const back = h('p', {}, h('a', { href: '#/contracts' }, 'All contracts'));
  replace(root, back, loading());
  try {
    const found = id ?? (await idOf(kind, query.get('name') ?? '', context));
    const about = await sluice.call('GET', `/api/v1/entities/${dimension}/${found}`, undefined, { signal });
    document.title = `${about.name} · Sluice`;
    replace(root, back, h('h1', {}, about.name), h('div', { class: 'stack' }, profile(about, kind, signal),
      largest(about.name, kind, context)));
  } catch (/** @type {any} */ error) {
    if (signal.aborted) return;
    replace(root, back, h('h1', {}, query.get('name') ?? kind.one),
      error.status === 404 ? empty('There is no such name in the current data') : failure(error, context.reload));
  }
}

/** Lists of awards have names without ids. */
async function idOf({ field: kind }, name, { sluice, signal }) {
  for (let page = 1; ; page++) {
    const found = await namesLike(sluice, { kind, search: name.slice(0, 500), page_size: 1000, page }, signal);
    const same = found[kind].find(({ value }) => value === name);
    if (same || !found.pagination[kind].has_next) return same?.id;
  }
}

function profile(about, kind, signal) {
  const stat = (value, text) => h('div', { class: 'stat' }, h('b', {}, value), h('span', {}, text));
  const names = (head, rows, dimension) => table([
    { head, cell: (row) => h('a', { class: 'quiet', href: `#/contracts/entity/${dimension}/${row.id}` }, row.name) },
    { head: 'Value', cell: (row) => money(row.total_value), num: true },
    { head: 'Awards', cell: (row) => number(row.count), num: true },
  ], rows, { label: head });
  const part = (title, ...content) => h('section', {}, h('h2', {}, title), content);
  const { by_year: years, partners, variants } = about;
  return [
    h('div', { class: 'row' }, h('span', { class: 'badge' }, kind.one),
      h('a', { href: `#/contracts?${new URLSearchParams({ [kind.key]: about.name })}` }, 'Search its awards')),
    h('div', { class: 'stats' }, stat(number(about.count), 'awards'), stat(money(about.total_value), 'in all'),
      stat(money(about.avg_value), 'on average'),
      stat(date(about.first_date), 'first award'), stat(date(about.last_date), 'last award')),
    years.length > 1 && part('By year', chart({
      title: 'Value of the awards of each year', x: years.map(({ year }) => year), xLabel: 'Year', signal,
      series: [{ label: 'Value', values: years.map((one) => one.total_value), as: 'bars' }],
      format: money, formatX: String,
    })),
    variants.length > 0 &&
      part('Names that read alike', note('', h('p', {}, about.warning)), names('Name', variants, kind.dimension)),
    part('Together with', h('div', { class: 'grid' }, KINDS.map(({ dimension, many }) => partners[dimension]?.count &&
      names(`${many} (${number(partners[dimension].count)})`, partners[dimension].largest, dimension)))),
  ];
}

function largest(value, { dimension: dim }, { sluice, signal }) {
  const place = h('section', {}, h('h2', {}, 'Largest awards'));
  const body = { filters: [{ dim, value }], page_size: 10, order_by: 'contract_value DESC' };
  const other = (row) => dim === 'contractor'
    ? entityLink('organization', row.organization_name) : entityLink('contractor', row.contractor_name);
  const draw = ({ rows }) => place.append(table([
    { head: 'Award', cell: (row) => [row.award_title, h('div', { class: 'small' }, date(row.award_date), ', ', other(row))] },
    { head: 'Amount (₱)', cell: (row) => pesos(row.contract_value), num: true },
  ], rows, { label: 'Largest awards' }));
  sluice.call('POST', '/api/v1/data-processing/query-contracts-by-entity/', body, { signal })
    .then(draw).catch((error) => signal.aborted || place.append(failure(error)));
  return place;
}
