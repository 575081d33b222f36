// @ts-check
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { freePort, serverProcess } from './server-process.js';

const execute = promisify(execFile);

/** What Docker runs. 6.2 is the oldest that the module supports; this is what most have. */
const IMAGE = 'redis:7-alpine';

/** Debian asks this file before it starts the service of a package that is being installed. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * A Redis of its own: the installed program, else the one of Debian's or Ubuntu's package, else Docker's.
 * @param {string} directory made here
 * @returns {Promise<import('./server-process.js').Server>}
 */
export async function redisServer(directory) {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = ['--save', '', '--appendonly', 'no'];
  const { command, args, how } = await redisProgram(port);
  const server = serverProcess({
    command,
    args: [...args, ...settings],
    options: { cwd: directory },
    stopSignal: 'SIGTERM',
    ask: () => ping(port),
  });
  await server.start();
  return { ...server, url, note: `started ${how} on 127.0.0.1:${port}` };
}

/** @param {number} port */
async function redisProgram(port) {
  const local = { command: 'redis-server', args: ['--bind', '127.0.0.1', '--port', String(port)] };
  if (await works('redis-server', '--version')) return { ...local, how: 'redis-server' };
  const apt = await installWithApt();
  if (apt === null) return { ...local, how: 'redis-server (installed now with apt-get; its service does not run)' };
  if (await works('docker', 'info')) {
    // In the foreground: docker passes signals on, and --rm deletes the container at its end.
    const run = ['run', '--rm', '--publish', `127.0.0.1:${port}:6379`, IMAGE, 'redis-server'];
    return { command: 'docker', args: run, how: `${IMAGE} in Docker` };
  }
  throw new Error(
    `There is no Redis: no redis-server on the PATH, ${apt}, no Docker that answers. ` +
      'Install redis-server (or valkey under that name), or set REDIS_URL',
  );
}

/** @returns {Promise<string | null>} why not */
async function installWithApt() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'no root to install it with apt-get';
  if (!(await works('apt-get', '--version'))) return 'no apt-get';
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const allowService = await forbidServices();
  try {
    await execute('apt-get', ['-qq', 'update'], { env: environment });
    await execute('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', 'redis-server'], { env: environment });
    return (await works('redis-server', '--version')) ? null : 'apt-get installed something else';
  } catch (error) {
    return `apt-get failed (${String(error).trim().split('\n').at(-1)})`;
  } finally {
    await allowService();
  }
}

/** @returns takes it back */
async function forbidServices() {
  const isThere = await access(POLICY).then(
    () => true,
    () => false,
  );
  if (isThere) return async () => undefined;
  const policy = '#!/bin/sh\nexit 101\n';
  await writeFile(POLICY, policy, { mode: 0o755 });
  return async () => {
    if ((await readFile(POLICY, 'utf8').catch(() => '')) === policy) await rm(POLICY, { force: true });
  };
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
async function works(command, ...args) {
  return execute(command, args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/**
 * @param {number} port
 * @returns {Promise<void>} rejects unless Redis answers
 */
function ping(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setEncoding('utf8').setTimeout(1000, () => socket.destroy(new Error('no answer')));
    socket.once('data', (answer) => {
      socket.destroy();
      if (String(answer).startsWith('+PONG')) resolve();
      else reject(new Error(String(answer)));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}
