import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

/** What a receiver does with a request after reading it. */
export type ReceiverStep =
  | {
      readonly kind: 'answer' | 'hold';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly delayMs?: number;
    }
  | { readonly kind: 'hang' | 'reset' | 'close' | 'garbage' | 'slow-headers' }
  | { readonly kind: 'flood'; readonly bytes: number };

/** A request as the receiver saw it. */
export interface ReceivedRequest {
  readonly path: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly bytes: number;
  readonly sha256: string;
  /** The results it counted; null when the body is not a payload. */
  readonly rows: number | null;
  /** Null when it is larger than 100 KB. */
  readonly body: string | null;
  /** Null when the endpoint has no secret. */
  readonly signatureIsValid: boolean | null;
  readonly receivedAtMs: number;
}

type Message = { readonly port: number } | { readonly done: number } | { readonly request: ReceivedRequest };

/** `receiver.mjs` in a child process: any number of endpoints, each with its path and script. */
export class Receiver {
  readonly #requests: ReceivedRequest[] = [];
  readonly #done = new Set<number>();
  #orders = 0;
  #paths = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    child.on('message', (message: Message) => {
      if ('request' in message) this.#requests.push(message.request);
      else if ('done' in message) this.#done.add(message.done);
    });
  }

  static async start(): Promise<Receiver> {
    const script = fileURLToPath(new URL('./receiver.mjs', import.meta.url));
    const child = fork(script, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [message] = (await once(child, 'message')) as [{ readonly port: number }];
    return new Receiver(child, message.port);
  }

  /** A new endpoint. Without steps it answers 200 to everything. */
  async endpoint(
    steps: readonly ReceiverStep[] = [{ kind: 'answer' }],
    secret: string | null = null,
  ): Promise<Endpoint> {
    const endpoint = new Endpoint(this, `/results/${(this.#paths += 1)}`);
    await endpoint.does(steps, secret);
    return endpoint;
  }

  requestsTo(path: string): readonly ReceivedRequest[] {
    return this.#requests.filter((request) => request.path === path);
  }

  async order(order: Readonly<Record<string, unknown>>): Promise<void> {
    const id = (this.#orders += 1);
    this.child.send({ ...order, id });
    await until(() => this.#done.has(id), 'the receiver obeys');
  }

  /** Closes its idle connections, so that the next request uses a new one. */
  dropIdle(): Promise<void> {
    return this.order({ op: 'drop-idle' });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

/** One URL of a receiver. */
export class Endpoint {
  readonly url: string;

  constructor(
    private readonly receiver: Receiver,
    readonly path: string,
  ) {
    this.url = `http://127.0.0.1:${receiver.port}${path}`;
  }

  get requests(): readonly ReceivedRequest[] {
    return this.receiver.requestsTo(this.path);
  }

  /** Sets a new script, which starts with the next request. */
  does(steps: readonly ReceiverStep[], secret: string | null = null): Promise<void> {
    return this.receiver.order({ op: 'script', path: this.path, part: null, secret, steps });
  }

  /** Sets a script for one part of jobs, e.g. `2/3`. */
  doesWithPart(part: string, steps: readonly ReceiverStep[]): Promise<void> {
    return this.receiver.order({ op: 'script', path: this.path, part, secret: null, steps });
  }

  /** Sets a script for the ping that is sent when a sink is saved; without one it is answered and not shown. */
  doesWithPing(steps: readonly ReceiverStep[]): Promise<void> {
    return this.receiver.order({ op: 'script', path: this.path, part: 'OPTIONS', secret: null, steps });
  }

  /** The part of the job in each request, in order of arrival. */
  partsReceived(): readonly (string | undefined)[] {
    return this.requests.map(({ headers }) => headers['x-mt-part']);
  }

  /** Releases held responses. */
  release(): Promise<void> {
    return this.receiver.order({ op: 'release', path: this.path });
  }

  /** Waits for this many requests in total. */
  async received(count: number): Promise<readonly ReceivedRequest[]> {
    await until(() => this.requests.length >= count, `${this.path} receives ${count} requests`);
    return this.requests;
  }

  /** Waits for the first request. */
  async first(): Promise<ReceivedRequest> {
    const [request] = await this.received(1);
    if (!request) throw new Error('unreachable');
    return request;
  }
}
