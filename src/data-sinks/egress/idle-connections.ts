import type { Socket } from 'node:net';
import type { Client } from 'undici';

import { canonicalAddress } from '../domain/network-policy.js';
import type { AnswerReader } from './answer-reader.js';
import type { IdleLifetimes } from './idle-lifetimes.js';
import type { ResolvedAddress } from './resolver.js';

/** A socket and its HTTP client; one exchange at a time. */
export interface Connection {
  readonly client: Client;
  readonly socket: Socket;
  readonly answerReader: AnswerReader;
  readonly remoteAddress: string;
}

export interface IdleConnectionsOptions {
  readonly perOrigin: number;
  readonly inAll: number;
  readonly lifetimes: IdleLifetimes;
  readonly monotonicNow: () => number;
}

/** A reused connection and how long it was idle. */
export interface UsedConnection {
  readonly connection: Connection;
  readonly idleMs: number;
}

interface Idle {
  readonly origin: string;
  readonly since: number;
  readonly announcedMs: number | null;
  readonly timer: NodeJS.Timeout;
}

/**
 * Idle connections by origin. A connection is reused only while its receiver is expected to keep it open. It stays open
 * a little longer to learn when the receiver closes it. Above the limit, the one idle for longest is closed.
 */
export class IdleConnections {
  /** In the order in which they became idle. */
  readonly #waiting = new Map<Connection, Idle>();
  readonly #byOrigin = new Map<string, Connection[]>();

  constructor(private readonly options: IdleConnectionsOptions) {}

  get size(): number {
    return this.#waiting.size;
  }

  has(origin: string): boolean {
    return this.#byOrigin.has(origin);
  }

  /**
   * Returns the most recently used idle connection of the origin to one of these addresses. The addresses have just
   * been checked, so a connection to an address that the name no longer has, or that is no longer allowed, is not
   * reused.
   */
  take(origin: string, vetted: readonly ResolvedAddress[]): UsedConnection | null {
    const idle = this.#byOrigin.get(origin);
    if (!idle) return null;
    const addresses = vetted.map(({ address }) => canonicalAddress(address));
    const connection = idle.findLast((one) => addresses.includes(one.remoteAddress) && this.#isUsable(one));
    if (!connection) return null;
    const idleMs = this.#idleMs(connection);
    this.#remove(connection);
    return { connection, idleMs };
  }

  /** @param announcedMs idle timeout announced by the receiver; null when it announced none */
  put(origin: string, connection: Connection, announcedMs: number | null): void {
    const { perOrigin, inAll, lifetimes, monotonicNow } = this.options;
    const { socket } = connection;
    const idle = this.#byOrigin.get(origin) ?? [];
    // Keep one expired connection to learn when the receiver closes it, but not several.
    const isOfUse = lifetimes.usableMs(origin, announcedMs) > 0 || (announcedMs === null && idle.length === 0);
    if (!isOpen(socket) || !isOfUse) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => this.#outlived(connection), lifetimes.keepAliveMs).unref();
    idle.push(connection);
    this.#byOrigin.set(origin, idle);
    this.#waiting.set(connection, { origin, since: monotonicNow(), announcedMs, timer });
    const [oldestOfOrigin] = idle;
    if (idle.length > perOrigin && oldestOfOrigin) this.#discard(oldestOfOrigin);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > inAll && oldest) this.#discard(oldest);
  }

  /** Called when a connection has closed. If it was idle, its receiver closed it; otherwise nothing is learned. */
  closed(connection: Connection): void {
    const idle = this.#waiting.get(connection);
    if (!idle) return;
    this.options.lifetimes.closedAfter(idle.origin, this.#idleMs(connection));
    this.#remove(connection);
  }

  closeAll(): void {
    for (const connection of [...this.#waiting.keys()]) this.#discard(connection);
  }

  #isUsable(connection: Connection): boolean {
    const idle = this.#waiting.get(connection);
    if (!idle || !isOpen(connection.socket)) return false;
    return this.#idleMs(connection) < this.options.lifetimes.usableMs(idle.origin, idle.announcedMs);
  }

  #idleMs(connection: Connection): number {
    return this.options.monotonicNow() - (this.#waiting.get(connection)?.since ?? 0);
  }

  #outlived(connection: Connection): void {
    const idle = this.#waiting.get(connection);
    if (idle) this.options.lifetimes.outlived(idle.origin);
    this.#discard(connection);
  }

  #discard(connection: Connection): void {
    this.#remove(connection);
    connection.socket.destroy();
  }

  #remove(connection: Connection): void {
    const idle = this.#waiting.get(connection);
    if (!idle) return;
    clearTimeout(idle.timer);
    this.#waiting.delete(connection);
    const others = this.#byOrigin.get(idle.origin) ?? [];
    const at = others.lastIndexOf(connection);
    if (at >= 0) others.splice(at, 1);
    if (others.length === 0) this.#byOrigin.delete(idle.origin);
  }
}

/** Whether neither side has ended it, not even half of it. */
function isOpen(socket: Socket): boolean {
  return !socket.destroyed && !socket.readableEnded && socket.writable;
}
