// @ts-check
import { execFile } from 'node:child_process';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Debian asks this file before it starts the service of a package that is being installed. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Looks for a server program, and installs the package of its name from Debian or Ubuntu where it is missing.
 * @param {'redis-server' | 'pgbouncer' | 'promtool'} name
 * @param {string} [inPackage] the package that has it, where it is not called so
 * @returns {Promise<{ how: string } | { missing: string }>} where it came from, or why there is none
 */
export async function findProgram(name, inPackage = name) {
  if (await works(name, '--version')) return { how: name };
  const apt = await installWithApt(name, inPackage);
  return apt === null
    ? { how: `${name} (installed now with apt-get; its service does not run)` }
    : { missing: `no ${name} on the PATH, ${apt}` };
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function works(command, ...args) {
  return execute(command, args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/**
 * @param {string} name
 * @param {string} inPackage
 * @returns {Promise<string | null>} why not
 */
async function installWithApt(name, inPackage) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'no root to install it with apt-get';
  if (!(await works('apt-get', '--version'))) return 'no apt-get';
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const allowService = await forbidServices();
  try {
    await execute('apt-get', ['-qq', 'update'], options);
    await execute('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', inPackage], options);
    return (await works(name, '--version')) ? null : 'apt-get installed something else';
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
