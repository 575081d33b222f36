import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** As `npm run start:prod` starts the host; plain BullMQ gets the same. */
export const PRODUCTION_FLAGS = ['--max-semi-space-size=64'];

/** A script of this folder in a process of its own, asked by messages. Its first message says that it is ready. */
export class Child {
  #process;
  #calls = 0;
  #waiting = new Map();

  static async start(script, env = {}, execArgv = []) {
    const child = new Child();
    child.#process = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      env: { ...process.env, ...env },
      execArgv,
    });
    [child.hello] = await Promise.race([
      once(child.#process, 'message'),
      once(child.#process, 'exit').then(([code]) => {
        throw new Error(`${script} ended with ${code} before it was ready`);
      }),
    ]);
    child.#process.on('message', ({ call, answer, error }) => {
      const { resolve, reject } = child.#waiting.get(call) ?? {};
      child.#waiting.delete(call);
      if (error) reject?.(new Error(error));
      else resolve?.(answer);
    });
    return child;
  }

  get pid() {
    return this.#process.pid;
  }

  ask(ask, parameters = {}) {
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      this.#waiting.set(call, { resolve, reject });
      this.#process.send({ call, ask, ...parameters });
    });
  }

  /** Stands still until `resume()`: what waits beside a measurement must not take part in it. */
  pause() {
    this.#process.kill('SIGSTOP');
  }

  resume() {
    this.#process.kill('SIGCONT');
  }

  /** As when the machine is gone. */
  async kill() {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.resume();
    this.#process.disconnect();
    await gone;
  }
}

/** The other side, in the script: answers what it is asked, until whoever started it is gone. */
export function answerAsks(actions) {
  process.on('message', async ({ call, ask, ...parameters }) => {
    try {
      process.send({ call, answer: await actions[ask](parameters) });
    } catch (error) {
      process.send({ call, error: String(error?.stack ?? error) });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ ready: process.pid });
}
