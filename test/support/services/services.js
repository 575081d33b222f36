// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * PostgreSQL and Redis for tests, on any machine, and a store of objects (`s3`) for those that name it. `DATABASE_URL` and `REDIS_URL` are used where they are set; else
 * servers are started on free ports of 127.0.0.1, with data in a temporary directory, by a keeper: a process of its own
 * that stops them when it is told to, and also when this process dies in any way.
 *
 * @typedef {'postgres' | 'redis' | 's3'} ServiceName
 *
 * @typedef {object} ServiceRequest
 * @property {readonly ServiceName[]} [names] default: PostgreSQL and Redis
 * @property {boolean} [durable] PostgreSQL with fsync on, as in production; default false: a crash may lose everything
 *
 * @typedef {object} Service
 * @property {string} url
 * @property {boolean} ours false for a server that was there before: it cannot be signalled or restarted from here
 * @property {(signal: NodeJS.Signals) => Promise<void>} signal to the server's own process; resolves when it was sent,
 * and for SIGKILL, SIGTERM, SIGINT and SIGQUIT when the process is gone
 * @property {() => Promise<void>} start again after it is gone: same port, same data
 *
 * @typedef {object} Services
 * @property {Readonly<Partial<Record<ServiceName, Service>>>} running those that could be had
 * @property {Readonly<Partial<Record<ServiceName, string>>>} missing why the others could not be, and what to do
 * @property {readonly string[]} notes what was done, a line each
 * @property {() => Promise<void>} stop all that was started; the data goes too
 */

const VARIABLES = /** @type {const} */ ({ postgres: 'DATABASE_URL', redis: 'REDIS_URL', s3: 'TEST_STORE_URL' });

/**
 * @param {ServiceRequest} [request]
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<Services>}
 */
export async function startServices(
  { names = ['postgres', 'redis'], durable = false } = {},
  environment = process.env,
) {
  const given = names.filter((name) => environment[VARIABLES[name]]);
  const wanted = names.filter((name) => !given.includes(name));
  const keeper = wanted.length > 0 ? await startKeeper({ names: wanted, durable }) : null;
  const running = Object.fromEntries([
    ...given.map((name) => [name, foreign(name, environment[VARIABLES[name]] ?? '')]),
    ...Object.entries(keeper?.urls ?? {}).map(([name, url]) => [name, keeper?.service(name, url)]),
  ]);
  return {
    running,
    missing: keeper?.missing ?? {},
    notes: [...given.map((name) => `${name}: the one at ${VARIABLES[name]}`), ...(keeper?.notes ?? [])],
    stop: async () => keeper?.stop(),
  };
}

/**
 * @param {ServiceName} name
 * @param {string} url
 * @returns {Service}
 */
function foreign(name, url) {
  const refuse = async () => {
    throw new Error(`${name} is the one at ${VARIABLES[name]}; unset it to have one that tests may stop`);
  };
  return { url, ours: false, signal: refuse, start: refuse };
}

/** @param {{ names: readonly ServiceName[], durable: boolean }} request */
async function startKeeper(request) {
  const child = fork(fileURLToPath(new URL('./keeper.js', import.meta.url)), [JSON.stringify(request)], {
    // In a process group of its own: Ctrl-C in the terminal is for us; the keeper stops in order when we are gone.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  /** @type {Map<number, (answer: { error?: string }) => void>} */
  const waiting = new Map();
  let calls = 0;
  child.once('exit', () => {
    for (const answer of waiting.values()) answer({ error: 'the keeper of the test services ended' });
  });
  child.on('message', (/** @type {{ call?: number, error?: string }} */ message) => {
    if (message.call !== undefined) waiting.get(message.call)?.(message);
  });
  /** @param {object} order */
  const call = async (order) => {
    const id = ++calls;
    child.channel?.ref();
    /** @type {{ error?: string }} */
    const answer = await new Promise((resolve) => {
      waiting.set(id, resolve);
      child.send({ call: id, ...order }, (error) => error && resolve({ error: error.message }));
    });
    waiting.delete(id);
    if (waiting.size === 0) child.channel?.unref();
    if (answer.error) throw new Error(answer.error);
  };

  const [started] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the keeper of the test services ended with ${code} before they were up`);
    }),
  ]);
  // Whoever forgets stop() still ends: the keeper sees the channel close.
  child.unref();
  child.channel?.unref();
  return {
    .../** @type {{ urls: Record<string, string>, missing: Record<string, string>, notes: string[] }} */ (started),
    /** @type {(name: string, url: string) => Service} */
    service: (name, url) => ({
      url,
      ours: true,
      signal: (signal) => call({ name, signal }),
      start: () => call({ name, start: true }),
    }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.ref();
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}
