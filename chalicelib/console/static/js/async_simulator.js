/**
 * For pages that submit simulations: `window.asyncSimulator` and `createProgressBar`, under the names that such pages
 * call. A classic script over the module `sluice.js`, which lies beside it; new pages import that one.
 *
 *     <script src="/static/js/async_simulator.js"></script>
 */
(() => {
  'use strict';

  const source = /** @type {HTMLScriptElement|null} */ (document.currentScript)?.src ?? location.href;
  const NOT_FOUND = 'The task is not there any more';
  /** @type {Promise<typeof import('./sluice.js')>|undefined} */
  let loading;
  const load = () => (loading ??= import(String(new URL('sluice.js', source))));

  /**
   * @typedef {{progress: number, total: number, stage: string, status: string, state: string}} Progress
   * @typedef {(progress: Progress) => void} OnProgress
   * @typedef {(result: any) => void} OnComplete
   * @typedef {(error: Error) => void} OnError
   */

  class AsyncSimulator {
    /**
     * @param {string|{apiBaseUrl?: string, token?: string}} [options]  where the API is, if not where this script is from
     */
    constructor(options = {}) {
      const named = typeof options === 'string' ? { apiBaseUrl: options } : options;
      this._base = named.apiBaseUrl || undefined;
      this._token = named.token ?? null;
      /** @type {Promise<import('./sluice.js').Sluice>|undefined} */
      this._loaded = undefined;
      /** @type {Map<string, AbortController>} */
      this._tasks = new Map();
      /** The first pause between two polls, in ms. */
      this.pollInterval = 1000;
      /** For pages that set it: failed polls are forgiven for minutes, so nothing depends on it. */
      this.maxRetries = 3;
    }

    /**
     * Submits a simulation and follows it.
     * @param {string} endpoint  such as /api/async/simulate
     * @param {any} data  the request
     * @param {{onProgress?: OnProgress, onComplete?: OnComplete, onError?: OnError}} [callbacks]
     * @param {boolean} [save]  keeps the forecast in the account
     * @returns {Promise<string>} the task's id, once it was submitted; rejected, after onError, if it was not
     */
    async submitSimulation(endpoint, data, { onProgress, onComplete, onError } = {}, save = false) {
      onProgress?.({ progress: 0, total: 100, stage: 'Submitting', status: 'Submitting', state: 'PENDING' });
      let taskId;
      try {
        taskId = await (await this._client()).submit(endpoint, data, { save });
      } catch (error) {
        onError?.(/** @type {Error} */ (error));
        throw error;
      }
      this.pollTask(taskId, onProgress, onComplete, onError);
      return taskId;
    }

    /**
     * Follows a task, also one that was submitted before the page was loaded.
     * @param {string} taskId
     * @param {OnProgress} [onProgress]
     * @param {OnComplete} [onComplete]  with the result
     * @param {OnError} [onError]  also where the task was cancelled, or is not known any more
     * @returns {Promise<void>} fulfilled when one of the two has been called
     */
    async pollTask(taskId, onProgress, onComplete, onError) {
      this._tasks.get(taskId)?.abort();
      const following = new AbortController();
      this._tasks.set(taskId, following);
      const stop = () => this._tasks.get(taskId) === following && this._tasks.delete(taskId);
      let task;
      try {
        const client = await this._client();
        task = await client.finish(taskId, {
          signal: following.signal,
          pollMs: this.pollInterval,
          onProgress: ({ progress, total, stage, status, state }) =>
            !following.signal.aborted &&
            onProgress?.({ progress, total: total ?? 100, stage: stage ?? status, status, state }),
        });
      } catch (error) {
        stop();
        if (following.signal.aborted) return;
        const status = /** @type {any} */ (error).status;
        onError?.(status === 404 || status === 410 ? new Error(NOT_FOUND) : /** @type {Error} */ (error));
        return;
      }
      stop();
      onComplete?.(task.result);
    }

    /**
     * Asks a task to stop. Whoever follows it is told by onError once it has.
     * @param {string} taskId
     * @returns {Promise<boolean>} whether there was something to stop
     */
    async cancelTask(taskId) {
      return (await this._client()).cancel(taskId);
    }

    /** Asks all tasks that are followed to stop. */
    async cancelAll() {
      await Promise.all(this.getActiveTaskIds().map((taskId) => this.cancelTask(taskId)));
    }

    /**
     * Whether workers answer; never rejected.
     * @returns {Promise<any>} `status` is healthy, busy, paused or unhealthy
     */
    async checkHealth() {
      try {
        return await (await this._client()).call('GET', '/api/health/celery');
      } catch (error) {
        const { message, problem } = /** @type {any} */ (error);
        return problem ?? { status: 'unhealthy', workers: 'unavailable', error: message };
      }
    }

    getActiveTaskIds() {
      return [...this._tasks.keys()];
    }

    getActiveTaskCount() {
      return this._tasks.size;
    }

    /** @returns {Promise<import('./sluice.js').Sluice>} */
    _client() {
      const named = this._base ? { base: new URL(this._base, location.href) } : {};
      return (this._loaded ??= load().then(({ Sluice }) => new Sluice({ ...named, token: this._token })));
    }
  }

  /** A progress bar as accessible elements; its texts are texts, whatever is in them. */
  class ProgressBar {
    /** @param {HTMLElement} container */
    constructor(container) {
      this._root = element('div', 'async-progress');
      this._stage = element('div', 'async-progress-stage', 'Waiting');
      this._bar = document.createElement('progress');
      this._bar.className = 'async-progress-bar';
      this._bar.max = 100;
      this._bar.value = 0;
      this._status = element('div', 'async-progress-status');
      this._status.setAttribute('role', 'status');
      this._cancel = document.createElement('button');
      this._cancel.type = 'button';
      this._cancel.className = 'async-progress-cancel';
      this._cancel.textContent = 'Cancel';
      this._cancel.hidden = true;
      this._bar.setAttribute('aria-label', 'Progress');
      this._root.append(this._stage, this._bar, this._status, this._cancel);
      container.replaceChildren(this._root);
    }

    /**
     * @param {number} progress @param {number} [total] @param {string} [stage] @param {string} [status]
     */
    update(progress, total = 100, stage = '', status = '') {
      this._bar.max = total || 100;
      this._bar.value = Math.max(0, Math.min(progress, this._bar.max));
      if (stage) this._stage.textContent = stage;
      const percent = Math.round((100 * this._bar.value) / this._bar.max);
      this._status.textContent = status && status !== stage ? `${percent} % · ${status}` : `${percent} %`;
    }

    setSuccess() {
      this.update(this._bar.max, this._bar.max, 'Done');
      this._end('is-success');
    }

    /** @param {string|Error} error */
    setError(error) {
      this._stage.textContent = 'Not done';
      this._status.textContent = error instanceof Error ? error.message : String(error);
      this._end('is-error');
    }

    /**
     * Shows a button and calls `cancel` when it is pressed.
     * @param {() => void} cancel
     */
    onCancel(cancel) {
      this._cancel.hidden = false;
      this._cancel.onclick = () => {
        this._cancel.disabled = true;
        cancel();
      };
    }

    remove() {
      this._root.remove();
    }

    /** @param {string} name */
    _end(name) {
      this._root.classList.add(name);
      this._cancel.hidden = true;
    }
  }

  /** @param {string} tag @param {string} name @param {string} [text] */
  function element(tag, name, text = '') {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  /**
   * A progress bar in the element with that id; null if there is none.
   * @param {string} containerId
   */
  function createProgressBar(containerId) {
    const container = document.getElementById(containerId);
    return container && new ProgressBar(container);
  }

  Object.assign(window, { AsyncSimulator, asyncSimulator: new AsyncSimulator(), createProgressBar });
})();
