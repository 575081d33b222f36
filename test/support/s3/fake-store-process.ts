import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from './fake-store.mjs';

export interface FakeState {
  /** What came in, in order; a status of null: done, and not answered. */
  readonly log: readonly {
    readonly method: string;
    readonly url: string;
    readonly status: number | null;
    readonly headers: Readonly<Record<string, string>>;
  }[];
  readonly objects: readonly { readonly key: string; readonly base64: string; readonly versions: number }[];
  readonly uploads: readonly string[];
}

/** A store that misbehaves, in a child process. */
export class FakeStore {
  private constructor(
    readonly endpointUrl: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<FakeStore> {
    const child = fork(fileURLToPath(new URL('./fake-store.mjs', import.meta.url)), { execArgv: [] });
    const [address] = (await once(child, 'message')) as [AddressInfo];
    return new FakeStore(`http://127.0.0.1:${address.port}`, child);
  }

  /** Forgets all that was stored. */
  async be(behaviour: Behaviour): Promise<void> {
    await fetch(`${this.endpointUrl}/_be`, { method: 'POST', body: JSON.stringify(behaviour) });
  }

  async state(): Promise<FakeState> {
    return (await (await fetch(`${this.endpointUrl}/_state`)).json()) as FakeState;
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}
