import type { Socket } from 'node:net';
import type { Client } from 'undici';

import { canonicalAddress } from '../core/network-policy.js';
import type { AnswerReader } from './answer-reader.js';
import type { ResolvedAddress } from './resolver.js';

/** A socket and the HTTP client that speaks on it; one exchange at a time. */
export interface Connection {
  readonly client: Client;
  readonly socket: Socket;
  readonly answerReader: AnswerReader;
  readonly remoteAddress: string;
}

export interface IdleConnectionLimits {
  readonly perOrigin: number;
  readonly inAll: number;
}

/**
 * Connections that wait for the next exchange, by origin. They close by themselves when their time is up; the one that
 * has waited longest is closed when there are too many.
 */
export class IdleConnections {
  /** In the order in which they became idle. */
  readonly #waiting = new Map<Connection, string>();
  readonly #byOrigin = new Map<string, Connection[]>();

  constructor(private readonly limits: IdleConnectionLimits) {}

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * The youngest idle connection of the origin that leads to one of these addresses. They were vetted a moment ago, so
   * that a connection to an address that the name has left, or that is no longer allowed, is not used again.
   */
  take(origin: string, vetted: readonly ResolvedAddress[]): Connection | null {
    const idle = this.#byOrigin.get(origin);
    if (!idle) return null;
    const addresses = vetted.map(({ address }) => canonicalAddress(address));
    const connection = idle.findLast(
      ({ socket, remoteAddress }) => !socket.destroyed && addresses.includes(remoteAddress),
    );
    if (connection) this.#remove(connection);
    return connection ?? null;
  }

  put(origin: string, connection: Connection): void {
    const idle = this.#byOrigin.get(origin) ?? [];
    idle.push(connection);
    this.#byOrigin.set(origin, idle);
    this.#waiting.set(connection, origin);
    const [oldestOfOrigin] = idle;
    if (idle.length > this.limits.perOrigin && oldestOfOrigin) this.#discard(oldestOfOrigin);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > this.limits.inAll && oldest) this.#discard(oldest);
  }

  /** For a connection that closed by itself; does nothing for one that is not idle. */
  forget(connection: Connection): void {
    this.#remove(connection);
  }

  closeAll(): void {
    for (const connection of [...this.#waiting.keys()]) this.#discard(connection);
  }

  #discard(connection: Connection): void {
    this.#remove(connection);
    connection.socket.destroy();
  }

  #remove(connection: Connection): void {
    const origin = this.#waiting.get(connection);
    if (origin === undefined) return;
    this.#waiting.delete(connection);
    const idle = this.#byOrigin.get(origin) ?? [];
    const at = idle.lastIndexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    if (idle.length === 0) this.#byOrigin.delete(origin);
  }
}
