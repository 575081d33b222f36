import net from 'node:net';
import tls from 'node:tls';

import type { CancelSignal } from '../tools/cancellation.js';
import type { EndpointUrl } from '../domain/endpoint-url.js';
import type { AddressGuard } from './address-guard.js';
import { trustedCertificates } from './trusted-certificates.js';
import { Deadline, onAbort } from './deadline.js';
import { ExchangeFailure, failureOfConnect, failureOfTls } from './exchange-failure.js';
import { readAfterWriteError } from './read-after-write-error.js';
import type { ResolvedAddress } from './resolver.js';

/** Time for one address before the next is tried in parallel (Happy Eyeballs). */
const NEXT_ADDRESS_AFTER_MS = 1_000;

export interface ConnectedSocket {
  readonly socket: net.Socket;
  readonly remoteAddress: string;
  readonly connectMs: number;
  /** Null for plain http. */
  readonly tlsMs: number | null;
}

export interface ConnectorOptions {
  readonly guard: AddressGuard;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly ca: readonly string[];
  readonly monotonicNow: () => number;
}

/** Connects only to checked addresses, with the endpoint's name for SNI and the certificate check. */
export class GuardedConnector {
  readonly #secureContext: tls.SecureContext;

  constructor(private readonly options: ConnectorOptions) {
    const ca = trustedCertificates(options.ca);
    // Created once: parsing the certificates takes milliseconds.
    this.#secureContext = tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca && { ca }),
    });
  }

  /** @throws ExchangeFailure, the signal's reason, or a system error when the failure is ours */
  async connect(
    url: EndpointUrl,
    vetted: readonly ResolvedAddress[],
    signal: CancelSignal | undefined,
  ): Promise<ConnectedSocket> {
    const { guard, monotonicNow } = this.options;
    const startedAt = monotonicNow();
    const plain = await this.#openTcp(url, vetted, signal);
    const connectedAt = monotonicNow();
    try {
      const remoteAddress = guard.assertRemote(plain.remoteAddress, vetted);
      const socket = url.scheme === 'https' ? await this.#handshake(plain, url, signal) : plain;
      readAfterWriteError(socket);
      const tlsMs = url.scheme === 'https' ? monotonicNow() - connectedAt : null;
      return { socket, remoteAddress, connectMs: connectedAt - startedAt, tlsMs };
    } catch (error) {
      plain.destroy();
      throw error;
    }
  }

  #openTcp(
    url: EndpointUrl,
    vetted: readonly ResolvedAddress[],
    signal: CancelSignal | undefined,
  ): Promise<net.Socket> {
    const socket = net.connect({
      host: url.hostname,
      port: url.port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
      noDelay: true,
      // Not called for an IP literal, which was checked before. Never resolves a name itself.
      lookup: (_hostname, _options, callback) => callback(null, [...vetted]),
    });
    const { connectMs } = this.options;
    return settled(socket, 'connect', signal, connectMs, {
      late: () => new ExchangeFailure('connect_timeout', `connecting took over ${connectMs} ms`),
      failed: failureOfConnect,
    });
  }

  #handshake(plain: net.Socket, url: EndpointUrl, signal: CancelSignal | undefined): Promise<net.Socket> {
    const socket = tls.connect({
      socket: plain,
      host: url.hostname,
      // SNI does not allow addresses (RFC 6066, 3).
      servername: url.isIpLiteral ? '' : url.hostname,
      secureContext: this.#secureContext,
      ALPNProtocols: ['http/1.1'],
      // Set explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED cannot disable it.
      rejectUnauthorized: true,
    });
    const { tlsMs } = this.options;
    return settled(socket, 'secureConnect', signal, tlsMs, {
      late: () => new ExchangeFailure('tls_timeout', `the TLS handshake took over ${tlsMs} ms`),
      failed: failureOfTls,
    });
  }
}

interface Failures {
  late(): Error;
  /** Throws instead when the failure is ours. */
  failed(error: unknown): Error;
}

/**
 * Waits for the socket's event, an error, the deadline or the signal. In all cases but the first it destroys the
 * socket.
 */
function settled(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  signal: CancelSignal | undefined,
  ms: number,
  failures: Failures,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline();
    const fail = (error: unknown) => {
      deadline.clear();
      offAbort();
      socket.destroy();
      reject(error as Error);
    };
    const offAbort = onAbort(signal, fail);
    deadline.arm(ms, () => fail(failures.late()));
    // Never removed: an error while nobody owns the socket must not crash the process.
    socket.on('error', (error) => {
      try {
        fail(failures.failed(error));
      } catch (ours) {
        fail(ours);
      }
    });
    socket.once(event, () => {
      deadline.clear();
      offAbort();
      resolve(socket);
    });
  });
}
