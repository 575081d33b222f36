/** The part of node-postgres's client that is used. The embedded database's has no backend to name. */
export interface Backend {
  readonly host?: string;
  readonly port?: number;
  readonly processID?: number | null;
  readonly secretKey?: number | null;
}

/** node-postgres's side of the protocol, as its `Client` makes one and its own `cancel` uses it. */
interface Connection {
  connect(portOrPath: number | string, host?: string): void;
  cancel(processID: number, secretKey: number): void;
  on(event: 'connect' | 'error' | 'end', listener: () => void): void;
  readonly stream: { destroy(): void };
}

type ClientClass = new (config: { host: string; port: number; ssl: false }) => { readonly connection: Connection };

/**
 * Asks PostgreSQL to end the statement that a connection waits for, as libpq's `PQcancel` does: over a new connection that
 * says which backend it means and needs neither a login nor a place in the pool. A key goes with it that only this
 * connection was told, so no other backend is hit, and a proxy such as PgBouncer knows which one is meant.
 *
 * Best effort: what cannot be asked for, behind a proxy that takes nothing but TLS say, goes on as if it had not been.
 * @returns when PostgreSQL has heard of it, or after the limit; never throws
 */
export function cancelStatement(client: Backend, limitMs = 2_000): Promise<void> {
  const { host, port, processID, secretKey } = client;
  if (!host || !port || typeof processID !== 'number' || typeof secretKey !== 'number') return Promise.resolve();
  return new Promise((resolve) => {
    const { connection } = new (client.constructor as ClientClass)({ host, port, ssl: false });
    const limit = setTimeout(() => connection.stream.destroy(), limitMs).unref();
    connection.on('error', () => undefined);
    connection.on('connect', () => connection.cancel(processID, secretKey));
    // It is PostgreSQL that ends it, once it has passed the request on.
    connection.on('end', () => {
      clearTimeout(limit);
      resolve();
    });
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}
