import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A child process of the demo, observed through its output lines. */
export interface Child {
  /** Resolves with the first past or future line that the function accepts. */
  waitFor<T>(what: string, accept: (line: string) => T | null, withinMs: number): Promise<T>;
  /** Stops it and waits for its exit. */
  stop(): Promise<void>;
}

/** Starts a script next to this one. Its standard input stays open as long as the demo lives. */
export function startChild(script: string, environment: Readonly<Record<string, string>>): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // Passes only these variables, so that the demo behaves the same in every shell.
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [path], {
    env: { PATH, HOME, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C reaches the terminal's whole process group; the demo stops its children itself, in order.
    detached: true,
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let exited = false;
  const wake = (): void => watchers.forEach((watch) => watch());
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      wake();
    });
  }
  child.once('close', () => {
    exited = true;
    wake();
  });
  return {
    waitFor: (what, accept, withinMs) =>
      new Promise((resolve, reject) => {
        let seen = 0;
        const settle = (end: () => void): void => {
          clearTimeout(deadline);
          watchers.delete(look);
          end();
        };
        const look = (): void => {
          for (; seen < lines.length; seen++) {
            const found = accept(lines[seen] ?? '');
            if (found !== null) return settle(() => resolve(found));
          }
          if (exited) settle(() => reject(new Error(`${what} ended early:\n${lines.slice(-10).join('\n')}`)));
        };
        const deadline = setTimeout(
          () => settle(() => reject(new Error(`${what}: nothing within ${withinMs / 1000} s`))),
          withinMs,
        );
        watchers.add(look);
        look();
      }),
    stop: () => stop(child),
  };
}

/** SIGTERM first; SIGKILL if the child does not exit. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('close', () => {
      clearTimeout(force);
      resolve();
    });
    child.stdin?.end();
    child.kill('SIGTERM');
  });
}
