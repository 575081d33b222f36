import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ListeningLine, ListenRecord } from '../../../src/receiver/cli/listen-record.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface CompiledKit {
  readonly command: string;
  /** What a customer imports. */
  readonly entry: string;
  remove(): void;
}

/** Compiles the kit alone into a folder of its own, from where it can import nothing but what Node has. */
export function compileKit(): CompiledKit {
  const folder = mkdtempSync(join(tmpdir(), 'receiver-kit-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const tsconfig = join(folder, 'tsconfig.json');
  writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        incremental: false,
        declaration: false,
        rootDir: join(ROOT, 'src/receiver'),
        outDir: join(folder, 'kit'),
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
      include: [join(ROOT, 'src/receiver')],
    }),
  );
  const done = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', tsconfig], {
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`the kit does not compile: ${done.stdout}${done.stderr}`);
  return {
    command: join(folder, 'kit/cli/data-sinks.js'),
    entry: join(folder, 'kit/index.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `data-sinks listen --json` as a child process. */
export class ListenProcess {
  readonly #lines: AsyncIterator<string>;
  stderr = '';

  private constructor(
    readonly child: ChildProcess,
    lines: AsyncIterator<string>,
  ) {
    this.#lines = lines;
  }

  url = '';

  static async start(command: string, args: readonly string[]): Promise<ListenProcess> {
    const child = spawn(process.execPath, [command, 'listen', '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const listening = new ListenProcess(child, lines);
    child.stderr.on('data', (chunk: Buffer) => (listening.stderr += chunk.toString('utf8')));
    if (args.includes('--json')) {
      const first = JSON.parse(await listening.line()) as ListeningLine;
      listening.url = `http://127.0.0.1:${first.listening}/results`;
    } else {
      listening.url = /http:\S+/.exec(await listening.line())?.[0] ?? '';
    }
    return listening;
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`the process ended: ${this.stderr}`);
    return next.value;
  }

  async record(): Promise<ListenRecord> {
    return JSON.parse(await this.line()) as ListenRecord;
  }

  /** @returns the exit code */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null) return Promise.resolve(this.child.exitCode);
    return new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.kill(signal);
    });
  }
}
