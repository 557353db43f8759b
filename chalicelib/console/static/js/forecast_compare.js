/** Scenarios beside each other: each is a project of its own, and the first is what the others are compared with. */
import { bars } from './charts.js';
import { DEFAULTS, example, makeFields } from './forecast_form.js';
import { chance } from './forecast_results.js';
import { button, day, div, follow, kept, list, num, parsed, weeks } from './forecast_work.js';
import { date, h, note, number, percent, replace, table } from './ui.js';

const PATH = '/api/async/compare-scenarios';
const SHOWN = ['projectName', 'numberOfTasks', 'totalContributors', 'teamFocus', 'startDate', 'tpSamples'];

const examples = () => [['As planned', 5, 50], ['One more person', 6, 50], ['Smaller scope', 5, 40]].map(
  ([name, team, items]) => ({ ...example(), projectName: name, totalContributors: team, numberOfTasks: items }));

/** What makes a scenario of the base, of which nothing else stays. */
function changesOf(base, body) {
  const gone = Object.keys(base).map((name) => [name, DEFAULTS[name] ?? (Array.isArray(base[name]) ? [] : null)]);
  // Whoever goes on, the same past has the same team.
  const team = String(base.tpSamples) === String(body.tpSamples) &&
    { historicalTeamSize: base.historicalTeamSize ?? base.totalContributors ?? 1 };
  return { ...Object.fromEntries(gone), ...team, ...body };
}

export function showCompare(context, place) {
  const query = new URLSearchParams(String(context.query) || kept()[PATH]);
  const shared = parsed(query.get('share'));
  const given = shared ?? kept().scenarios ?? examples();
  const cards = div('grid');
  const panel = h('section', { class: 'stack', 'aria-label': 'Comparison' });
  const more = button('Add a scenario', () => add({ ...all[0].read(), projectName: '' }).focus());
  /** @type {ReturnType<typeof makeFields>[]} */
  let all = [];

  function add(body) {
    const made = makeFields(all.length ? SHOWN : [...SHOWN, 'deadlineDate']);
    made.fill({ ...body, projectName: body.projectName || `Scenario ${all.length}` });
    const card = h('fieldset', { class: 'stack' }, h('legend', {}, all.length ? 'Scenario' : 'Compared with'),
      Object.values(made.fields), all.length > 0 && div('', button('Remove', () => {
        all = all.filter((one) => one !== made);
        card.remove();
        more.disabled = false;
        more.focus();
      }, 'small')));
    all.push(made);
    cards.append(card);
    more.disabled = all.length === 6;
    return made.fields.projectName.control;
  }

  async function run(bodies, taskId = '') {
    const [base, ...others] = bodies;
    kept({ scenarios: bodies });
    const scenarios = others.map((body) => ({ name: body.projectName, changes: changesOf(base, body) }));
    const done = await follow(context, panel, { path: PATH, body: { base, scenarios, deadlineDate: base.deadlineDate },
      state: { share: JSON.stringify(bodies) }, taskId, label: 'Comparison', retry: () => run(bodies),
      refuse: ({ errors }) => errors.map(({ pointer, detail }) => `${pointer}: ${detail}`) });
    if (done) replace(panel, comparison(done.result, base));
    panel.querySelector('h2')?.focus();
  }

  const submit = (event) => {
    event.preventDefault();
    const bodies = all.map((one) => one.read());
    if (bodies.every(Boolean)) run(bodies);
  };
  replace(place, div('stack', h('form', { class: 'stack no-print', novalidate: true, onsubmit: submit }, cards,
    div('row', h('button', { class: 'primary' }, 'Compare'), more)), panel));
  for (const body of given.length > 1 ? given : [given[0], { ...given[0], projectName: '' }]) add(body);
  if (shared) run(given, query.get('task') ?? '');
}

function comparison({ scenarios, best, warnings }, base) {
  const [first] = scenarios;
  const quick = scenarios.find((row) => row.name === best) ?? first;
  first.name = base.projectName ?? 'The first';
  const unless = (tell) => (row) => (row === first ? '–' : tell(row));
  return [
    h('h2', { tabindex: -1 }, `Soonest: ${quick.name}`, quick.date_p85 && `, 85 % likely by ${date(quick.date_p85)}`),
    bars(scenarios.map((row) => ({ label: row.name, value: row.weeks_p85, text: `${number(row.weeks_p85, 1)} weeks` })),
      { title: 'Weeks that are enough in 85 % of the cases' }),
    table([
      { head: 'Scenario', cell: (row) => row.name },
      weeks('50 %', 'weeks_p50'), weeks('85 %', 'weeks_p85'), day('85 % by', 'date_p85'),
      num('Later than the first, weeks', unless((row) => number(row.weeks_p85_less_base, 1))),
      num('Sooner than the first', unless((row) => percent(row.sooner_than_base))),
      ...(base.deadlineDate ? [num('P(deadline met)', (row) => chance(row.probability_met))] : []),
    ], scenarios, { label: 'Comparison of the scenarios' }),
    warnings.length > 0 && note('warn', list(warnings)),
  ];
}
