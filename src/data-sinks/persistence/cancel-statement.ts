import { connect } from 'node:net';

/** What node-postgres knows of a connection's other end. The embedded database has no such thing. */
export interface Backend {
  readonly host?: string;
  readonly port?: number;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
}

/** PostgreSQL's protocol: what stands in place of a version, in a connection that only cancels. */
const CANCEL_REQUEST = 80_877_102;

/**
 * Asks PostgreSQL to end the statement that a connection waits for, as libpq's `PQcancel` does: over a new connection that
 * says which backend it means and needs neither a login nor a place in the pool. A key goes with it that only this
 * connection was told, so no other backend is hit, and a proxy such as PgBouncer knows which one is meant.
 *
 * Best effort: what cannot be asked for, behind a proxy that takes nothing but TLS say, goes on as if it had not been.
 * @returns when PostgreSQL has heard of it, or after the limit; never throws
 */
export function cancelStatement({ host, port, processID, secretKey }: Backend, limitMs = 2_000): Promise<void> {
  if (!host || !port || typeof processID !== 'number' || typeof secretKey !== 'number') return Promise.resolve();
  const request = Buffer.alloc(16);
  [request.length, CANCEL_REQUEST, processID, secretKey].forEach((value, i) => request.writeInt32BE(value, i * 4));
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const limit = setTimeout(() => socket.destroy(), limitMs).unref();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(limit);
      resolve();
    });
    // Not ended from here: it is PostgreSQL that ends it, once it has passed the request on.
    socket.resume().write(request);
  });
}
