/** A forecast as it is read: one line first, then how sure it is, its shape, and what it rests on. */
import { chart } from './charts.js';
import { div, list, num } from './forecast_work.js';
import { date, failure, h, loading, note, number, percent, replace, table } from './ui.js';

/** A chance, of which only a certain one is 100 %. */
export const chance = (share) => (share > 0.995 && share < 1 ? 'more than 99 %' : percent(share));

const part = (title, ...rest) => h('section', {}, h('h3', {}, title), rest);
const unit = (body) => (body.throughputCadenceDays ? 'period' : 'week');
const periods = (body, count) => `${count} ${unit(body)}${count === 1 ? '' : 's'}`;

/** The answer of POST /api/simulate to `body`, until `signal`; `ask` gets that of POST /api/deadline-analysis. */
export function resultView(result, body, signal, ask) {
  const { confidence: { level, weeks, date: due }, backlog_summary: { low, high } } = result;
  const within = `within ${periods(body, weeks)}`;
  return [
    div('', h('h2', { tabindex: -1 }, `${number(level, 1)} % likely ${due ? `by ${date(due)}` : within}`),
    h('p', {}, `${result.projectName || 'The backlog'}: ${low === high ? '' : `${low} to `}${high} items ${within}`,
      body.startDate && !body.currentDate && ` from ${date(body.startDate)}`)),
    body.deadlineDate && body.startDate && deadline(ask),
    result.warnings.length > 0 && note('warn', h('h3', {}, 'What speaks against it'), list(result.warnings)),
    div('grid', part('How long it takes', histogram(result, body, signal)), part('Each chance', chances(result, body))),
    result.history_interval && part('How far history may mislead', h('p', {}, doubt(result.history_interval, body))),
    result.burn_down && part('What is left', fan(result.burn_down.weeks, body, signal)),
    h('details', {}, h('summary', {}, 'What it rests on'), list([...result.assumptions,
      `Samples: ${body.tpSamples.join(', ')}.`,
      `Engine: ${result.engine}, seed ${result.seed}. ${result.engine_reason}`])),
  ];
}

/** Whether the deadline holds, which is asked for when it is shown. */
function deadline(ask) {
  const place = h('div', { 'aria-live': 'polite' });
  const show = async () => {
    replace(place, loading('Looking at the deadline…'));
    try {
      const { probability_met: share, monte_carlo: found } = await ask();
      const work = `${found.projected_work_p85} of ${found.backlog}`;
      replace(place, note(share >= 0.85 ? 'good' : share >= 0.5 ? 'warn' : 'bad',
        h('strong', {}, `P(deadline met): ${chance(share)}`), ` to be done before ${date(found.deadline_date_raw)
        }. At least ${work} items are, in 85 % of the cases.`));
    } catch (/** @type {any} */ error) {
      if (error.name !== 'AbortError') replace(place, failure(error, show));
    }
  };
  show();
  return place;
}

/** How far the percentile would move had other weeks been seen. */
function doubt({ p85, resamples }, body) {
  const end = (at) => (p85[`${at}_date`] ? date(p85[`${at}_date`]) : periods(body, p85[at]));
  const to = p85.high === null ? 'any time later' : end('high');
  return `With ${periods(body, body.tpSamples.length)} of history the true 85 % point may lie anywhere from ${
    end('low')} to ${to}, by 95 % of ${resamples} histories redrawn from yours.`;
}

const axis = (body) => ({
  xLabel: `${unit(body)}s from the start`, formatX: (x) => (Number.isInteger(x) ? String(x) : ''),
});

function histogram({ distribution, percentiles }, body, signal) {
  const told = [50, 85, 95];
  const at = (p) => percentiles[`p${p}`];
  // The ends of an exact law are long and too low to be seen.
  const rows = distribution.filter((row) => row.cumulative > 0.0005 && row.cumulative - row.probability < 0.9995);
  return chart({
    ...axis(body), signal, title: 'Chance of each duration', format: (share) => percent(share, 1),
    x: rows.map((row) => row.weeks),
    series: [{ label: 'chance', as: 'bars', values: rows.map((row) => row.probability) }],
    marks: [...new Set(told.map(at))].map((x) => ({ x, label: `${told.filter((p) => at(p) === x).join(', ')} %` })),
  });
}

function fan(weeks, body, signal) {
  const line = (p, to) => ({ label: `${p} %`, to: to && `${to} %`, colour: p === 50 ? 'c2' : 'c1', dashed: p !== 50,
    values: weeks.map((row) => row[`p${p}`]) });
  return chart({
    ...axis(body), signal, title: 'At most so many items are open, with each chance', format: number,
    x: weeks.map((row) => row.week), series: [line(95, 5), line(75, 25), line(50), line(25), line(5)],
  });
}

const chances = ({ percentiles, dates, effort }, body) => table([
  num('Chance', (p) => `${p.slice(1)} %`),
  num('Within', (p) => periods(body, percentiles[p])),
  ...(dates ? [num('By', (p) => date(dates[p]))] : []),
  ...(body.totalContributors ? [num('Person-weeks', (p) => number(effort.percentiles[p]))] : []),
], Object.keys(percentiles), { label: 'Percentiles of the duration' });
