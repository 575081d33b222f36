import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../error-code.js';

/** Another process is using this data directory. */
export class DataDirectoryInUseError extends Error {
  readonly code = 'data_directory_in_use';
  override readonly name = 'DataDirectoryInUseError';
}

interface Holder {
  readonly pid: number;
  /** Start time of that process in kernel ticks; null where the system does not provide it. */
  readonly startedAt: string | null;
}

/**
 * Locks the data directory for this process, since two PGlite processes would corrupt it. A lock whose process is gone
 * (killed, machine restarted) is taken over. The start time distinguishes a process from a later one with the same pid,
 * which is common in containers, where every process is pid 1.
 * @returns a function that releases the lock
 * @throws {DataDirectoryInUseError}
 */
export function lockDataDirectory(directory: string, self: Holder = describeProcess(process.pid)): () => void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'lock.json');
  const mine = JSON.stringify(self);
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return () => release(path, mine);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const found = readIfThere(path);
    if (found === null) continue;
    const holder = parseHolder(found);
    if (holder && isAlive(holder)) throw inUse(directory, holder);
    setAside(path, found, directory);
  }
}

function describeProcess(pid: number): Holder {
  return { pid, startedAt: processStart(pid) };
}

/** Moves a dead process's lock away. If another process has taken it over meanwhile, puts it back. */
function setAside(path: string, expected: string, directory: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readIfThere(aside);
  const theirs = moved !== null && moved !== expected;
  if (theirs) linkSync(aside, path);
  rmSync(aside, { force: true });
  if (theirs) throw inUse(directory, parseHolder(moved));
}

function release(path: string, mine: string): void {
  if (readIfThere(path) === mine) rmSync(path, { force: true });
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it runs as another user.
    if (!hasCode(error, 'EPERM')) return false;
  }
  const startedAt = processStart(holder.pid);
  return startedAt === null || holder.startedAt === null || startedAt === holder.startedAt;
}

/** Field 22 of `/proc/<pid>/stat` on Linux. Field 2 may contain spaces and ends at the last `)`. */
function processStart(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function parseHolder(text: string): Holder | null {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0
      ? { pid, startedAt: startedAt ?? null }
      : null;
  } catch {
    // Half-written by a process that died: not locked.
    return null;
  }
}

function inUse(directory: string, holder: Holder | null): DataDirectoryInUseError {
  const who = holder ? `process ${holder.pid}` : 'another process';
  return new DataDirectoryInUseError(
    `The data directory ${directory} is in use by ${who}. Stop it, or set DATA_DIR to another directory.`,
  );
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return null;
    throw error;
  }
}
