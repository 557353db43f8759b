/** The form of a forecast: a body of POST /api/simulate as a person writes it, and back. */
import { dayAfter, div, today } from './forecast_work.js';
import { field, h, sayErrors, select } from './ui.js';

/** What a first visit shows: a result is one press away. */
export const example = () => ({
  projectName: 'Website relaunch', tpSamples: [5, 6, 7, 8, 4, 9, 6, 7, 3, 8, 6, 5], numberOfTasks: 50,
  startDate: today(), deadlineDate: dayAfter(today(), 63),
});

/** What the service takes for a field left out; others may be null or empty. @type {any} */
export const DEFAULTS = {
  numberOfSimulations: 10_000, engine: 'auto', sampling: 'bootstrap', historyInterval: true, confidenceLevel: 85,
  totalContributors: 1, sCurveSize: 20, teamFocus: 1, throughputCadenceDays: 7,
};

/** What makes a difference of a body. @returns {any} */
const tidy = (body) => Object.fromEntries(Object.entries(body).filter(([name, value]) =>
  !/^(save|p.*_id)$/.test(name) && ![null, undefined, '', DEFAULTS[name]].includes(value) && value.length !== 0));

export const words = (text) => text.split(/[\s,;]+/).filter(Boolean);
const percentOf = (share) => String(Number((100 * share).toFixed(6)));
function toNumber(text) {
  const value = Number(text.replace(/[\s%]/g, '').replace(/^(\d+),(\d+)$/, '$1.$2') || NaN);
  if (Number.isNaN(value)) throw new Error(`“${text.trim().slice(0, 40)}” is not a number`);
  return value;
}
const ends = (text) => text.split(/-|–|to/).map(toNumber);
const separated = (all) => all.join(', ');

/** The numbers of a list or a column, whose heading is none of them. */
const toNumbers = (text) => words(text.replace(/^\D*\n/, '')).map(toNumber);

/** A risk is a line: chance, items that it adds, what it is. */
function toRisk(line) {
  const [chance, items = '', ...what] = line.split(',');
  const [low, middle, high] = ends(items);
  const share = toNumber(chance);
  // The service reads a number below 1 as a share.
  return tidy({ likelihood: share < 1 ? share / 100 : share, lowImpact: low, mediumImpact: high && middle,
    highImpact: high ?? middle ?? low, description: what.join(',').trim() });
}
const riskLine = ({ likelihood, lowImpact, mediumImpact, highImpact, description }) => separated([
  `${likelihood < 1 ? percentOf(likelihood) : likelihood} %`,
  [lowImpact ?? 1, mediumImpact, highImpact].filter((one) => one >= 0 && one !== null).join('–'), description ?? '']);

/** How a value is read from a control, and written into it. @type {any} */
const KINDS = {
  text: [String, String],
  number: [toNumber, String],
  percent: [(text) => toNumber(text) / 100, percentOf],
  numbers: [toNumbers, separated],
  range: [ends, (all) => all.join('–')],
  risks: [(text) => text.split('\n').filter(Boolean).map(toRisk), (all) => all.map(riskLine).join('\n')],
};

const TEAM = { placeholder: 'as the team' };
/** Each field: label, kind, help, and properties of its control or the choices of a select. @type {any} */
const SPECS = {
  projectName: ['Name', 'text'],
  tpSamples: ['Items finished in each past week', 'numbers',
    'Oldest first, 0 for an idle week. Paste a column or drop a file of closed items.', { rows: 3 }],
  numberOfTasks: ['Backlog, items', 'range', 'Or a range, such as 40–60.'],
  startDate: ['Start', 'text', '', { type: 'date' }],
  deadlineDate: ['Deadline (optional)', 'text', '', { type: 'date' }],
  totalContributors: ['Team, people', 'number'],
  historicalTeamSize: ['Team in the past', 'number', '', TEAM],
  minContributors: ['People at the ends', 'number', '', TEAM],
  maxContributors: ['In the middle', 'number', '', TEAM],
  sCurveSize: ['Ramp, % of work', 'number'],
  teamFocus: ['Focus, % of time', 'percent', '', { placeholder: 100 }],
  risks: ['Risks', 'risks', 'One a line: 30 %, 5–10, new interface (adds 5 to 10 items).', { rows: 2 }],
  splitRateSamples: ['Split rates', 'numbers', 'Finished / planned items of past projects: 1.2, 1.35.'],
  ltSamples: ['Lead times, days', 'numbers', 'Of past items; their average delays the start.'],
  throughputCadenceDays: ['Days in a sample', 'number', '14 for sprints of two weeks.'],
  confidenceLevel: ['Confidence, %', 'number'],
  engine: ['Engine', 'text', '', [['auto', 'Exact if possible'], ['exact', 'Exact'], ['monte_carlo', 'Random trials']]],
  seed: ['Seed of trials', 'number'],
};
const NEEDED = { tpSamples: 'Give at least one week, such as 5, 6, 7', numberOfTasks: 'How many items are left?' };

function make(name) {
  const [label, , help, props = {}] = SPECS[name];
  const usual = { placeholder: DEFAULTS[name], ...props };
  return field(label, props.map ? select(props) : h(props.rows ? 'textarea' : 'input', usual), { help });
}

/** Fields of a body; what they do not show of it, `read` has too. */
export function makeFields(names = Object.keys(SPECS)) {
  /** @type {Record<string, ReturnType<typeof field>>} */
  const fields = Object.fromEntries(names.map((name) => [name, make(name)]));
  let rest = {};
  const point = () => {
    const wrong = names.map((name) => fields[name]).filter((one) => one.control.ariaInvalid);
    for (const one of wrong) one.closest('details')?.setAttribute('open', '');
    wrong[0]?.control.focus();
  };
  return {
    fields,
    /** @returns {string[]} what no field shows of the body */
    fill(body) {
      const { backlogAdjustedMin: low, backlogAdjustedMax: high, ...given } = tidy(body);
      given.numberOfTasks = low && high ? [low, high] : [given.numberOfTasks];
      for (const name of names) {
        const [, kind, , props] = SPECS[name];
        fields[name].control.value = name in given ? KINDS[kind][1](given[name]) : props?.[0]?.[0] ?? '';
        fields[name].say();
        delete given[name];
      }
      return Object.keys((rest = given));
    },
    /** @returns {any} the body, or nothing after it has said what is wrong beside each field */
    read() {
      /** @type {any} */
      const body = { ...rest };
      const wrong = {};
      for (const name of names) {
        const text = fields[name].control.value.trim();
        try {
          if (text) body[name] = KINDS[SPECS[name][1]][0](text);
          else wrong[name] = NEEDED[name];
        } catch (/** @type {any} */ error) {
          wrong[name] = error.message;
        }
      }
      if (fields.deadlineDate && body.deadlineDate <= body.startDate) wrong.deadlineDate = 'Must be after the start';
      for (const name of names) fields[name].say(wrong[name]);
      if (Object.values(wrong).some(Boolean)) return point();
      const [low, high] = body.numberOfTasks;
      body.numberOfTasks = high ? Math.round((low + high) / 2) : low;
      return tidy({ ...body, backlogAdjustedMin: high && low, backlogAdjustedMax: high });
    },
    refuse(error) {
      const others = sayErrors(error, fields);
      point();
      return others;
    },
  };
}

/** The fields that are asked for seldom: short ones in pairs. */
export function moreOptions(fields) {
  const names = Object.keys(SPECS).slice(5);
  const those = (isLong) => names.filter((name) => !SPECS[name][2] !== isLong).map((name) => fields[name]);
  return h('details', {}, h('summary', {}, 'More options'), div('stack', div('stats', those(false)), those(true)));
}
