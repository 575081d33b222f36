import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** `python_receiver.py` in a child process. It needs `python3`, which every machine that runs the tests has to have. */
export class PythonReceiver {
  private constructor(
    private readonly child: ChildProcessByStdio<null, Readable, null>,
    readonly url: string,
  ) {}

  /** @throws when there is no `python3` */
  static async start(secret: string): Promise<PythonReceiver> {
    const script = fileURLToPath(new URL('./python_receiver.py', import.meta.url));
    const child = spawn('python3', [script], {
      env: { ...process.env, SECRET: secret },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`python3 ended with ${String(code)}`))),
    ])) as [string];
    return new PythonReceiver(child, `http://127.0.0.1:${Number(line)}/mapping-results`);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
