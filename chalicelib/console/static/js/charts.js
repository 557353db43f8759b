/**
 * Charts: lines and areas over time or numbers by uPlot, bars as elements that can be pressed. Each chart has its numbers
 * as a table for those who cannot see it.
 */
import { compact, h, number, replace } from './ui.js';

/** @type {Promise<any>|undefined} */
let library;
const load = () => (library ??= import('./uplot.js').then((module) => module.default));

/** A colour of the style sheet. @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {(number|null)[]} values
 * @property {'line'|'bars'|'area'|'points'|'step'} [as]
 * @property {string} [colour]  c1 to c6, good, bad, soft
 * @property {string} [to]  label of the series that the area between is filled to
 * @property {boolean} [dashed]
 *
 * @typedef {object} Mark  a vertical line
 * @property {number} x
 * @property {string} label
 * @property {string} [colour]
 */

/**
 * A chart of series over x.
 * @param {object} options
 * @param {string} options.title  says what is seen, for everybody
 * @param {number[]} options.x  numbers, or seconds since the epoch with `isTime`
 * @param {Series[]} options.series
 * @param {boolean} [options.isTime]
 * @param {Mark[]} [options.marks]
 * @param {number} [options.height]  in px
 * @param {string} [options.xLabel]
 * @param {(value: number) => string} [options.format]  of values
 * @param {(x: number) => string} [options.formatX]
 * @param {AbortSignal} [options.signal]  when the chart goes
 * @returns {HTMLElement}
 */
export function chart(options) {
  const place = h('div', { class: 'chart', role: 'img', 'aria-label': options.title });
  const figure = h('figure', { style: { margin: '0' } }, place, numbers(options));
  draw(place, options).catch((error) => replace(place, h('p', { class: 'soft' }, `The chart cannot be drawn: ${error}`)));
  return figure;
}

/** @param {HTMLElement} place @param {any} options */
async function draw(place, { x, series, isTime = false, marks = [], height = 260, xLabel, format = compact, formatX, signal }) {
  const uPlot = await load();
  /** @type {any} */
  let plot = null;
  // A bar stands around its x, also the first and the last one.
  const isBars = series.some((/** @type {Series} */ one) => one.as === 'bars');
  const half = x.length > 1 ? (x[1] - x[0]) / 2 : 0.5;
  const make = () => {
    plot?.destroy();
    if (!place.isConnected || !place.clientWidth) return;
    const axis = { stroke: colour('soft'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line') } };
    const labels = series.map((/** @type {Series} */ one) => one.label);
    plot = new uPlot(
      {
        width: place.clientWidth,
        height,
        scales: { x: { time: isTime, ...(isBars && { range: (_, low, high) => [low - half, high + half] }) } },
        legend: { live: true },
        cursor: { drag: { x: true, y: false } },
        axes: [
          { ...axis, label: xLabel, labelSize: xLabel ? 24 : 0, ...(formatX && { values: (_, all) => all.map(formatX) }) },
          { ...axis, size: 62, values: (_, all) => all.map(format) },
        ],
        series: [
          { label: xLabel || (isTime ? 'Time' : 'x'), ...(formatX && { value: (_, one) => (one === null ? '–' : formatX(one)) }) },
          ...series.map((/** @type {Series} */ one, /** @type {number} */ n) => style(uPlot, one, n, format)),
        ],
        bands: series.flatMap((/** @type {Series} */ one, /** @type {number} */ n) =>
          one.to ? [{ series: [n + 1, labels.indexOf(one.to) + 1], fill: `${colour(one.colour ?? 'c1')}33` }] : []),
        hooks: { draw: [(/** @type {any} */ self) => drawMarks(self, marks)] },
      },
      [x, ...series.map((/** @type {Series} */ one) => one.values)],
      place,
    );
  };
  const watching = new ResizeObserver(() => plot ? plot.setSize({ width: place.clientWidth, height }) : make());
  watching.observe(place);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', make);
  signal?.addEventListener('abort', () => {
    watching.disconnect();
    scheme.removeEventListener('change', make);
    plot?.destroy();
  });
}

/** @param {any} uPlot @param {Series} one @param {number} n @param {(value: number) => string} format */
function style(uPlot, one, n, format) {
  const stroke = colour(one.colour ?? `c${(n % 6) + 1}`);
  const paths = { bars: uPlot.paths.bars({ size: [0.8, 60] }), step: uPlot.paths.stepped({ align: 1 }), points: () => null }[one.as ?? ''];
  return {
    label: one.label,
    stroke,
    width: one.as === 'bars' ? 0 : 2,
    dash: one.dashed ? [6, 4] : undefined,
    fill: one.as === 'bars' ? stroke : one.as === 'area' ? `${stroke}33` : undefined,
    points: { show: one.as === 'points' ? true : undefined, size: 7 },
    value: (/** @type {any} */ _, /** @type {number|null} */ value) => (value === null || value === undefined ? '–' : format(value)),
    ...(paths && { paths }),
  };
}

/** @param {any} plot @param {Mark[]} marks */
function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  marks.forEach((mark, n) => {
    const place = plot.valToPos(mark.x, 'x', true);
    if (place < bbox.left || place > bbox.left + bbox.width) return;
    ctx.strokeStyle = ctx.fillStyle = colour(mark.colour ?? 'c2');
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(place, bbox.top);
    ctx.lineTo(place, bbox.top + bbox.height);
    ctx.stroke();
    const isRight = place > bbox.left + 0.75 * bbox.width;
    ctx.textAlign = isRight ? 'right' : 'left';
    // Readable over bars too: the letters have a rim of the ground's colour.
    ctx.setLineDash([]);
    ctx.strokeStyle = colour('back');
    ctx.lineWidth = 4 * devicePixelRatio;
    for (const write of ['strokeText', 'fillText']) {
      ctx[write](mark.label, place + (isRight ? -5 : 5) * devicePixelRatio, bbox.top + (14 + 15 * (n % 4)) * devicePixelRatio);
    }
  });
  ctx.restore();
}

/** The numbers of a chart. @param {any} options */
function numbers({ title, x, series, isTime, formatX, format = (/** @type {number} */ value) => number(value, 2), xLabel = '' }) {
  const told = formatX ?? ((/** @type {number} */ one) => (isTime ? new Date(1000 * one).toISOString().slice(0, 10) : number(one, 2)));
  const made = h('details', { class: 'small no-print' }, h('summary', {}, 'As a table'));
  made.addEventListener('toggle', () => {
    if (made.childElementCount > 1) return;
    const cell = (/** @type {number|null} */ value) => h('td', { class: 'num' }, value === null || value === undefined ? '–' : format(value));
    made.append(
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title },
        h('table', {},
          h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, xLabel || 'x'), series.map((/** @type {Series} */ one) => h('th', { scope: 'col', class: 'num' }, one.label)))),
          h('tbody', {}, x.slice(0, 1000).map((/** @type {number} */ one, /** @type {number} */ n) =>
            h('tr', {}, h('th', { scope: 'row' }, told(one)), series.map((/** @type {Series} */ each) => cell(each.values[n]))))))),
    );
  });
  return made;
}

/**
 * Names with bars, which may be pressed.
 * @param {{label: string, value: number, text?: string}[]} items
 * @param {{title: string, onpick?: (item: any) => void}} options
 */
export function bars(items, { title, onpick }) {
  const most = Math.max(...items.map((item) => item.value), 0) || 1;
  return h(
    'div', { class: 'bars', role: 'group', 'aria-label': title },
    items.map((item) => [
      onpick
        ? h('button', { type: 'button', class: 'name', title: item.label, onclick: () => onpick(item) }, item.label)
        : h('span', { class: 'name', title: item.label }, item.label),
      h('span', { class: 'track', 'aria-hidden': 'true' }, h('span', { style: { width: `${(100 * item.value) / most}%` } })),
      h('span', { class: 'num' }, item.text ?? compact(item.value)),
    ]),
  );
}
