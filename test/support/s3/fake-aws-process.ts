import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Aws } from './fake-aws.mjs';

export interface AwsState {
  /** Of the service for sessions, in order. */
  readonly asked: readonly {
    readonly role: string;
    readonly externalId: string | null;
    readonly name: string;
    readonly policy: string;
    readonly seconds: number;
    /** `session`, or the code of the error. */
    readonly result: string;
  }[];
  /** Of the store, in order. */
  readonly stored: readonly {
    readonly method: string;
    readonly url: string;
    readonly status: number;
    readonly accessKeyId: string;
  }[];
  readonly objects: readonly { readonly key: string; readonly text: string; readonly role: string }[];
  readonly sessions: readonly {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  }[];
  readonly uploads: readonly string[];
}

/** AWS, as far as a sink with a role meets it, in a child process. */
export class FakeAws {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<FakeAws> {
    const child = fork(fileURLToPath(new URL('./fake-aws.mjs', import.meta.url)), { execArgv: [] });
    const [address] = (await once(child, 'message')) as [AddressInfo];
    return new FakeAws(`http://127.0.0.1:${address.port}`, child);
  }

  /** Forgets all that was asked and stored. */
  async be(aws: Aws): Promise<void> {
    await fetch(`${this.url}/_be`, { method: 'POST', body: JSON.stringify(aws) });
  }

  /** Changes what it is, and forgets nothing. */
  async become(aws: Partial<Aws>): Promise<void> {
    await fetch(`${this.url}/_trust`, { method: 'POST', body: JSON.stringify(aws) });
  }

  /** Ends all sessions, whatever was said of their end. */
  async endSessions(): Promise<void> {
    await fetch(`${this.url}/_end`, { method: 'POST' });
  }

  async state(): Promise<AwsState> {
    return (await (await fetch(`${this.url}/_state`)).json()) as AwsState;
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}
