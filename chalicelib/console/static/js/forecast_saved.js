/** Saved forecasts by project, what came of them, and whether their percentiles held. */
import { chart } from './charts.js';
import { button, day, dayAfter, div, get, list, num, today, weeks } from './forecast_work.js';
import { confirmed, date, empty, explain, failure, field, h, loading, loginLink, note, number, percent, pressing,
  replace, select, stateBadge, table } from './ui.js';

/** Shows what the service answers, or why it does not. */
async function show(place, context, make) {
  // Without an account it is not asked: a browser would log the refusal.
  if (!context.session.user_id) return replace(place, failure({ status: 401 }));
  replace(place, loading());
  try {
    replace(place, await make());
  } catch (error) {
    if (!context.signal.aborted) replace(place, failure(error, context.reload));
  }
}
const doing = (text, act, kind = 'primary') => button(text, (event) => pressing(event.target, act), kind);
const projectsOf = (context) => get(context, '/api/projects?limit=500');
const badge = (isGood, yes, no) => stateBadge(isGood ? 'SUCCESS' : 'RETRY', isGood ? yes : no);
const link = (hash, text) => h('a', { href: `#/forecast${hash}` }, text);

/** Asks where to keep a forecast, and keeps it; `parent` is the id of the one that it renews. */
export async function offerToSave(context, room, body, parent) {
  const { sluice, session, signal } = context;
  const toLogin = h('a', { href: loginLink() }, 'Log in or sign up');
  if (!session.user_id) return replace(room, note('', toLogin, ' to save; you come back here.'));
  await show(room, context, async () => {
    const name = field('Name', h('input', { value: body.projectName ?? '' }));
    const projects = (await projectsOf(context)).map((one) => [String(one.id), one.name]);
    const next = parent ? [['next', 'Next version of the one opened']] : [];
    const into = field('Project', select([...next, ['', 'A new one of that name'], ...projects]));
    const save = async () => {
      const to = into.control.value;
      const where = to === 'next' ? { parent_forecast_id: parent } : to && { project_id: to };
      const asked = { ...body, projectName: name.control.value, ...where };
      const { result } = await sluice.run('/api/async/simulate', asked, { save: true, signal });
      if (result.save_error) throw new Error(result.save_error);
      replace(room, note('good', 'Kept: ', link('/saved', 'saved forecasts')));
    };
    return div('card stack', name, into, div('', doing('Save forecast', save)));
  });
  room.querySelector('input')?.focus();
}

export const showSaved = (context, place) =>
  show(place, context, () => (context.parts[1] ? oneProject(context, context.parts[1]) : allProjects(context)));

const deleting = ({ sluice, reload }, path) => num('Delete', (one) => doing('Delete', async () => {
  if (!(await confirmed(`Delete “${one.name}” and all that belongs to it?`, 'Delete'))) return;
  await sluice.call('DELETE', `${path}/${one.id}`);
  reload();
}, 'small danger'));

async function allProjects(context) {
  const projects = await projectsOf(context);
  if (!projects.length) return empty('Nothing is saved yet', h('p', {}, link('', 'Make one'), ' and press Save.'));
  return table([
    { head: 'Project', cell: (one) => link(`/saved/${one.id}`, one.name) },
    num('Forecasts', (one) => number(one.forecasts_count)),
    day('Changed', 'updated_at', 'wide'),
    deleting(context, '/api/projects'),
  ], projects, { label: 'Projects' });
}

async function oneProject(context, id) {
  const [project, forecasts, actuals] = await Promise.all([`/api/projects/${id}`,
    `/api/forecasts?limit=500&project_id=${id}`, '/api/actuals?limit=500'].map((path) => get(context, path)));
  const room = h('div');
  const came = (one) => {
    const found = actuals.find((each) => each.forecast_id === one.id);
    if (!found) return button('Record', () => record(context, room, one), 'small');
    const late = found.weeks_error;
    const much = `${number(Math.abs(late), 1)} weeks ${late > 0 ? 'after' : 'before'} 85 %`;
    return [date(found.actual_completion_date), h('div', {}, much)];
  };
  return div('stack', h('h2', {}, project.name), table([
    { head: 'Forecast', cell: (one) => [link(`?saved=${one.id}`, one.name), ` v${one.version}`] },
    day('Saved', 'created_at', 'wide'),
    num('Items', (one) => number(one.backlog)),
    num('85 % by', ({ start_date: start, projected_weeks_p85: p85 }) =>
      [start && date(dayAfter(start, Math.ceil(7 * p85))), h('div', {}, `${number(p85, 1)} weeks`)]),
    num('Deadline', ({ deadline_date: due, can_meet_deadline: isSafe }) =>
      [date(due), due && h('div', {}, badge(isSafe, 'safe', 'at risk'))]),
    num('What came of it', came),
    deleting(context, '/api/forecasts'),
  ], forecasts, { label: `Forecasts of ${project.name}` }), room);
}

/** Asks when a forecast came true. */
function record({ sluice, reload }, room, forecast) {
  const done = field(`${forecast.name}: done on`, h('input', { type: 'date', value: today() }));
  const keep = async () => {
    try {
      const body = { forecast_id: forecast.id, actual_completion_date: done.control.value };
      await sluice.call('POST', '/api/actuals', body);
      reload();
    } catch (error) {
      done.say(explain(error));
    }
  };
  replace(room, div('card stack', done, div('', doing('Record it', keep))));
  done.control.focus();
}

export const showAccuracy = (context, place) => show(place, context, async () => {
  const { has_data: isKnown, message } = await get(context, '/api/forecast-vs-actual/dashboard');
  return isKnown ? judged(await get(context, '/api/accuracy-analysis?limit=500'), context.signal)
    : empty('Not enough to compare yet', h('p', {}, `${message}. `, link('/saved', 'Record what came of saved ones')));
});

function judged({ coverage, comparisons, metrics, recommendations, issues }, signal) {
  const levels = [50, 85, 95].filter((p) => coverage[`p${p}`].of);
  const each = (name) => levels.map((p) => coverage[`p${p}`][name]);
  const line = (label, name, colour, more) => ({ label, colour, values: each(name), ...more });
  return div('stack',
    h('h2', {}, 'Do the percentiles hold?'),
    list([...new Set([...each('verdict'), `The forecasts were off by ${number(metrics.mae, 1)} weeks on average.`,
      ...issues.map((one) => one.message), ...recommendations])]),
    chart({
      title: 'Calibration: how often each percentile held and should; the band has the true share',
      x: levels, xLabel: 'Percentile', signal, format: percent, formatX: (p) => `${p} %`,
      series: [line('promised', 'expected', 'soft'), line('held', 'share', 'c2', { as: 'points' }),
        line('at most', 'interval_high', 'c1', { to: 'at least' }), line('at least', 'interval_low', 'c1')],
    }),
    h('h2', {}, 'Forecast and actual'),
    table([
      { head: 'Forecast', cell: (one) => link(`?saved=${one.forecast_id}`, one.forecast_name) },
      day('Ended', 'ended'),
      weeks('50 %', 'p50_weeks'), weeks('85 %', 'p85_weeks'), weeks('Actual', 'actual_weeks'),
      num('85 % held', ({ p85_weeks: p85, actual_weeks: took }) =>
        p85 !== null && badge(took <= p85 + 1e-9, 'yes', 'no')),
    ], comparisons.toReversed(), { label: 'Forecasts and actuals' }));
}
