/** What awards add up to, as charts of which each year and name can be pressed. */
import { bars, chart } from './charts.js';
import { KINDS, money } from './contract_filters.js';
import { empty, h, number } from './ui.js';

// Months are of local time, as the chart's axis is.
const instant = (month) => new Date(`${month}-01T00:00`).getTime() / 1000;
const monthName = (x) => new Date(1000 * x).toLocaleDateString(undefined, { month: 'short', year: 'numeric' });

/** `pick` is called with what is pressed. */
export function charts(series, pick, signal) {
  if (!series.summary[0].count) return empty('No award fits these filters');
  const card = (title, content) =>
    h('section', { class: 'card', style: { breakInside: 'avoid', marginBottom: '1rem' } }, h('h3', {}, title), content);
  const named = (title, key, rows, name) => {
    const made = bars(rows.map((row) => ({
      label: row[name], value: row.total_value, text: `${money(row.total_value)} · ${number(row.count)}`,
    })), { title, onpick: (item) => pick(key, item.label) });
    if (key !== 'year') made.classList.add('long');
    return card(title, made);
  };
  // The years that have most awards without a long gap: one that is a typing error would press all others together.
  const runs = [];
  for (const { year, count } of series.by_year) {
    if (!(year - runs.at(-1)?.to <= 3)) runs.push({ from: year, all: 0 });
    Object.assign(runs.at(-1), { to: year, all: runs.at(-1).all + count });
  }
  const { from, to } = runs.sort((a, b) => b.all - a.all)[0] ?? {};
  const months = series.by_month.filter(({ month }) => month >= String(from) && month < String(to + 1));
  return h(
    'div', {},
    months.length > 1 && card(`By month, ${from} to ${to}`, chart({
      title: 'Value of the awards of each month', x: months.map(({ month }) => instant(month)), isTime: true, signal,
      series: [{ label: 'Value', values: months.map((one) => one.total_value), as: 'bars' }],
      xLabel: 'Month', format: money, formatX: monthName,
    })),
    h('p', { class: 'soft' }, 'Value · number of awards. Press a year or a name to see its awards alone.'),
    h('div', { style: { columns: '2 18rem', columnGap: '1rem' } },
      named('By year', 'year', series.by_year, 'year'), KINDS.map(({ key, dimension, many }) =>
        named(`Top ${many.toLowerCase()}`, key, series[`by_${dimension}`], 'label'))),
  );
}
