/** Which awards are wanted: the page's state as its address, as filters, as chips, and lists to choose from. */
import { button, compact, debounced, explain, field, h, number, redraw } from './ui.js';

/**
 * Keywords `q`; names by the keys of KINDS; `year`; `min` and `max` in pesos, 0 for none; `sort`, a dash for descending;
 * `page`, `size`, `columns` (null: those that fit the screen), `tab`.
 * @typedef {Record<string, any>} State
 */

/** Kinds of names: in the address, in filters, in entities, and in words. */
export const KINDS = [
  ['area', 'areas', 'area', 'Area', 'Areas'],
  ['category', 'business_categories', 'category', 'Category', 'Categories'],
  ['buyer', 'organizations', 'organization', 'Buyer', 'Buyers'],
  ['supplier', 'contractors', 'contractor', 'Supplier', 'Suppliers'],
].map(([key, name, dimension, one, many]) => ({ key, field: name, dimension, one, many }));
export const TABS = { results: 'Results', charts: 'Charts', export: 'Export' };
export const SIZES = ['20', '50', '100'];
const SORTS = ['-date', 'date', '-amount', 'amount', 'supplier', '-supplier'];
const USUAL = { sort: SORTS[0], page: 1, size: 20, tab: 'results' };
const [FEW, MOST] = [5, 20];

/** To the centavo. */
export const pesos = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format;
export const money = (value) => `₱${compact(value)}`;
/** A name that leads to its page. */
export const entityLink = (dimension, name) =>
  name ? h('a', { class: 'quiet', href: `#/contracts/entity/${dimension}?${new URLSearchParams({ name })}` }, name) : '–';
const words = (q) => q.split('||').map((one) => one.trim()).filter(Boolean);
const but = (all, one) => all.filter((each) => each !== one);

/** @returns {State} */
export function readState(query) {
  const all = (name) => [...new Set(query.getAll(name).filter(Boolean))];
  const among = (name, known) => known.find((one) => one === query.get(name)) ?? known[0];
  const positive = (name) => Math.max(0, Number(query.get(name)) || 0);
  return {
    q: query.get('q') ?? '', ...Object.fromEntries(KINDS.map(({ key }) => [key, all(key)])),
    year: all('year').map(Number).filter((year) => year >= 1900 && year <= 2100),
    min: positive('min'), max: positive('max'), sort: among('sort', SORTS),
    page: Math.floor(positive('page')) || 1, size: Number(among('size', SIZES)),
    columns: query.get('columns')?.split(' ') ?? null, tab: among('tab', Object.keys(TABS)),
  };
}

/** The query of the address; what is as usual is left out. @param {any} state */
export function writeState({ columns, ...state }) {
  const query = new URLSearchParams(columns ? { columns: columns.join(' ') } : {});
  for (const [name, value] of Object.entries(state)) {
    for (const one of [value].flat()) if (one && one !== USUAL[name]) query.append(name, one);
  }
  return query;
}

/** As the API takes filters. */
export function filtersOf(state) {
  const { q, year, min, max } = state;
  // A filter finds what has its text, so of a name that is too long for one the beginning will do.
  const names = KINDS.map(({ key, field: name }) => [name, state[key].map((one) => one.slice(0, 200))]);
  return {
    keywords: words(q), ...Object.fromEntries(names), time_ranges: year.map((one) => ({ type: 'yearly', year: one })),
    ...((min || max) && { value_range: { min, max: max || null } }),
  };
}

/** The filters in words, each with the change that takes it away. */
export function chosen(state) {
  const { q, min, max } = state;
  const listed = (key, kind) =>
    state[key].map((one) => ({ text: `${kind}: ${one}`, without: toggled(state, key, one) }));
  return [
    ...words(q).map((one) => ({ text: `Words: ${one}`, without: { q: but(words(q), one).join(' || ') } })),
    ...KINDS.flatMap(({ key, one }) => listed(key, one)), ...listed('year', 'Year'),
    ...(min ? [{ text: `At least ₱${number(min, 2)}`, without: { min: 0 } }] : []),
    ...(max ? [{ text: `At most ₱${number(max, 2)}`, without: { max: 0 } }] : []),
  ];
}

/** The change that chooses a value, or no longer chooses it. */
export const toggled = (state, key, value) =>
  ({ [key]: state[key].includes(value) ? but(state[key], value) : [...state[key], value] });

/** The lists to choose filters from; `offer` shows what there is under the filters as they stand. */
export function filterPanel(state, sluice, apply) {
  const isWide = matchMedia('(min-width: 60rem)').matches;
  const choose = (key, value) => apply(toggled(state, key, value));
  const names = KINDS.map((kind) => nameList(kind, state, sluice, choose));
  const years = choices('year', state, choose);
  const bounds = [bound('min', 'At least (₱)', state, apply), bound('max', 'At most (₱)', state, apply)];
  const part = (title, content, open) => h('details', { open }, h('summary', {}, title), content);
  return {
    root: h(
      'details', { class: 'card no-print', open: isWide },
      h('summary', {}, h('h2', { style: { display: 'inline' } }, 'Add a filter')),
      h('p', { class: 'soft small' }, 'A name takes all names that have it in them: Leyte finds Southern Leyte too.'),
      part('Years', years.root, isWide),
      KINDS.map((kind, n) => part(kind.many, names[n].root, (isWide && n < 2) || state[kind.key].length)),
      part('Amount', h('div', { class: 'stack' }, bounds.map((one) => one.root)), isWide),
    ),
    offer(facets) {
      KINDS.forEach((kind, n) => names[n].offer(facets[kind.field]));
      years.draw(facets.years);
      for (const one of bounds) one.draw();
    },
  };
}

/** Values to tick: those that are chosen, and a few at first. */
function choices(key, state, choose) {
  const root = h('div', {});
  let most = FEW;
  function draw(offers) {
    const known = offers.map((one) => one.value);
    const all = [...state[key].filter((one) => !known.includes(one)).map((value) => ({ value })), ...offers];
    const shown = all.filter((one, n) => n < most || state[key].includes(one.value));
    if (key === 'year') shown.sort((a, b) => b.value - a.value);
    redraw(root, [
      shown.map(({ value, count }) => h(
        'label', { class: 'check' },
        h('input', {
          type: 'checkbox', checked: state[key].includes(value), data: { key: key + value },
          onchange: () => choose(key, value),
        }),
        h('span', { style: { flex: '1', minWidth: '0', overflowWrap: 'anywhere' } }, value),
        h('span', { class: 'soft num' }, count === undefined ? '' : number(count)),
      )),
      !all.length && h('p', { class: 'soft small' }, 'None'),
      shown.length < all.length && button('More', more, { class: 'plain small' }),
    ]);
    function more() {
      most = MOST;
      draw(offers);
      root.querySelectorAll('input')[FEW]?.focus();
    }
  }
  return { root, draw };
}

/** Names that have a text in them. */
export const namesLike = (sluice, query, signal) =>
  sluice.call('GET', `/api/v1/contracts/filter-options/?${new URLSearchParams(query)}`, undefined, { signal });

/** The names of a kind, with a box to find others. */
function nameList({ key, field: kind, many }, state, sluice, choose) {
  const list = choices(key, state, choose);
  const told = h('p', { class: 'soft small', role: 'status' });
  const label = `Find ${many.toLowerCase()}`;
  const box = h('input', {
    type: 'search', placeholder: label, 'aria-label': label, maxlength: 200, oninput: debounced(look, 200),
  });
  let offers = [];
  let found = null;
  let asking = new AbortController();
  async function look() {
    asking.abort();
    const { signal } = (asking = new AbortController());
    const search = box.value.trim();
    found = null;
    told.textContent = '';
    if (!search) return list.draw(offers);
    try {
      const answer = await namesLike(sluice, { kind, search, page_size: MOST }, signal);
      list.draw((found = answer[kind]));
      told.textContent = `${number(answer.pagination[kind].total_count)} found, with counts of all awards`;
    } catch (error) {
      if (!signal.aborted) told.textContent = explain(error);
    }
  }
  return {
    root: h('div', {}, box, told, list.root),
    offer(given) {
      offers = given;
      list.draw(found ?? offers);
    },
  };
}

/** A bound on the amount. */
function bound(key, text, state, apply) {
  const box = field(text, h('input', { inputmode: 'decimal', onchange: change }));
  function change() {
    const value = Number(box.control.value.replace(/[₱,\s]/g, ''));
    const { min, max } = Object.assign({}, state, { [key]: value });
    box.say(!(value >= 0) ? 'must be pesos, such as 250,000' : max && min > max ? 'no amount is both' : '');
    if (!box.control.hasAttribute('aria-invalid')) apply({ [key]: value });
  }
  const draw = () => box.control.hasAttribute('aria-invalid') || (box.control.value = state[key] || '');
  draw();
  return { root: box, draw };
}
