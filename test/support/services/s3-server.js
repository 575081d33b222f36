// @ts-check
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { works } from './installed-program.js';
import { freePort, serverProcess } from './server-process.js';

const execute = promisify(execFile);

/** Checks signatures, hashes and conditions of writes, which stores in memory do not. */
const VERSION = 'v1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const IMAGE = `versity/versitygw:${VERSION}`;
/** Of the owner of all buckets. */
const KEYS = { access: 'AKIATESTTESTTESTROOT', secret: 'root-secret-of-the-test-store' };

/**
 * A store of objects of its own: versitygw on a directory, built once by `go install` and kept outside of the repository, or
 * Docker's. Its URL has the owner's keys as user and password.
 * @param {string} directory made here
 * @returns {Promise<import('./server-process.js').Server>}
 */
export async function s3Server(directory) {
  const [buckets, versions, sidecar] = ['buckets', 'versions', 'sidecar'].map((name) => join(directory, name));
  for (const path of [buckets, versions, sidecar]) await mkdir(String(path), { recursive: true });
  const port = await freePort();
  const { command, args, how } = await program(port, directory);
  const address = command === 'docker' ? ':7070' : `127.0.0.1:${port}`;
  const at = command === 'docker' ? '/data' : directory;
  const server = serverProcess({
    command,
    args: [
      ...args,
      ...[
        '--port',
        address,
        '--access',
        KEYS.access,
        '--secret',
        KEYS.secret,
        '--quiet',
        '--keep-alive',
        '--health',
        '/health',
      ],
      // Metadata beside the files: not every file system of a test machine has extended attributes.
      ...['posix', '--sidecar', `${at}/sidecar`, '--versioning-dir', `${at}/versions`, `${at}/buckets`],
    ],
    options: { cwd: directory },
    stopSignal: 'SIGTERM',
    ask: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
    },
  });
  await server.start();
  const url = `http://${KEYS.access}:${KEYS.secret}@127.0.0.1:${port}`;
  return { ...server, url, note: `started ${how} on 127.0.0.1:${port}` };
}

/**
 * @param {number} port
 * @param {string} directory
 */
async function program(port, directory) {
  if (await works('versitygw', '--version')) return { command: 'versitygw', args: [], how: 'versitygw' };
  const built = await builtOnce();
  if ('path' in built) return { command: built.path, args: [], how: `versitygw ${VERSION}` };
  if (await works('docker', 'info')) {
    const run = ['run', '--rm', '--publish', `127.0.0.1:${port}:7070`, '--volume', `${directory}:/data`, IMAGE];
    return { command: 'docker', args: run, how: `${IMAGE} in Docker` };
  }
  throw new Error(
    `There is no store of objects: no versitygw on the PATH, ${built.missing}, no Docker that answers. ` +
      `Install Go 1.21 or newer (it is built once), or versitygw: go install ${PACKAGE}`,
  );
}

/** @returns {Promise<{ path: string } | { missing: string }>} */
async function builtOnce() {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'data-sinks-tests');
  const path = join(cache, `versitygw-${VERSION}`);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return { path };
  if (!(await works('go', 'version'))) return { missing: 'no Go to build it with' };
  // In a directory of its own, then renamed: two runs that build it at the same time do not disturb each other.
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(tmpdir(), 'data-sinks-versitygw-'));
  try {
    await execute('go', ['install', PACKAGE], { env: { ...process.env, GOBIN: made }, timeout: 1_200_000 });
    await execute('cp', [join(made, 'versitygw'), `${path}.${process.pid}`]);
    await rename(`${path}.${process.pid}`, path);
    return { path };
  } catch (error) {
    return { missing: `go install failed (${String(error).trim().split('\n').at(-1)})` };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
