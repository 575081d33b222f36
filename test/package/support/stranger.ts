import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runDirectory, tarball } from './packed-package.js';
import { type Finished, run } from './run.js';

const ROOT = resolve(import.meta.dirname, '../../..');
/** With an empty cache everything is fetched. */
const INSTALL_MS = 900_000;
const EVERY_HOST = {
  'class-transformer': '0.5.1',
  pg: '8.23.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
  typeorm: '1.1.1',
  '@types/node': '20.19.43',
};

/** Somebody else's backend: a directory outside this repository, with what its `package.json` names and nothing more. */
export interface StrangerRequest {
  readonly name: string;
  readonly type: 'module' | 'commonjs';
  /** Package and exact version. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Over `strict` and what Nest needs. `skipLibCheck` is off. */
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  /** Sources, from the top of this repository. */
  readonly sources: readonly string[];
  /** Files that run as they are, from the top of this repository. */
  readonly scripts?: readonly string[];
  /** Sources by name, as text. */
  readonly texts?: Readonly<Record<string, string>>;
}

export class Stranger {
  private constructor(readonly directory: string) {}

  /** Installs the packed package with npm. */
  static async install(request: StrangerRequest): Promise<Stranger> {
    const { name, type, dependencies, compilerOptions, sources, scripts = [], texts = {} } = request;
    const directory = join(runDirectory(), name);
    await mkdir(directory, { recursive: true });
    const manifest = { name, private: true, type, dependencies: { ...EVERY_HOST, ...dependencies } };
    await writeFile(join(directory, 'package.json'), JSON.stringify(manifest, null, 2));
    await Promise.all(
      [...sources, ...scripts].map((source) => cp(join(ROOT, source), join(directory, basename(source)))),
    );
    await Promise.all(Object.entries(texts).map(([file, text]) => writeFile(join(directory, file), text)));
    const files = [...sources.map((source) => basename(source)), ...Object.keys(texts)];
    await writeFile(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: strict(compilerOptions), files }),
    );

    const stranger = new Stranger(directory);
    const quickly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error'];
    const installed = await run('npm', ['install', ...quickly, tarball()], { cwd: directory, timeoutMs: INSTALL_MS });
    if (installed.code !== 0) throw new Error(`npm install in ${name} failed:\n${installed.output}`);
    return stranger;
  }

  /** Type-checks and compiles all sources. @returns what tsc has to say, a line each. It writes what has errors too */
  async compile(): Promise<readonly string[]> {
    const { code, output } = await this.node('node_modules/typescript/bin/tsc', '-p', '.', '--pretty', 'false');
    // One that was killed has said nothing, which is not that all is well.
    if (code === null) throw new Error(`tsc did not end in time in ${this.directory}: ${output}`);
    return output.split('\n').filter((line) => line !== '');
  }

  /** Runs Node in the stranger's directory. */
  node(...args: readonly string[]): Promise<Finished> {
    return run(process.execPath, args, { cwd: this.directory, env: bareEnvironment() });
  }

  has(path: string): Promise<boolean> {
    return readFile(join(this.directory, 'node_modules', path)).then(
      () => true,
      () => false,
    );
  }
}

/** Nothing of Jest's or npm's own settings: a child that inherits them is not a stranger's. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot'] as const;
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function strict(compilerOptions: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    target: 'ES2022',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    rootDir: '.',
    outDir: 'dist',
    ...compilerOptions,
  };
}
