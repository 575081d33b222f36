import { execFile } from 'node:child_process';

export interface Finished {
  /** Null when a signal or the time limit ended it. */
  readonly code: number | null;
  /** Both outputs, in one. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** @default 900000: compilers take minutes where much else runs */
  readonly timeoutMs?: number;
}

/** Runs a program to its end, however it ends. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { cwd, env = process.env, input = '', timeoutMs = 900_000 } = options;
  const shell = process.platform === 'win32';
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { cwd, env, shell, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1 << 26 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: `${stdout}${stderr}` }),
    );
    child.stdin?.on('error', () => undefined).end(input);
  });
}
