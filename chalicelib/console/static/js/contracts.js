/** The page of contracts: a search box, filters, and what they find as a table, as charts, or as a file. */
import { charts } from './contract_charts.js';
import { showEntity } from './contract_entity.js';
import { exporting } from './contract_export.js';
import {
  SIZES, TABS, chosen, entityLink, filterPanel, filtersOf, money, pesos, readState, toggled, writeState,
} from './contract_filters.js';
import {
  button, date, empty, explain, failure, field, h, loading, number, redraw, replace, select, table, tick, toast,
} from './ui.js';

const EXAMPLES = ['road && bridge', 'school', 'medicines || drugs'];
const SORT_FIELDS = { date: 'award_date', amount: 'contract_amount', supplier: 'awardee_name' };
const LONGEST_TITLE = 140;
const awards = (count) => `${number(count)} ${count === 1 ? 'award' : 'awards'}`;
const names = (head, dimension, key) => ({ head, cell: (award) => entityLink(dimension, award[key]) });
const COLUMNS = {
  date: { head: 'Date', cell: (award) => date(award.award_date), class: 'nowrap' },
  title: { head: 'Award', cell: (award) => award.award_title || award.notice_title || '(without a title)' },
  supplier: names('Supplier', 'contractor', 'awardee_name'),
  buyer: names('Buyer', 'organization', 'organization_name'),
  area: names('Area', 'area', 'area_of_delivery'),
  category: names('Category', 'category', 'business_category'),
  amount: { head: 'Amount (₱)', cell: (award) => pesos(award.contract_amount), num: true },
  number: { head: 'Contract number', cell: (award) => award.contract_no || '–' },
};
const OTHERS = Object.keys(COLUMNS).filter((name) => name !== 'title');

export async function show(context) {
  if (context.parts[0] === 'entity') return showEntity(context);
  await new Contracts(context).run();
}

class Contracts {
  constructor(context) {
    const apply = (change) => this.apply(change);
    const search = (event) => {
      event.preventDefault();
      apply({ q: this.box.value.trim() });
    };
    this.context = context;
    this.state = readState(context.query);
    this.asking = new AbortController();
    /** The view that is shown, and the filters it counts. */
    this.drawn = this.counted = '';
    this.files = exporting(context, this.state);
    this.panel = filterPanel(this.state, context.sluice, apply);
    this.box = h('input', { type: 'search', maxlength: 100 });
    this.chips = h('div', { class: 'chips no-print', style: { alignItems: 'center' } });
    this.count = h('span');
    this.sum = h('span', { class: 'soft' });
    this.total = h('h2', { tabindex: -1, 'aria-live': 'polite' }, this.count, this.sum);
    this.tabs = h('nav', { class: 'tabs no-print', 'aria-label': 'Views' });
    this.view = h('div', {});
    const help = '&& between words: all of them. || between words: any of them.';
    replace(
      context.root, h('h1', {}, 'Contracts'),
      h('p', { class: 'soft' }, 'Public procurement awards of the Philippines: who got what, from whom, for how much.'),
      h('div', { class: 'stack' },
        h('form', { role: 'search', class: 'row no-print', onsubmit: search },
          h('div', { style: { flex: '1 1 14rem' } }, field('Words in the title', this.box, { help })),
          h('button', { type: 'submit', class: 'primary' }, 'Search')),
        this.chips,
        h('div', { class: 'split' }, this.panel.root, h('section', {}, this.total, this.tabs, this.view))),
    );
  }

  /** Changes the state; Back undoes it with `push`. */
  apply(change, push = true) {
    Object.assign(this.state, { page: 1 }, change);
    this.context.setQuery(writeState(this.state), { push });
    return this.run();
  }

  /** Shows what the state says; a newer question outruns an older one. */
  async run() {
    this.asking.abort();
    this.asking = new AbortController();
    const signal = AbortSignal.any([this.context.signal, this.asking.signal]);
    const { tab } = this.state;
    const filters = filtersOf(this.state);
    const isCounted = this.counted === JSON.stringify(filters);
    this.drawChoice();
    if (!isCounted) this.sum.textContent = '';
    if (this.drawn !== tab) replace(this.view, loading());
    this.dim(true);
    try {
      // What is looked at comes first: a database answers one question after the other.
      redraw(this.view, await this[tab](filters, signal), this.total);
    } catch (error) {
      return signal.aborted || this.fail(error);
    }
    this.drawn = tab;
    this.dim(false);
    const tell = (error) => signal.aborted || toast(explain(error), 'bad');
    if (!isCounted) await this.drawCounts(filters, signal).catch(tell);
  }

  /** Results stay to be read while others are looked for. */
  dim(isBusy) {
    this.view.style.opacity = isBusy ? '.5' : '';
    this.view.setAttribute('aria-busy', isBusy);
  }

  async results(filters, signal) {
    const { page, size, sort } = this.state;
    const found = await this.context.sluice.submitSearch('search', { filters: {
      ...filters, page, page_size: size, sort_by: SORT_FIELDS[sort.replace('-', '')],
      sort_direction: sort[0] === '-' ? 'desc' : 'asc',
    } }, { signal });
    this.count.textContent = awards(found.pagination.total_count);
    return found.data.length ? this.drawResults(found) : this.drawNone(found);
  }

  async series(filters, signal) {
    const body = { filters: { ...filters, topN: 10 } };
    return (await this.context.sluice.submitSearch('analytics', body, { signal })).data;
  }

  async charts(filters, signal) {
    const pick = (key, value) => this.state[key].includes(value) || this.apply(toggled(this.state, key, value));
    return charts(await this.series(filters, signal), pick, this.context.signal);
  }

  async export() {
    return this.files;
  }

  async drawCounts(filters, signal) {
    const [{ summary: [all] }, facets] = await Promise.all([
      this.series(filters, signal), this.context.sluice.call('POST', '/api/v1/contracts/facets/', filters, { signal }),
    ]);
    this.count.textContent = awards(all.count);
    this.sum.textContent = all.count ? `, ${money(all.total_value)} in all` : '';
    this.panel.offer(facets.data);
    this.counted = JSON.stringify(filters);
  }

  drawChoice() {
    const all = chosen(this.state);
    const chip = (text, change, label) =>
      button(text, () => this.apply(change), { class: 'chip', 'aria-label': label });
    this.box.value = this.state.q;
    redraw(this.chips, all.length ? [
      all.map(({ text, without }) => chip(`${text} ✕`, without, `Remove ${text}`)),
      all.length > 1 && chip('Remove all', { ...readState(new URLSearchParams()), tab: this.state.tab }),
    ] : ['Try', EXAMPLES.map((q) => chip(q, { q }))], this.box);
    redraw(this.tabs, Object.entries(TABS).map(([tab, text]) => button(
      text, () => this.apply({ tab, page: this.state.page }), { 'aria-current': tab === this.state.tab && 'page' },
    )));
  }

  drawResults({ data, pagination }) {
    const usual = matchMedia('(max-width: 40rem)').matches ? ['amount'] : ['date', 'supplier', 'buyer', 'amount'];
    const names = Object.keys(COLUMNS).filter((name) => ['title', ...(this.state.columns ?? usual)].includes(name));
    const columns = names.map((name) => ({
      ...COLUMNS[name], ...(name === 'title' && { cell: (award) => titleCell(award, names) }),
      ...(SORT_FIELDS[name] && this.sorting(name)),
    }));
    const turn = (text, page, can) =>
      button(text, () => this.apply({ page }).then(() => this.total.focus()), { disabled: !can });
    return h(
      'div', { class: 'stack' }, table(columns, data, { label: 'Awards' }),
      h('nav', { class: 'row apart no-print', 'aria-label': 'Pages' },
        turn('Previous', pagination.page - 1, pagination.has_previous),
        h('span', {}, `Page ${number(pagination.page)} of ${number(pagination.total_pages)}`),
        turn('Next', pagination.page + 1, pagination.has_next)),
      this.drawTools(names),
    );
  }

  /** How the head of a column sorts: names from A, all else from the largest. */
  sorting(name) {
    const [first, second] = name === 'supplier' ? [name, `-${name}`] : [`-${name}`, name];
    const { sort } = this.state;
    return {
      sort: { [name]: 'ascending', [`-${name}`]: 'descending' }[sort] ?? null,
      onsort: () => this.apply({ sort: sort === first ? second : first }),
    };
  }

  drawTools(names) {
    const pick = (name) => this.apply({
      columns: OTHERS.filter((one) => (one === name) !== names.includes(one)), page: this.state.page,
    }, false);
    return h(
      'div', { class: 'row small no-print' },
      select(SIZES.map((one) => [one, `${one} rows`]), {
        value: String(this.state.size), 'aria-label': 'Rows of a page', style: { width: 'auto' },
        onchange: (event) => this.apply({ size: Number(event.target.value) }),
      }),
      h('span', { class: 'soft' }, 'Columns:'), OTHERS.map((name) => tick(COLUMNS[name].head, {
        checked: names.includes(name), data: { key: name }, onchange: () => pick(name),
      })),
    );
  }

  drawNone({ pagination, did_you_mean: meant }) {
    const go = (text, change) => button(text, () => this.apply(change));
    if (pagination.total_count) return empty('There is nothing on this page', go('To the first page', {}));
    const instead = meant.filter((one) => one.field === 'keywords').flatMap(({ text, instead: others }) =>
      others.slice(0, 5).map((other) => go(other, { q: this.state.q.toLowerCase().replace(text, () => other) })));
    return empty('No award fits these filters', h('p', {}, instead[0] ? 'Did you mean' : 'Take one away.'), instead);
  }

  fail(error) {
    this.drawn = this.counted = this.count.textContent = '';
    this.dim(false);
    const isNone = error.status === 404 || error.task?.error_type === 'not-found';
    replace(this.view, isNone ? empty('There are no contracts here yet') : failure(error, () => this.run()));
  }
}

/** The title, which opens all that is known of the award. */
function titleCell(award, names) {
  const title = COLUMNS.title.cell(award);
  const opener = button(title.length > LONGEST_TITLE ? `${title.slice(0, LONGEST_TITLE)}…` : title, toggle, {
    class: 'open', 'aria-expanded': 'false',
  });
  let opened;
  function toggle() {
    if (opened) opened = opened.remove();
    else opener.closest('tr').after((opened = h('tr', {}, h('td', { colspan: names.length }, details(award)))));
    opener.setAttribute('aria-expanded', String(Boolean(opened)));
  }
  const { awardee_name: supplier, award_date: day } = award;
  const besides = names.includes('supplier') ? '' : `${supplier}, ${date(day)}`;
  return [opener, h('div', { class: 'soft small' }, besides)];
}

function details(award) {
  const part = (head, value) => h('div', {}, h('span', { class: 'label' }, head), value);
  return h(
    'div', { class: 'stack small' },
    part('Title', award.award_title || '–'), part('Title of the notice', award.notice_title || '–'),
    h('div', { class: 'stats' }, OTHERS.map((name) => part(COLUMNS[name].head, COLUMNS[name].cell(award)))),
  );
}
