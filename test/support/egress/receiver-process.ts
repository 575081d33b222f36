import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ReceiverOptions {
  readonly host?: string;
  readonly port?: number;
  readonly ipv6Only?: boolean;
  /** Says no HTTP but this to the first bytes. */
  readonly greeting?: string;
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    readonly minVersion?: string;
    readonly maxVersion?: string;
    readonly ciphers?: string;
  };
}

export interface SeenRequest {
  readonly path: string;
  readonly head: string;
  readonly bodyBytes: number;
  /** Null when the body was incomplete. */
  readonly sha256: string | null;
}

export interface ReceiverState {
  readonly seen: readonly SeenRequest[];
  /** Connections so far, with or without a request. */
  readonly connections: number;
  readonly open: number;
}

/** `receiver.mjs` in a child process. */
export class ReceiverProcess {
  #nextId = 1;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(options: ReceiverOptions = {}): Promise<ReceiverProcess> {
    const script = fileURLToPath(new URL('./receiver.mjs', import.meta.url));
    const child = fork(script, [JSON.stringify(options)], {
      execArgv: ['--tls-min-v1.0'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the receiver did not start'))),
    ])) as [{ port: number }];
    return new ReceiverProcess(child, message.port);
  }

  url(path: string, host = '127.0.0.1', scheme = 'http'): string {
    return `${scheme}://${host}:${this.port}${path}`;
  }

  async state(): Promise<ReceiverState> {
    const id = this.#nextId++;
    const answer = new Promise<ReceiverState>((resolve) => {
      const listener = (message: ReceiverState & { id: number }) => {
        if (message.id !== id) return;
        this.child.off('message', listener);
        resolve(message);
      };
      this.child.on('message', listener);
    });
    this.child.send({ id });
    return answer;
  }

  /** Waits until the receiver reaches a state. */
  async until(wanted: (state: ReceiverState) => boolean, deadlineMs = 5_000): Promise<ReceiverState> {
    const endsAt = Date.now() + deadlineMs;
    for (;;) {
      const state = await this.state();
      if (wanted(state)) return state;
      if (Date.now() > endsAt)
        throw new Error(`the receiver did not get there: ${JSON.stringify(state).slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
