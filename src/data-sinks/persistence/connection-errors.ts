import type { DataSource } from 'typeorm';

/** The part of node-postgres's pools that is used, as TypeORM's PostgreSQL driver holds them. */
interface Pool {
  on(event: 'acquire', listener: (client: Client) => void): unknown;
}

interface Client {
  on(event: 'error', listener: () => void): unknown;
}

/** Those whose connections are listened to. */
const KNOWN = new WeakSet<Pool>();

/**
 * Keeps a restart of PostgreSQL from ending the process. Between the pool that hands out a connection and TypeORM, which
 * then listens for its errors, is a moment in which nobody does; and what a server that shuts down says last comes in
 * the same packet as the answer before it, in just that moment. Node ends a process over an error without a listener.
 * Whoever has the connection is told all the same: its next statement is refused.
 */
export function outliveConnectionErrors(dataSource: DataSource): void {
  const { master, slaves = [] } = dataSource.driver as { readonly master?: Pool; readonly slaves?: readonly Pool[] };
  for (const pool of [...(master ? [master] : []), ...slaves]) {
    if (KNOWN.has(pool)) continue;
    KNOWN.add(pool);
    const heard = new WeakSet<Client>();
    pool.on('acquire', (client) => {
      if (heard.has(client)) return;
      heard.add(client);
      client.on('error', () => undefined);
    });
  }
}
