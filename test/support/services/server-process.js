// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * One server program on a port of its own, that can be stopped and started again.
 *
 * @typedef {object} Server
 * @property {string} url
 * @property {string} note where it came from
 * @property {() => Promise<void>} start
 * @property {(signal: NodeJS.Signals) => Promise<void>} signal
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Program
 * @property {string} command
 * @property {readonly string[]} args
 * @property {import('node:child_process').SpawnOptions} [options]
 * @property {NodeJS.Signals} stopSignal what it takes for an orderly end
 * @property {() => Promise<void>} ask throws for as long as the server does not answer
 * @property {RegExp} [notYet] what it says when it could not start because its killed predecessor is not quite gone
 */

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 60_000;
/** @type {ReadonlySet<string>} */
const ENDING = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']);

/** @param {Program} program */
export function serverProcess({ command, args, options = {}, stopSignal, ask, notYet }) {
  /** @type {import('node:child_process').ChildProcess | null} */
  let child = null;
  let said = '';
  const isGone = () => child === null || child.exitCode !== null || child.signalCode !== null;

  async function start() {
    if (!isGone()) throw new Error(`${command} is running already`);
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      launch();
      try {
        return await answers(deadline);
      } catch (error) {
        // Its last words may come a moment after its end.
        await delay(100);
        if (!notYet?.test(said) || Date.now() > deadline) throw error;
      }
    }
  }

  function launch() {
    said = '';
    const started = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)));
    }
    started.on('error', (error) => (said += error.message));
  }

  /** @param {number} deadline */
  async function answers(deadline) {
    for (;;) {
      if (isGone() || child?.pid === undefined) throw new Error(`${command} did not start: ${said.trim()}`);
      try {
        return await ask();
      } catch (error) {
        if (Date.now() > deadline) throw new Error(`${command} does not answer: ${String(error)} ${said.trim()}`);
        await delay(20);
      }
    }
  }

  /** @param {NodeJS.Signals} signal */
  async function signal(signal) {
    const target = child;
    if (!target || isGone()) throw new Error(`${command} is not running`);
    const gone = once(target, 'exit');
    target.kill(signal);
    if (ENDING.has(signal)) await gone;
  }

  async function stop() {
    const target = child;
    if (!target || isGone()) return;
    const gone = once(target, 'exit');
    // A test may have left it frozen.
    target.kill('SIGCONT');
    target.kill(stopSignal);
    const limit = setTimeout(() => target.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(limit);
  }

  return { start, signal, stop };
}

/** A port that nobody listens on at this moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
