// @ts-check
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresServer } from './postgres-server.js';
import { redisServer } from './redis-server.js';
import { s3Server } from './s3-server.js';

/**
 * The process that owns the servers, forked by `startServices`. The channel to its parent is its life: when it closes,
 * because the parent asked for it or died, the servers stop and their data is deleted.
 *
 * @typedef {import('./server-process.js').Server} Server
 * @typedef {{ call: number, name: string, signal?: NodeJS.Signals, start?: boolean }} Order
 */

const { names, durable } = /** @type {{ names: string[], durable: boolean }} */ (JSON.parse(process.argv[2] ?? '{}'));

/** @type {Map<string, Server>} */
const servers = new Map();
const directory = await mkdtemp(join(tmpdir(), 'data-sinks-services-'));
let started = false;
let stopping = false;

async function stop() {
  if (stopping || !started) return;
  stopping = true;
  await Promise.allSettled([...servers.values()].map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}
process.once('disconnect', () => void stop());
process.once('SIGTERM', () => void stop());

/** @param {Order} order */
async function obey({ name, signal, start }) {
  const server = servers.get(name);
  if (!server) throw new Error(`${name} is not running here`);
  if (signal) await server.signal(signal);
  if (start) await server.start();
}

/** @param {object} message to a parent that may be gone by now */
function say(message) {
  if (process.connected) process.send?.(message, () => undefined);
}

process.on('message', (/** @type {Order} */ order) => {
  obey(order).then(
    () => say({ call: order.call }),
    (error) => say({ call: order.call, error: String(error.message) }),
  );
});

/** @type {Record<string, () => Promise<Server>>} */
const kinds = {
  postgres: () => postgresServer(join(directory, 'postgres'), { durable }),
  redis: () => redisServer(join(directory, 'redis')),
  s3: () => s3Server(join(directory, 's3')),
};
/** @type {Record<string, string>} */
const missing = {};
for (const name of names) {
  try {
    const server = await kinds[name]?.();
    if (server) servers.set(name, server);
  } catch (error) {
    missing[name] = error instanceof Error ? error.message : String(error);
  }
}
say({
  urls: Object.fromEntries([...servers].map(([name, { url }]) => [name, url])),
  missing,
  notes: [...servers].map(([name, { note }]) => `${name}: ${note}`),
});
started = true;
// The parent died while they started: 'disconnect' came before there was anything to stop.
if (!process.connected) await stop();
