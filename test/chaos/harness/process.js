// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DEADLINE_MS, until } from './until.js';

/**
 * @typedef {object} ProcessOptions
 * @property {NodeJS.ProcessEnv} [env]
 * @property {readonly string[]} [nodeOptions]
 * @property {object} [setting] the script's only argument, as JSON
 */

/** A real process that can be sent real signals, known by its messages and the lines that it prints. */
export class Process {
  /** @type {readonly string[]} */
  #lines;
  #heardUntil = 0;
  /** @type {unknown[]} */
  #messages;

  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {string} name
   */
  constructor(child, name) {
    this.name = name;
    this.child = child;
    /** @type {string[]} */
    const lines = [];
    this.#lines = lines;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
    }
    /** @type {unknown[]} */
    this.#messages = [];
    child.on('message', (message) => this.#messages.push(message));
    /** @type {Promise<string | number | null>} the signal that ended it, or its exit code */
    this.ended = once(child, 'close').then(([code, signal]) => signal ?? code);
  }

  /**
   * @param {string} script in `test/chaos/processes`
   * @param {string} name
   * @param {ProcessOptions} [options]
   */
  static start(script, name, { env = {}, nodeOptions = [], setting } = {}) {
    const path = fileURLToPath(new URL(`../processes/${script}`, import.meta.url));
    const args = setting === undefined ? [] : [JSON.stringify(setting)];
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [...nodeOptions, path, ...args], {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new Process(child, name);
  }

  get alive() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @returns {string} the last lines, for a failure's message; what killed it is among them, however long */
  get lastWords() {
    const lastLog = this.#lines.findLastIndex((line) => line.startsWith('{"level"'));
    return this.#lines.slice(Math.max(lastLog - 10, 0)).join('\n');
  }

  /**
   * The first message that the function makes something of.
   * @template T
   * @param {string} what
   * @param {(message: any) => T | undefined} accept
   * @param {number} [withinMs]
   * @returns {Promise<T>}
   */
  async message(what, accept, withinMs = DEADLINE_MS) {
    const look = () => {
      for (const message of this.#messages) {
        const accepted = accept(message);
        if (accepted !== undefined) return accepted;
      }
      if (!this.alive) throw new Error(`${this.name} ended before ${what}:\n${this.lastWords}`);
      return undefined;
    };
    return until(`${this.name}: ${what}`, look, withinMs);
  }

  /** @param {import('node:child_process').Serializable} message @returns {Promise<Record<string, any>>} the answer */
  async ask(message) {
    const before = this.#messages.length;
    this.child.send(message);
    const answer = /** @type {Record<string, any>} */ (
      await until(`${this.name}: answer`, () => this.#messages[before])
    );
    if (answer['error']) throw new Error(`${this.name}: ${answer['error']}`);
    return answer;
  }

  /** @param {string} text @returns {string[]} the lines that have it */
  said(text) {
    return this.#lines.slice(this.#heardUntil).filter((line) => line.includes(text));
  }

  /** What was logged so far is of no interest any more. */
  forget() {
    this.#heardUntil = this.#lines.length;
  }

  /**
   * Structured log lines of one event.
   * @param {string} event
   * @returns {Record<string, any>[]}
   */
  logged(event) {
    return this.#lines.slice(this.#heardUntil).flatMap((line) => {
      if (!line.includes(`"${event}"`)) return [];
      const { message } = /** @type {{ message: { event?: string } }} */ (JSON.parse(line));
      return message.event === event ? [message] : [];
    });
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.child.kill(signal);
  }

  /** @param {number} [withinMs] @returns {Promise<string | number | null>} how it ended */
  async end(withinMs = 180_000) {
    const late = setTimeout(() => this.child.kill('SIGKILL'), withinMs);
    const how = await this.ended;
    clearTimeout(late);
    return how;
  }

  async kill() {
    if (this.alive) this.child.kill('SIGKILL');
    await this.ended;
  }
}
