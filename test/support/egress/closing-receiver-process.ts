import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Certificate } from './certificates.js';

/** A request whose first bytes have arrived. */
export interface SeenByCloser {
  readonly path: string;
  /** From 1, per path. */
  readonly number: number;
  /** Number of the connection, and of the request on it, both from 1. */
  readonly connection: number;
  readonly onConnection: number;
  /** Whether it was read completely and answered with 200. */
  readonly answered: boolean;
  readonly attempt: string | null;
  readonly deliveryId: string | null;
  readonly timestamp: string | null;
}

/** `closing-receiver.mjs` in a child process. */
export class ClosingReceiver {
  #nextId = 1;

  private constructor(
    private readonly child: ChildProcess,
    private readonly origin: string,
  ) {}

  static async start(certificate: Certificate | null = null): Promise<ClosingReceiver> {
    const script = fileURLToPath(new URL('./closing-receiver.mjs', import.meta.url));
    const child = fork(script, [JSON.stringify(certificate ? { tls: certificate } : {})], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [{ port }] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the receiver did not start'))),
    ])) as [{ readonly port: number }];
    return new ClosingReceiver(child, `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`);
  }

  url(habit: string): string {
    return `${this.origin}/${habit}`;
  }

  async state(): Promise<{ readonly seen: readonly SeenByCloser[]; readonly connections: number }> {
    const id = this.#nextId++;
    const answer = new Promise<{ seen: SeenByCloser[]; connections: number }>((resolve) => {
      const listener = (message: { id: number; seen: SeenByCloser[]; connections: number }): void => {
        if (message.id !== id) return;
        this.child.off('message', listener);
        resolve(message);
      };
      this.child.on('message', listener);
    });
    this.child.send({ id });
    return answer;
  }

  async seenAt(habit: string): Promise<readonly SeenByCloser[]> {
    return (await this.state()).seen.filter(({ path }) => path === `/${habit}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
