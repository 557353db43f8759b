/**
 * What the pages are made of: elements, fields, tables, states, formats. Every text becomes a text node, so nothing that
 * comes from outside is ever read as markup.
 */

/** @typedef {Node|string|number|null|undefined|false} Child */
/** @typedef {Child|Children[]} Children */

const SVG = new Set(['svg', 'g', 'path', 'line', 'rect', 'circle', 'text', 'polyline', 'polygon', 'title']);

/**
 * An element. Properties that begin with `on` are listeners, `class` and `data` are what they say; null, undefined and
 * false leave an attribute out, true sets it empty.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Children} children
 * @returns {any} the element, of the type that the tag has
 */
export function h(tag, props = {}, ...children) {
  const made = SVG.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(/** @type {HTMLElement} */ (made).dataset, value);
    else if (name === 'style') Object.assign(/** @type {HTMLElement} */ (made).style, value);
    else if (['value', 'checked', 'selected', 'indeterminate', 'disabled', 'open'].includes(name)) {
      /** @type {any} */ (made)[name] = value;
    } else made.setAttribute(name, value === true ? '' : String(value));
  }
  append(made, children);
  return made;
}

/**
 * Adds children: nodes as they are, all else as text; null, undefined and false are left out.
 * @param {Node} parent
 * @param {Children[]} children
 */
export function append(parent, children) {
  for (const child of /** @type {Child[]} */ (children.flat(4))) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Makes these the only children.
 * @param {Element} parent
 * @param {...Children} children
 */
export function replace(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * The same, and what had the focus has it again, if it is still there; `otherwise` gets it if not.
 * @param {HTMLElement} parent
 * @param {Children} children
 * @param {HTMLElement} [otherwise]
 */
export function redraw(parent, children, otherwise) {
  const name = (/** @type {any} */ one) =>
    one.tagName + (one.dataset.key || one.getAttribute('aria-label') || one.textContent.replace(/ [▲▼]$/, ''));
  const active = document.activeElement;
  const held = active !== parent && parent.contains(active) && name(active);
  replace(parent, children);
  if (!held) return;
  const again = [...parent.querySelectorAll('a, button, input, select, summary')].find((one) => name(one) === held);
  /** @type {any} */ (again ?? otherwise)?.focus({ preventScroll: true });
}

let lastId = 0;
/** An id that no other element has. @param {string} name */
export const newId = (name) => `${name}-${++lastId}`;

/**
 * A control with its label, help text and a place for what is wrong with it. `field.say(text)` shows that, or clears it.
 * @param {string} label
 * @param {any} control  an input, select or textarea
 * @param {{help?: Children, class?: string}} [options]
 * @returns {HTMLElement & {control: any, say: (text?: string) => void}}
 */
export function field(label, control, { help, class: name } = {}) {
  control.id ||= newId('field');
  const helpId = `${control.id}-help`;
  const wrongId = `${control.id}-wrong`;
  const wrong = h('p', { class: 'wrong', id: wrongId, hidden: true });
  control.setAttribute('aria-describedby', help ? `${helpId} ${wrongId}` : wrongId);
  const made = h(
    'div', { class: `field ${name ?? ''}` }, h('label', { for: control.id }, label), control,
    help && h('p', { class: 'help', id: helpId }, help), wrong,
  );
  made.control = control;
  made.say = (/** @type {string} */ text = '') => {
    wrong.hidden = !text;
    wrong.textContent = text;
    if (text) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
  };
  return made;
}

/** A button. @param {Children} text @param {(event: any) => void} onclick @param {Record<string, any>} [props] */
export const button = (text, onclick, props) => h('button', { type: 'button', onclick, ...props }, text);

/**
 * A box to tick, with its text.
 * @param {string} label
 * @param {Record<string, any>} [props]
 */
export function tick(label, props = {}) {
  return h('label', { class: 'check' }, h('input', { type: 'checkbox', ...props }), h('span', {}, label));
}

/**
 * A select of [value, text] pairs.
 * @param {[string, string][]} options
 * @param {Record<string, any>} [props]
 */
export function select(options, { value, ...props } = {}) {
  return h(
    'select', props,
    options.map(([each, text]) => h('option', { value: each, selected: each === value }, text)),
  );
}

/**
 * A table. A column says how its cell is made and whether it is a number; `onsort` makes its head a button.
 * @template R
 * @param {{head: string, cell: (row: R) => Children, num?: boolean, class?: string, sort?: 'ascending'|'descending'|null,
 *   onsort?: () => void}[]} columns
 * @param {R[]} rows
 * @param {{label?: string}} [options]  `label` names the area that scrolls
 */
export function table(columns, rows, { label = 'Table' } = {}) {
  const kind = (/** @type {{num?: boolean, class?: string}} */ one) => `${one.num ? 'num' : ''} ${one.class ?? ''}`.trim() || null;
  const head = columns.map((one) =>
    h(
      'th', { scope: 'col', class: kind(one), 'aria-sort': one.sort },
      one.onsort
        ? h('button', { type: 'button', onclick: one.onsort }, one.head, { ascending: ' ▲', descending: ' ▼' }[one.sort ?? ''])
        : one.head,
    ),
  );
  const lines = rows.map((row) => h('tr', {}, columns.map((one) => h('td', { class: kind(one) }, one.cell(row)))));
  // What scrolls must be reachable by keyboard.
  return h(
    'div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, lines)),
  );
}

/** @param {string} [text] */
export const loading = (text = 'Loading…') => h('p', { class: 'loading', role: 'status' }, text);

/** Nothing to show, and what to do about it. @param {string} title @param {...Children} rest */
export const empty = (title, ...rest) => h('div', { class: 'empty' }, h('p', {}, h('strong', {}, title)), rest);

/** @param {''|'bad'|'warn'|'good'} kind @param {...Children} children */
export const note = (kind, ...children) => h('div', { class: `note ${kind}`, role: kind === 'bad' ? 'alert' : null }, children);

/**
 * What went wrong, in words, with every broken rule that the service named, and a way to try again.
 * @param {any} error
 * @param {() => void} [retry]
 */
export function failure(error, retry) {
  const errors = error?.errors ?? [];
  const isLogin = error?.status === 401;
  return note(
    'bad',
    h('p', {}, h('strong', {}, isLogin ? 'You need to log in for this. ' : ''), isLogin ? '' : explain(error)),
    errors.length > 1 && h('ul', {}, errors.map((/** @type {any} */ one) => h('li', {}, one.detail))),
    isLogin && h('p', {}, h('a', { href: loginLink() }, 'Log in or sign up')),
    retry && !isLogin && h('p', {}, h('button', { type: 'button', onclick: retry }, 'Try again')),
  );
}

/** The login page, which comes back to here. */
export const loginLink = () => `#/account/login?next=${encodeURIComponent(location.hash || '#/forecast')}`;

/** An error in one sentence. @param {any} error */
export function explain(error) {
  const first = error?.errors?.length === 1 ? error.errors[0].detail : '';
  return first || error?.message || String(error);
}

/**
 * Shows the errors of a refusal beside their fields; answers those that belong to none.
 * @param {any} error  a SluiceError
 * @param {Record<string, {say: (text?: string) => void}>} fields  by JSON pointer without the slash, such as `tpSamples`
 * @returns {string[]}
 */
export function sayErrors(error, fields) {
  for (const one of Object.values(fields)) one.say();
  const others = [];
  /** @type {Record<string, string>} */
  const said = {};
  for (const { pointer, detail } of error?.errors ?? []) {
    const name = pointer.split('/')[1] ?? '';
    if (!fields[name]) others.push(detail);
    else fields[name].say((said[name] = said[name] ? `${said[name]}; ${detail}` : detail));
  }
  return others;
}

/**
 * A short notice that goes away by itself; errors stay until they are closed.
 * @param {string} text @param {'good'|'bad'|'warn'|''} [kind]
 */
export function toast(text, kind = 'good') {
  const place = /** @type {HTMLElement} */ (document.getElementById('toasts'));
  const shown = note(
    kind, h('div', { class: 'row apart' }, h('span', {}, text),
      h('button', { type: 'button', class: 'plain small', 'aria-label': 'Close', onclick: () => shown.remove() }, '✕')),
  );
  place.append(shown);
  if (kind !== 'bad') setTimeout(() => shown.remove(), 6000);
}

/**
 * Asks before something that cannot be taken back.
 * @param {string} question @param {string} action  the button's text
 * @returns {Promise<boolean>}
 */
export function confirmed(question, action) {
  return new Promise((resolve) => {
    const close = (/** @type {boolean} */ answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h(
      'dialog', { class: 'card', 'aria-label': question, oncancel: () => close(false) },
      h('p', {}, question),
      h('div', { class: 'row end' },
        h('button', { type: 'button', onclick: () => close(false) }, 'Keep'),
        h('button', { type: 'button', class: 'danger', onclick: () => close(true) }, action)),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Runs something from a button, which cannot be pressed meanwhile; what goes wrong is told.
 * @param {any} button @param {() => Promise<any>} act
 */
export async function pressing(button, act) {
  const isFocused = document.activeElement === button;
  button.disabled = true;
  try {
    return await act();
  } catch (error) {
    toast(explain(error), 'bad');
    return undefined;
  } finally {
    button.disabled = false;
    // The browser takes the focus from what is disabled, and whoever uses the keyboard would begin anew.
    if (isFocused && document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}

/** A text field with a button that copies it. @param {string} text @param {string} label */
export function copyable(text, label) {
  const button = h('button', { type: 'button', class: 'small', onclick: copy }, 'Copy');
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(shown);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      document.execCommand('copy');
    }
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  }
  const shown = h('code', {}, text);
  return h('div', {}, h('div', { class: 'row apart' }, h('span', { class: 'label' }, label), button),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': label }, shown));
}

/**
 * Calls the last of many calls, after a pause.
 * @template {any[]} A
 * @param {(...values: A) => void} act @param {number} ms
 */
export function debounced(act, ms) {
  /** @type {any} */
  let timer;
  return (/** @type {A} */ ...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), ms);
  };
}

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** @param {number|null|undefined} value @param {number} [digits] */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return digits ? value.toLocaleString(undefined, { maximumFractionDigits: digits }) : whole.format(value);
}
/** 1.2M and the like. @param {number|null|undefined} value */
export const compact = (value) => (value === null || value === undefined ? '–' : short.format(value));
/** A share as percent. @param {number|null|undefined} share @param {number} [digits] */
export const percent = (share, digits = 0) =>
  share === null || share === undefined ? '–' : `${number(100 * share, digits)} %`;
/** A date of ISO 8601 as people write it. @param {string|null|undefined} text */
export const date = (text) => (text ? day.format(new Date(`${text.slice(0, 10)}T00:00:00Z`)) : '–');
/** A point in time, in the reader's time zone. @param {string|null|undefined} text */
export const time = (text) => (text ? moment.format(new Date(text)) : '–');
/** Seconds in words. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 60) return `${number(seconds, 1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${number(seconds / 86400, 1)} days`;
}

const KINDS = { SUCCESS: 'good', FAILURE: 'bad', REVOKED: 'warn', RETRY: 'warn', STARTED: 'busy', PROGRESS: 'busy' };
/** A task's state. @param {string} state @param {string} [text] */
export const stateBadge = (state, text) => h('span', { class: `badge ${/** @type {any} */ (KINDS)[state] ?? ''}` }, text ?? state);
