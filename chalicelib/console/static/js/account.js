/** Log in, sign up, get a new password; the account and its API keys. */
import { press } from './jobs.js';
import {
  confirmed, copyable, date, empty, explain, failure, field, h, loading, note, replace, sayErrors, select, table, tick,
  time, toast,
} from './ui.js';

const SCOPES = { 'jobs:read': 'look at jobs and data', 'jobs:write': 'submit, cancel and save', admin: 'operate' };
const DEMO = { email: 'demo@sluice.test', password: 'demo-password' };
const RULES = '8 to 128 characters: upper and lower case, a digit and one of !@#$%^&*';
const STEPS = {
  register: { title: 'Sign up', path: 'verify', done: 'Make the account' },
  forgot: { title: 'Get a new password', path: 'reset', done: 'Set the password' },
};

/** @param {import('./app.js').Context} context */
export async function show(context) {
  const { parts: [part], session } = context;
  if (part in STEPS) showByCode(context, part);
  else if (part === 'login' || !session.user_id) showLogin(context);
  else await showAccount(context);
}

/** A form with a button; what is refused for no field is told at the last one. @type {(...parts: any[]) => any} */
function form(fields, text, act, ...more) {
  /** @type {any[]} */
  const all = Object.values(fields);
  const button = h('button', { class: 'primary' }, text);
  async function onsubmit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      await act(Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.control.value])));
      sayErrors(null, fields);
    } catch (error) {
      const others = sayErrors(error, fields);
      if (!all.some((one) => one.control.ariaInvalid)) all.at(-1).say(others.join('; ') || explain(error));
      all.find((one) => one.control.ariaInvalid).control.focus();
    }
    button.disabled = false;
  }
  return h('form', { class: 'stack', novalidate: true, onsubmit }, all, h('div', { class: 'row apart' }, button, more));
}

function page(root, title, ...parts) {
  replace(root, h('div', { class: 'card narrow' }, h('h1', {}, title), form(...parts)));
  root.querySelector('input:not([readonly])').focus();
}

function showLogin(context) {
  const fields = { email: emailField(), password: passwordField('Password', 'current-password') };
  page(context.root, 'Log in', fields, 'Log in', (values) => logIn(context, values),
    link(context, 'forgot', 'Password forgotten?'), link(context, 'register', 'Sign up'),
    context.session.stage === 'local' && press('Use the demo account', DEMO.email, () => logIn(context, DEMO)));
}

/** A code goes by mail; with it comes a password. */
function showByCode(context, step) {
  const { root, sluice, query, setQuery, session } = context;
  const { title, path, done } = STEPS[step];
  const email = query.get('email');
  async function send(to) {
    await sluice.call('POST', `/api/auth/${step}`, { email: to });
    toast('A code was mailed');
    query.set('email', to);
    setQuery(query);
    showByCode(context, step);
  }
  if (!email) {
    return page(root, title, { email: emailField() }, 'Send me a code', (values) => send(values.email),
      link(context, 'login', 'Log in instead'));
  }
  const fields = {
    email: emailField(email),
    otp: field('Code', h('input', { inputmode: 'numeric', autocomplete: 'one-time-code' }), {
      help: ['Six digits, good for 7 minutes. ', session.stage === 'local' &&
        h('a', { href: `dev/mail?to=${encodeURIComponent(email)}`, target: '_blank' }, 'Mail of this local stage')],
    }),
    ...(step === 'register' && { username: field('Name, if you like', h('input', { autocomplete: 'name' })) }),
    password: passwordField('New password', 'new-password', RULES),
  };
  page(root, title, fields, done, async (values) => {
    const otp = values.otp.replaceAll(' ', '');
    await sluice.call('POST', `/api/auth/${path}`, { ...values, otp, password_confirm: values.password });
    await logIn(context, values);
    toast('Done, and you are logged in');
  }, press('New code', email, () => send(email)));
}

const emailField = (value = '') =>
  field('E-mail address', h('input', { type: 'email', autocomplete: 'email', value, readonly: Boolean(value) }));

function passwordField(label, autocomplete, help = '') {
  const made = field(label, h('input', { type: 'password', autocomplete }), { help });
  const onchange = (event) => (made.control.type = event.target.checked ? 'text' : 'password');
  made.append(tick('Show it', { onchange }));
  return made;
}

const link = ({ query }, path, text) => h('a', { href: `#/account/${path}?${query}` }, text);

/** Logs in and goes on to a page of ours, never elsewhere. */
async function logIn({ sluice, query, refreshSession, go, reload }, { email, password }) {
  await sluice.call('POST', '/api/auth/login', { email, password });
  await refreshSession();
  const next = query.get('next')?.startsWith('#/') ? query.get('next') : '#/account';
  if (location.hash === next) reload();
  else go(next);
}

async function showAccount({ root, session, sluice, signal, refreshSession, go }) {
  const email = session.user?.email ?? session.user_id;
  const [list, made] = [h('div', { style: { marginTop: '.75rem' } }, loading()), h('div', { role: 'status' })];

  async function leave(path) {
    await sluice.call('POST', `/api/auth/${path}`);
    await refreshSession();
    go('#/account/login');
  }
  async function drawKeys() {
    try {
      const { keys } = await sluice.call('GET', '/api/keys', undefined, { signal });
      replace(list, keys.length ? table([
        { head: 'Name', cell: (one) => one.name },
        { head: 'May', class: 'wide', cell: (one) => one.scopes.join(', ') },
        { head: 'Last used', class: 'wide', cell: (one) => (one.last_used_at ? time(one.last_used_at) : 'Never') },
        { head: 'Ends', cell: (one) => (one.expires_at ? date(one.expires_at) : 'Never') },
        { head: 'Action', cell: (one) => press('Revoke', one.name, () => revoke(one)) },
      ], keys, { label: 'API keys' }) : empty('You have no keys.', h('p', {}, 'Programs need one.')));
    } catch (error) {
      if (!signal.aborted) replace(list, failure(error, drawKeys));
    }
  }
  async function revoke({ id, name }) {
    if (!(await confirmed(`Revoke ${name}? Programs with it are refused.`, 'Revoke it'))) return;
    await sluice.call('DELETE', `/api/keys/${id}`);
    await drawKeys();
  }

  const fields = {
    name: field('Name', h('input'), { help: 'Such as nightly forecast' }),
    expires_in_days: field('Good for',
      select([['30', '30 days'], ['90', '90 days'], ['365', 'A year'], ['', 'Ever']], { value: '90' })),
  };
  const may = session.scopes.map((one) => tick(`${one}: ${SCOPES[one]}`, { value: one, checked: one !== 'admin' }));
  const create = form(fields, 'Make a key', async ({ name, expires_in_days: days }) => {
    const scopes = may.map((one) => one.firstChild).filter((one) => one.checked).map((one) => one.value);
    const { key } = await sluice.call('POST', '/api/keys', { name, scopes, expires_in_days: Number(days) || null });
    fields.name.control.value = '';
    const call = `curl -H "Authorization: Bearer ${key}" ${new URL('api/tasks', sluice.base)}`;
    replace(made, note('good', h('p', {}, 'Copy the key now: it is never shown again.'),
      copyable(key, name), copyable(call, 'Try it')));
    await drawKeys();
  });
  create.lastChild.before(h('fieldset', {}, h('legend', {}, 'It may'), may));

  replace(root, h('h1', {}, session.user?.name || 'Your account'), h('div', { class: 'stack' },
    h('div', { class: 'card row apart' }, h('div', {}, email, h('div', { class: 'soft' }, session.user?.role)),
      h('div', { class: 'row' }, press('Log out', email, () => leave('logout')),
        press('Log out everywhere', email, async () =>
          (await confirmed('Log out everywhere? API keys stay.', 'Log out all')) && leave('logout-everywhere')))),
    h('div', { class: 'split' },
      h('section', {}, h('h2', {}, 'A new key'), create), h('section', {}, h('h2', {}, 'API keys'), made, list))));
  await drawKeys();
}
