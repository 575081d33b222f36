import type { Socket } from 'node:net';
import { setImmediate as loopTurn } from 'node:timers/promises';
import { Client } from 'undici';

import type { CancelSignal } from '../tools/cancellation.js';
import type { EndpointUrl } from '../domain/endpoint-url.js';
import { AnswerReader, maxAnswerBytes } from './answer-reader.js';
import type { GuardedConnector } from './guarded-connector.js';
import { type Connection, IdleConnections, type UsedConnection } from './idle-connections.js';
import { announcedIdleMs, IdleLifetimes } from './idle-lifetimes.js';
import type { ResolvedPushOptions } from './push-defaults.js';
import type { ResolvedAddress } from './resolver.js';

/** A connection for one exchange. */
export interface Acquired {
  readonly connection: Connection;
  /** Idle time since the last exchange in milliseconds; null for a new connection. */
  readonly idleMs: number | null;
  /** Null for a reused connection. */
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
}

type PoolOptions = Pick<
  ResolvedPushOptions,
  'caps' | 'connectionsPerOrigin' | 'connectionsInAll' | 'keepAliveMs' | 'monotonicNow'
>;

/** Connections to checked addresses: opens new ones and reuses idle ones as long as their receivers keep them open. */
export class ConnectionPool {
  readonly #lifetimes: IdleLifetimes;
  readonly #idle: IdleConnections;
  #closed = false;

  constructor(
    private readonly connector: GuardedConnector,
    private readonly options: PoolOptions,
  ) {
    const { connectionsPerOrigin: perOrigin, connectionsInAll: inAll, keepAliveMs, monotonicNow } = options;
    this.#lifetimes = new IdleLifetimes(keepAliveMs);
    this.#idle = new IdleConnections({ perOrigin, inAll, lifetimes: this.#lifetimes, monotonicNow });
  }

  /**
   * @param vetted addresses of its name that have just been checked
   * @param fresh whether to open a new connection
   * @throws as `GuardedConnector.connect`
   */
  async acquire(
    url: EndpointUrl,
    vetted: readonly ResolvedAddress[],
    fresh: boolean,
    signal: CancelSignal | undefined,
  ): Promise<Acquired> {
    const used = fresh ? null : await this.#takeOpen(url.origin, vetted);
    if (used) return { ...used, connectMs: null, tlsMs: null };
    signal?.throwIfAborted();
    const { socket, remoteAddress, connectMs, tlsMs } = await this.connector.connect(url, vetted, signal);
    const { caps, keepAliveMs } = this.options;
    const client = clientOn(socket, url.origin, caps.answerHeaderBytes, keepAliveMs);
    const answerReader = new AnswerReader(socket, maxAnswerBytes(caps));
    const connection = { client, socket, remoteAddress, answerReader };
    socket.once('close', () => this.#idle.closed(connection));
    return { connection, idleMs: null, connectMs, tlsMs };
  }

  /** Takes a connection back after a complete response. @param headers of the response */
  release(origin: string, connection: Connection, headers: Parameters<typeof announcedIdleMs>[0]): void {
    if (this.#closed) connection.socket.destroy();
    else this.#idle.put(origin, connection, announcedIdleMs(headers));
  }

  /** Records that the receiver had closed a connection that was idle for this long. */
  wasClosed(origin: string, idleMs: number): void {
    this.#lifetimes.closedAfter(origin, idleMs);
  }

  /** Closes idle connections; connections released later are closed, too. */
  close(): void {
    this.#closed = true;
    this.#idle.closeAll();
  }

  /**
   * Checks sockets before use. If the peer's close has arrived but has not been read, Node reads it within two turns of
   * the event loop: one turn here, the second in undici before it writes.
   */
  async #takeOpen(origin: string, vetted: readonly ResolvedAddress[]): Promise<UsedConnection | null> {
    if (!this.#idle.has(origin)) return null;
    await loopTurn();
    return this.#idle.take(origin, vetted);
  }
}

/** undici speaks HTTP on a socket that we connected, so it never opens a connection to an unchecked address. */
function clientOn(socket: Socket, origin: string, maxHeaderSize: number, keepAliveMs: number): Client {
  // Only we close idle connections; a closed one was therefore closed by the receiver.
  const neverFirst = 2 * keepAliveMs + 1_000;
  return new Client(origin, {
    connect: (_options, callback) => {
      // Deferred: undici calls this from inside its loop and would not look again after a synchronous callback.
      queueMicrotask(() => {
        if (!socket.destroyed) callback(null, socket);
        else callback(Object.assign(new Error('the connection is closed'), { code: 'ECONNRESET' }), null);
      });
    },
    pipelining: 1,
    allowH2: false,
    maxHeaderSize,
    // Our deadlines start with each phase; undici's would kill uploads under back-pressure.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: neverFirst,
    keepAliveMaxTimeout: neverFirst,
    keepAliveTimeoutThreshold: 0,
  });
}
