import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Injection token of the grace period for requests in flight at shutdown, in milliseconds. */
export const SHUTDOWN_GRACE_MS = Symbol('shutdown grace');

/** Time for a newly accepted connection to send the head of its first request. */
const FIRST_REQUEST_MS = 1_000;

/**
 * Makes shutdown finish under load. Nest stops listening and waits for the last connection to close, which a busy
 * keep-alive client could delay for ever. From the start of the shutdown, every response therefore closes its
 * connection, idle connections are closed at once, and all others after the grace period. New connections are still
 * served until the worker is done, since a load balancer may not know of the shutdown yet.
 */
@Injectable()
export class LastAnswers implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #unanswered = new Set<ServerResponse>();
  readonly #silent = new Set<Socket>();
  #isLeaving = false;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(SHUTDOWN_GRACE_MS) private readonly graceMs: number,
  ) {}

  onApplicationBootstrap(): void {
    const server = this.#server();
    server?.on('connection', (socket: Socket) => {
      this.#silent.add(socket);
      socket.once('close', () => this.#silent.delete(socket));
    });
    // Before the application's handler, which may respond synchronously.
    server?.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#silent.delete(request.socket);
      if (this.#isLeaving) return makeLast(response);
      this.#unanswered.add(response);
      response.once('close', () => this.#unanswered.delete(response));
    });
  }

  /** Nest's first shutdown hook. The worker, which has the same grace period, is stopped after it. */
  onModuleDestroy(): void {
    this.#isLeaving = true;
    for (const response of this.#unanswered) makeLast(response);
    const server = this.#server();
    server?.closeIdleConnections();
    const silent = [...this.#silent];
    setTimeout(() => {
      for (const socket of silent) if (this.#silent.has(socket)) socket.destroy();
    }, FIRST_REQUEST_MS).unref();
    setTimeout(() => {
      // The server no longer listens, so no connection can arrive after this.
      server?.close();
      server?.closeAllConnections();
    }, this.graceMs).unref();
  }

  #server(): Server | undefined {
    return this.adapterHost.httpAdapter?.getHttpServer() as Server | undefined;
  }
}

function makeLast(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
