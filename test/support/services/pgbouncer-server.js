// @ts-check
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findProgram } from './installed-program.js';
import { freePort, serverProcess } from './server-process.js';

/**
 * A PgBouncer of its own in transaction mode, before a PostgreSQL: each transaction may get another of its connections.
 * @param {string} directory made here
 * @param {string} postgresUrl
 * @returns {Promise<import('./server-process.js').Server>} its URL names the same database
 */
export async function pgbouncerServer(directory, postgresUrl) {
  const found = await findProgram('pgbouncer');
  if (!('how' in found)) throw new Error(`There is no PgBouncer: ${found.missing}. Install pgbouncer`);
  const { hostname, port: postgresPort, username, password, pathname } = new URL(postgresUrl);
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const settings = join(directory, 'pgbouncer.ini');
  await writeFile(
    settings,
    [
      '[databases]',
      `* = host=${hostname} port=${postgresPort} user=${username} password=${password}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'auth_type = any',
      'pool_mode = transaction',
      'default_pool_size = 4',
      'server_round_robin = 1',
      'unix_socket_dir =',
      '',
    ].join('\n'),
    { mode: 0o644 },
  );
  // It refuses to run as root, and gives root up by itself.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const server = serverProcess({
    command: 'pgbouncer',
    args: [...user, settings],
    options: { cwd: '/' },
    stopSignal: 'SIGINT',
    ask: () => accepts(port),
  });
  await server.start();
  return { ...server, url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`, note: found.how };
}

/**
 * @param {number} port
 * @returns {Promise<void>}
 */
function accepts(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(void socket.destroy()));
    socket.once('error', reject);
  });
}
