// @ts-check
import pg from 'pg';

/**
 * Stops the whole server as a hung machine does: the main process, which takes new connections, and each backend, which
 * is a process of its own.
 * @param {import('../../support/services/services.js').Service} postgres
 * @returns {Promise<() => Promise<void>>} lets it go on
 */
export async function freezePostgres(postgres) {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => undefined);
  await client.connect();
  // First this one, so that no backend is added to the list.
  await postgres.signal('SIGSTOP');
  const { rows } = await client.query('SELECT pid FROM pg_stat_activity');
  const pids = rows.map(({ pid }) => Number(pid));
  for (const pid of pids) signalIfThere(pid, 'SIGSTOP');
  return async () => {
    for (const pid of pids) signalIfThere(pid, 'SIGCONT');
    await postgres.signal('SIGCONT');
    await client.end().catch(() => undefined);
  };
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalIfThere(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // One that ended meanwhile needs no stopping.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
