import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../../support/platform/until.js';
import { bareEnvironment, type Stranger } from './stranger.js';

const STOP_LIMIT_MS = 120_000;

/** A stranger's host as a process: it prints `listening on URL`, and obeys messages. */
export class HostProcess {
  #output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  /** Starts a compiled file of the stranger's. @param execPath which Node; by default the one that runs the tests */
  static launch(
    { directory }: Stranger,
    script: string,
    environment: Readonly<Record<string, string>>,
    execArgv: readonly string[] = [],
    execPath = process.execPath,
  ): HostProcess {
    const env = { ...bareEnvironment(), PORT: '0', NO_COLOR: '1', ...environment };
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
    const options = { cwd: directory, env, execPath, execArgv: [...execArgv], stdio: [...stdio] };
    return new HostProcess(fork(`dist/${script}`, options));
  }

  /** The same, and waits until it listens. */
  static async start(
    stranger: Stranger,
    script: string,
    environment: Readonly<Record<string, string>>,
    execArgv: readonly string[] = [],
    execPath = process.execPath,
  ): Promise<HostProcess> {
    const host = HostProcess.launch(stranger, script, environment, execArgv, execPath);
    await until(() => host.#listening() ?? host.child.exitCode ?? false, `${script} listens`, 240_000);
    if (host.child.exitCode !== null) throw new Error(`${script} ended with ${host.child.exitCode}:\n${host.#output}`);
    return host;
  }

  /** Such as `http://127.0.0.1:40021`. */
  get origin(): string {
    return `http://127.0.0.1:${this.#listening() ?? ''}`;
  }

  get output(): string {
    return this.#output;
  }

  /** Finishes a job in the host, as its own code would. */
  finishJob(order: Readonly<Record<string, unknown>>): void {
    this.send(order);
  }

  /** Sends a message that the host's script understands. */
  send(message: Readonly<Record<string, unknown>>): void {
    this.child.send(message);
  }

  /** Waits until it has ended by itself. @returns its exit code */
  async ended(): Promise<number | null> {
    await until(() => this.child.exitCode !== null || this.child.signalCode !== null, 'the host ends', 240_000);
    return this.child.exitCode;
  }

  /** Asks it to stop, as an orchestrator does. @returns its exit code, or the signal that ended it */
  async stop(): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      const forced = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
      this.child.kill('SIGTERM');
      await exited;
      clearTimeout(forced);
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  #listening(): string | null {
    return /listening on \S*:(\d+)/.exec(this.#output)?.[1] ?? null;
  }
}
