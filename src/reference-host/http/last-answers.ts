import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Under this token the host's providers are told how long what is in flight may take at shutdown, in milliseconds. */
export const SHUTDOWN_GRACE_MS = Symbol('shutdown grace');

/** What a connection that has just been accepted has to send the head of its first request. */
const FIRST_REQUEST_MS = 1_000;

/**
 * Lets the process end under load. Nest stops listening and then waits until the last connection is closed, which a
 * client that goes on asking over a kept-alive one puts off for ever. From the first moment of the shutdown each answer
 * is therefore its connection's last, connections on which nothing happens are closed, and after the grace all others
 * too. Until the worker is done new connections are still answered: a load balancer may not know yet.
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
    // Before the application, which may answer at once.
    server?.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#silent.delete(request.socket);
      if (this.#isLeaving) return makeLast(response);
      this.#unanswered.add(response);
      response.once('close', () => this.#unanswered.delete(response));
    });
  }

  /** The first of Nest's hooks at shutdown: the worker, which has the same grace, is told after it. */
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
      // Not listening any more, so that none comes after the last was closed.
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
