// @ts-check
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { findProgram, works } from './installed-program.js';
import { freePort, serverProcess } from './server-process.js';

/** What Docker runs. 6.2 is the oldest that the module supports; this is what most have. */
const IMAGE = 'redis:7-alpine';

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
  const found = await findProgram('redis-server');
  if ('how' in found) return { ...local, how: found.how };
  if (await works('docker', 'info')) {
    // In the foreground: docker passes signals on, and --rm deletes the container at its end.
    const run = ['run', '--rm', '--publish', `127.0.0.1:${port}:6379`, IMAGE, 'redis-server'];
    return { command: 'docker', args: run, how: `${IMAGE} in Docker` };
  }
  throw new Error(
    `There is no Redis: ${found.missing}, no Docker that answers. ` +
      'Install redis-server (or valkey under that name), or set REDIS_URL',
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
