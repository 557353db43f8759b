/**
 * The client of Sluice: submit work, follow it to its end, cancel it, and find it again after a reload.
 *
 * A task is followed by polling; where a WebSocket can be had, its messages only make that quicker. Polls are chained:
 * one begins when the one before it has been answered, later each time while nothing changes, and when `Retry-After`
 * says. A tab that slept and a network that was lost go on where they were.
 *
 *     import { Sluice } from '/static/js/sluice.js';
 *     const sluice = new Sluice();
 *     const task = await sluice.run('/api/async/simulate', body, { onProgress: (task) => show(task.progress) });
 *     show(task.result);
 */

/**
 * @typedef {'PENDING'|'STARTED'|'PROGRESS'|'RETRY'|'SUCCESS'|'FAILURE'|'REVOKED'} State
 *
 * @typedef {object} Task  what GET /api/tasks/{id} answers
 * @property {string} task_id
 * @property {string} kind
 * @property {State} state
 * @property {string} status  the state in words
 * @property {number} progress  in %
 * @property {number} total
 * @property {string} stage
 * @property {boolean} ready
 * @property {string|null} [cache_key]
 * @property {number} [attempt]
 * @property {string} [created_at]
 * @property {string} [updated_at]
 * @property {any} [result]
 * @property {string} [result_url]
 * @property {string} [error]
 * @property {string} [error_type]
 * @property {string[]} [warnings]
 *
 * @typedef {object} FollowOptions
 * @property {(task: Task) => void} [onProgress]  called with each change, first with what is known at once
 * @property {AbortSignal} [signal]  stops following; the task itself goes on
 * @property {number} [pollMs]  the first pause between two polls
 *
 * @typedef {object} Remembered  a task that a page may come back to
 * @property {string} task_id
 * @property {string} name  what the page knows it by
 * @property {number} at  when it was submitted, in ms since the epoch
 * @property {any} [about]  what the page needs to show it again
 */

const FINAL = ['SUCCESS', 'FAILURE', 'REVOKED'];
// Between two polls: from, by how much more each time without news, at most, and at most while a socket tells of changes.
const POLL_MS = 500;
const SLOWER = 1.5;
const LONGEST_MS = 5_000;
const LONGEST_WITH_SOCKET_MS = 15_000;
// Between two polls that failed, at most; and for how long, awake and online, polls may fail in a row.
const LONGEST_FAILED_MS = 30_000;
const PATIENCE_MS = 180_000;
const SOCKET_RETRY_MS = 30_000;
const REMEMBERED = 'sluice.tasks';
const REMEMBERED_MOST = 50;

/** An answer that is a refusal, or no answer at all (`status` 0). */
export class SluiceError extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, problem?: any, retryAfterMs?: number|null}} [about]
   */
  constructor(message, { status = 0, problem = null, retryAfterMs = null } = {}) {
    super(message);
    this.name = 'SluiceError';
    this.status = status;
    /** The problem document: `errors` lists each broken rule with its `pointer` and `detail`. */
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {{pointer: string, detail: string}[]} */
  get errors() {
    return Array.isArray(this.problem?.errors) ? this.problem.errors : [];
  }

  /** Whether the same request may well succeed later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A task that ended as FAILURE or REVOKED; `task` is how it ended. */
export class TaskFailed extends Error {
  /** @param {Task} task */
  constructor(task) {
    super(task.state === 'REVOKED' ? 'The task was cancelled' : task.error || 'The task failed');
    this.name = 'TaskFailed';
    this.task = task;
  }
}

/** The connection that all tasks of a client share; without it everything works, only later. */
class Hints {
  /** @param {string} url */
  constructor(url) {
    this._url = url;
    /** @type {Map<string, Set<(message: any) => void>>} */
    this._listeners = new Map();
    /** @type {WebSocket|null} */
    this._socket = null;
    this._notBefore = 0;
    this._failures = 0;
  }

  /**
   * Calls `listen` with each message about the task.
   * @param {string} taskId
   * @param {(message: any) => void} listen
   * @returns {() => void} ends it
   */
  watch(taskId, listen) {
    const mine = this._listeners.get(taskId) ?? new Set();
    this._listeners.set(taskId, mine.add(listen));
    this._connect();
    this._send('subscribe', taskId);
    return () => {
      mine.delete(listen);
      if (mine.size) return;
      this._listeners.delete(taskId);
      this._send('unsubscribe', taskId);
      if (!this._listeners.size) this._close();
    };
  }

  _connect() {
    if (this._socket || !this._listeners.size || Date.now() < this._notBefore) return;
    try {
      const socket = new WebSocket(this._url);
      this._socket = socket;
      socket.onmessage = (event) => this._hear(String(event.data));
      socket.onclose = () => {
        if (this._socket !== socket) return;
        this._socket = null;
        this._notBefore = Date.now() + Math.min(SOCKET_RETRY_MS, 1000 * 2 ** this._failures++);
        setTimeout(() => this._connect(), this._notBefore - Date.now() + 10);
      };
    } catch {
      this._notBefore = Number.POSITIVE_INFINITY; // no sockets here
    }
  }

  /** @param {string} text */
  _hear(text) {
    const message = JSON.parse(text);
    if (message.type === 'connection') {
      this._failures = 0;
      for (const taskId of this._listeners.keys()) this._send('subscribe', taskId);
    }
    for (const listen of this._listeners.get(message.task_id) ?? []) listen(message);
  }

  /** @param {string} action @param {string} taskId */
  _send(action, taskId) {
    if (this._socket?.readyState === 1) this._socket.send(JSON.stringify({ action, task_id: taskId }));
  }

  _close() {
    const socket = this._socket;
    this._socket = null;
    // Browsers complain about a socket that is closed while it opens.
    if (socket?.readyState === 0) socket.onopen = () => socket.close();
    else socket?.close();
  }
}

export class Sluice {
  /**
   * @param {object} [options]
   * @param {string|URL} [options.base]  where the API is; by default where this module came from
   * @param {string|null} [options.token]  a login's token or an API key; by default the cookie of a login is used
   * @param {boolean} [options.socket]  whether to try a WebSocket
   */
  constructor({ base = new URL('../../', import.meta.url), token = null, socket = true } = {}) {
    this.base = new URL(base);
    this.token = token;
    const address = new URL('ws/tasks/status/', this.base);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    if (token) address.searchParams.set('token', token);
    this._hints = socket && typeof WebSocket === 'function' ? new Hints(String(address)) : null;
  }

  /**
   * One request; its answer's body, decoded if it is JSON.
   * @param {string} method
   * @param {string} path  with its query
   * @param {any} [body]  sent as JSON; a string or a Blob is sent as it is
   * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
   * @returns {Promise<any>}
   * @throws {SluiceError}
   */
  async call(method, path, body, options = {}) {
    return (await this.exchange(method, path, body, options)).body;
  }

  /**
   * The same with status and headers.
   * @param {string} method
   * @param {string} path
   * @param {any} [body]
   * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
   * @returns {Promise<{status: number, headers: Headers, body: any}>}
   */
  async exchange(method, path, body, { headers = {}, signal } = {}) {
    /** @type {Record<string, string>} */
    const sent = { Accept: 'application/json', ...headers };
    if (this.token) sent.Authorization = `Bearer ${this.token}`;
    const isRaw = typeof body === 'string' || body instanceof Blob;
    if (body !== undefined && !isRaw) sent['Content-Type'] ??= 'application/json';
    const payload = body === undefined || isRaw ? body : JSON.stringify(body);
    let response;
    let text;
    try {
      const url = new URL(path.replace(/^\//, ''), this.base);
      response = await fetch(url, { method, headers: sent, body: payload, signal, credentials: 'same-origin' });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new SluiceError(`The service cannot be reached: ${/** @type {Error} */ (error).message}`);
    }
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
    const answer = { status: response.status, headers: response.headers, body: isJson ? _parsed(text) : text };
    if (response.ok || response.status === 304) return answer;
    const problem = isJson ? answer.body : null;
    const message = problem?.detail || problem?.error || problem?.message || `The service answered ${response.status}`;
    throw new SluiceError(message, {
      status: response.status, problem, retryAfterMs: _retryAfterMs(response.headers),
    });
  }

  /**
   * Submits work and follows it to its end.
   * @param {string} path
   * @param {any} body
   * @param {FollowOptions & {save?: boolean, remember?: string, about?: any, onSubmit?: (taskId: string) => void}} [options]
   *   `remember` keeps the task's id in this browser under that name until it has ended
   * @returns {Promise<Task>} the task with its result
   * @throws {SluiceError|TaskFailed}
   */
  async run(path, body, options = {}) {
    const taskId = await this.submit(path, body, options);
    options.onSubmit?.(taskId);
    return this.finish(taskId, options);
  }

  /**
   * Submits work; answers the task's id. It is the same task however often the request has to be sent.
   * @param {string} path
   * @param {any} body
   * @param {{save?: boolean, remember?: string, about?: any, signal?: AbortSignal}} [options]
   * @returns {Promise<string>}
   */
  async submit(path, body, { save = false, remember, about, signal } = {}) {
    const target = save ? `${path}${path.includes('?') ? '&' : '?'}save=true` : path;
    const headers = { 'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
    const answer = await _withPatience(() => this.call('POST', target, body, { headers, signal }), 3, signal);
    if (remember) this.remember(answer.task_id, remember, about);
    return answer.task_id;
  }

  /**
   * Follows a task to its end; raises TaskFailed where that is not SUCCESS.
   * @param {string} taskId
   * @param {FollowOptions} [options]
   * @returns {Promise<Task>}
   */
  async finish(taskId, options = {}) {
    const task = await this.follow(taskId, options);
    this.forget(taskId);
    if (task.state !== 'SUCCESS') throw new TaskFailed(task);
    if (task.result === undefined && task.result_url) task.result = await this.call('GET', task.result_url);
    return task;
  }

  /**
   * Follows a task until it has ended, however that is.
   * @param {string} taskId
   * @param {FollowOptions} [options]
   * @returns {Promise<Task>}
   */
  async follow(taskId, { onProgress, signal, pollMs = POLL_MS } = {}) {
    const path = `/api/tasks/${encodeURIComponent(taskId)}`;
    const told = new _Told(onProgress);
    const waker = new _Waker(signal);
    const unwatch = this._hints?.watch(taskId, (message) => {
      if (!['task_update', 'task_status'].includes(message.type)) return;
      waker.hasSocket = true;
      const update = message.data ? { ...message, ...message.data } : message;
      if (FINAL.includes(update.state)) waker.wake();
      else told.tell(update);
    });
    let tag = '';
    let pauseMs = pollMs;
    let failedMs = 0;
    let failures = 0;
    try {
      for (;;) {
        signal?.throwIfAborted();
        let waitMs;
        try {
          const answer = await this.exchange('GET', path, undefined, {
            headers: tag ? { 'If-None-Match': tag } : {}, signal,
          });
          failedMs = failures = 0;
          if (answer.status !== 304) {
            if (told.tell(answer.body)) pauseMs = pollMs;
            if (answer.body.ready) return answer.body;
            tag = answer.headers.get('ETag') ?? '';
          }
          // A socket tells of changes; polls are left for messages that were lost.
          waitMs = waker.hasSocket
            ? LONGEST_WITH_SOCKET_MS
            : Math.max(pauseMs, _retryAfterMs(answer.headers) ?? 0);
          pauseMs = Math.min(LONGEST_MS, pauseMs * SLOWER);
        } catch (error) {
          if (!(error instanceof SluiceError) || !error.isPassing) throw error;
          if (failedMs > PATIENCE_MS) throw error;
          waitMs = error.retryAfterMs ?? Math.min(LONGEST_FAILED_MS, 1000 * 2 ** failures++);
          // Time offline, or asleep, says nothing about the service.
          if (globalThis.navigator?.onLine !== false) failedMs += waitMs;
        }
        await waker.wait(waitMs);
      }
    } finally {
      unwatch?.();
      waker.end();
    }
  }

  /**
   * Asks a task to stop. A task that has ended already is left as it is.
   * @param {string} taskId
   * @returns {Promise<boolean>} whether it was there to be stopped
   */
  async cancel(taskId) {
    try {
      await _withPatience(() => this.call('DELETE', `/api/tasks/${encodeURIComponent(taskId)}`), 3);
      return true;
    } catch (error) {
      if (error instanceof SluiceError && [404, 409, 410].includes(error.status)) return false;
      throw error;
    }
  }

  /**
   * Submits a search, chart, table or export of contracts and waits for its data.
   * @param {'search'|'analytics'|'analytics-paginated'|'aggregates'|'export'} kind
   * @param {any} body  as POST /api/v1/data-processing/tasks/{kind}/ takes it
   * @param {FollowOptions & {onSubmit?: (taskId: string) => void}} [options]
   * @returns {Promise<any>} the data
   */
  async submitSearch(kind, body, options = {}) {
    const path = `/api/v1/data-processing/tasks/${kind}/`;
    const answer = await _withPatience(
      () => this.call('POST', path, body, { signal: options.signal }), 3, options.signal,
    );
    if (answer.status === 'cached') return answer.data;
    options.onSubmit?.(answer.task_id);
    const task = await this.finish(answer.task_id, options);
    return task.cache_key ? this.pollForResults(task.cache_key, options) : task.result;
  }

  /**
   * Waits for the result that a search is kept under.
   * @param {string} cacheKey
   * @param {{signal?: AbortSignal, pollMs?: number}} [options]
   * @returns {Promise<any>}
   */
  async pollForResults(cacheKey, { signal, pollMs = POLL_MS } = {}) {
    const path = `/api/v1/data-processing/tasks/result/?cache_key=${encodeURIComponent(cacheKey)}`;
    for (let pauseMs = pollMs; ; pauseMs = Math.min(LONGEST_MS, pauseMs * SLOWER)) {
      const answer = await _withPatience(() => this.exchange('GET', path, undefined, { signal }), 5, signal);
      if (answer.status !== 202) return answer.body.data ?? answer.body;
      await _pause(Math.max(pauseMs, _retryAfterMs(answer.headers) ?? 0), signal);
    }
  }

  /**
   * Sends a file of any size that the account may send; answers the id that a job names it by.
   * @param {Blob} file
   * @param {{onProgress?: (sent: number, total: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<string>}
   */
  async uploadFile(file, { onProgress, signal } = {}) {
    const offer = await this.call('POST', '/api/uploads', { size: file.size }, { signal });
    await _put(offer, file, onProgress, signal);
    return offer.upload_id;
  }

  /**
   * Keeps a task's id in this browser, so that a page finds it after a reload; several may, each by a name of its own.
   * @param {string} taskId @param {string} name @param {any} [about]
   */
  remember(taskId, name, about) {
    const kept = this.remembered().filter((one) => one.task_id !== taskId || one.name !== name);
    kept.push({ task_id: taskId, name, at: Date.now(), about });
    _store(kept.slice(-REMEMBERED_MOST));
  }

  /** @param {string} taskId @param {string} [name]  by which it is forgotten; by every name if none is given */
  forget(taskId, name) {
    const all = this.remembered();
    const kept = all.filter((one) => one.task_id !== taskId || (name !== undefined && one.name !== name));
    if (kept.length < all.length) _store(kept);
  }

  /**
   * The tasks that are remembered, of one name or all, oldest first.
   * @param {string} [name]
   * @returns {Remembered[]}
   */
  remembered(name) {
    try {
      const kept = JSON.parse(localStorage.getItem(REMEMBERED) ?? '[]');
      return kept.filter((/** @type {Remembered} */ one) => name === undefined || one.name === name);
    } catch {
      return [];
    }
  }
}

/** Tells a listener what is new. */
class _Told {
  /** @param {((task: Task) => void)|undefined} listen */
  constructor(listen) {
    this._listen = listen;
    this._last = '';
  }

  /** @param {Task} task @returns {boolean} whether it was new */
  tell(task) {
    const seen = JSON.stringify([task.state, task.progress, task.stage, task.status]);
    if (seen === this._last) return false;
    this._last = seen;
    this._listen?.(task);
    return true;
  }
}

/** Waits, and less long where something has happened: a message, a network that is back, a tab that is looked at. */
class _Waker {
  /** @param {AbortSignal} [signal] */
  constructor(signal) {
    this.hasSocket = false;
    this._signal = signal;
    this._isWoken = false;
    /** @type {(() => void)|null} */
    this._resolve = null;
    this.wake = () => {
      this._isWoken = true;
      this._resolve?.();
    };
    this._seen = () => document.visibilityState === 'visible' && this.wake();
    globalThis.addEventListener?.('online', this.wake);
    globalThis.document?.addEventListener('visibilitychange', this._seen);
    signal?.addEventListener('abort', this.wake);
  }

  /** @param {number} ms */
  async wait(ms) {
    if (!this._isWoken) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        this._resolve = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    this._isWoken = false;
    this._resolve = null;
  }

  end() {
    globalThis.removeEventListener?.('online', this.wake);
    globalThis.document?.removeEventListener('visibilitychange', this._seen);
    this._signal?.removeEventListener('abort', this.wake);
  }
}

/**
 * Asks again where the answer was a passing refusal.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {number} tries
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function _withPatience(ask, tries, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof SluiceError) || !error.isPassing || attempt === tries) throw error;
      await _pause(error.retryAfterMs ?? 500 * 2 ** attempt, signal);
    }
  }
}

/** @param {number} ms @param {AbortSignal} [signal] */
async function _pause(ms, signal) {
  const waker = new _Waker(signal);
  try {
    await waker.wait(ms);
  } finally {
    waker.end();
  }
  signal?.throwIfAborted();
}

/** @param {Headers} headers @returns {number|null} */
function _retryAfterMs(headers) {
  const seconds = Number(headers.get('Retry-After') ?? NaN);
  return Number.isFinite(seconds) ? 1000 * seconds : null;
}

/** @param {string} text */
function _parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** @param {Remembered[]} kept */
function _store(kept) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(kept));
  } catch {
    // Without storage a reload forgets what ran; the list of tasks has it still.
  }
}

/**
 * @param {{method: string, url: string, headers: Record<string, string>}} offer
 * @param {Blob} file
 * @param {((sent: number, total: number) => void)|undefined} onProgress
 * @param {AbortSignal|undefined} signal
 * @returns {Promise<void>}
 */
function _put(offer, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    // fetch cannot tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    request.open(offer.method, offer.url);
    for (const [name, value] of Object.entries(offer.headers)) {
      // A browser sets the length itself and complains about others that do.
      if (name.toLowerCase() !== 'content-length') request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onProgress?.(event.loaded, file.size);
    request.onload = () =>
      request.status < 300
        ? resolve()
        : reject(new SluiceError(`The file was not taken: ${request.status}`, { status: request.status }));
    request.onerror = () => reject(new SluiceError('The file could not be sent'));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
