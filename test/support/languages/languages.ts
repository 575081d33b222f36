import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SignatureForm } from '../../../src/receiver/index.js';

/**
 * Runs the examples of docs/receiving: one process per language reads a line per push (fields separated by tabs; texts in
 * base64, `-` where a header did not come) and prints `valid` or `invalid` for each.
 */
const RUNNERS = fileURLToPath(new URL('./', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../../docs/receiving/', import.meta.url));

interface Runtime {
  readonly language: string;
  /** Says that it is there by ending with 0. */
  readonly probe: readonly string[];
  /** The command that reads vectors, after whatever has to be compiled into `scratch`. */
  command(scratch: string): readonly string[];
}

const RUNTIMES: readonly Runtime[] = [
  {
    language: 'Python',
    probe: ['python3', '--version'],
    command: () => ['python3', join(RUNNERS, 'python/run_vectors.py'), join(EXAMPLES, 'python')],
  },
  {
    language: 'Go',
    probe: ['go', 'version'],
    command(scratch) {
      copyInto(scratch, join(EXAMPLES, 'go/verify_push.go'), join(RUNNERS, 'go/main.go'));
      writeFileSync(join(scratch, 'go.mod'), 'module receivers\n\ngo 1.20\n');
      run(['go', 'build', '-o', 'receivers', '.'], '', scratch);
      return [join(scratch, 'receivers')];
    },
  },
  {
    language: 'Java',
    probe: ['javac', '-version'],
    command(scratch) {
      run(['javac', '-d', scratch, join(EXAMPLES, 'java/VerifyPush.java'), join(RUNNERS, 'java/RunVectors.java')]);
      return ['java', '-cp', scratch, 'RunVectors'];
    },
  },
  {
    language: 'PHP',
    probe: ['php', '--version'],
    command: () => ['php', join(RUNNERS, 'php/run_vectors.php'), join(EXAMPLES, 'php')],
  },
  {
    language: 'Ruby',
    probe: ['ruby', '--version'],
    command: () => ['ruby', join(RUNNERS, 'ruby/run_vectors.rb'), join(EXAMPLES, 'ruby')],
  },
  {
    language: 'C#',
    probe: ['dotnet', '--version'],
    command(scratch) {
      const sources = ['RunVectors.cs', 'receivers.csproj'].map((name) => join(RUNNERS, 'csharp', name));
      copyInto(scratch, join(EXAMPLES, 'csharp/VerifyPush.cs'), ...sources);
      run(['dotnet', 'build', '--nologo', '-o', join(scratch, 'out')], '', scratch);
      return ['dotnet', join(scratch, 'out/receivers.dll')];
    },
  },
];

/** The languages that this machine can run, and the names of the others. */
const present = RUNTIMES.filter(({ probe }) => spawnSync(probe[0] ?? '', probe.slice(1)).status === 0);
export const LANGUAGES = present.map(({ language }) => language);
export const ABSENT_LANGUAGES = RUNTIMES.map(({ language }) => language).filter((name) => !LANGUAGES.includes(name));

/** What the example in a language says of each push. */
export function verdictsOf(language: string, pushes: readonly SignedPush[]): string[] {
  const runtime = present.find((one) => one.language === language);
  if (!runtime) throw new Error(`${language} cannot be run on this machine`);
  const scratch = mkdtempSync(join(tmpdir(), 'receivers-'));
  try {
    return run(runtime.command(scratch), pushes.map(lineOf).join('')).trim().split(/\r?\n/);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a verifier is asked about. */
export interface SignedPush {
  readonly form: SignatureForm;
  /** Seconds since 1970. */
  readonly now: number;
  readonly toleranceSeconds: number;
  readonly secrets: readonly string[];
  readonly bodyBase64: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HEADERS = [
  'X-MT-Signature',
  'X-MT-Signature-Previous',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
] as const;

function lineOf({ form, now, toleranceSeconds, secrets, bodyBase64, headers }: SignedPush): string {
  const encoded = (text: string | undefined) =>
    text === undefined ? '-' : Buffer.from(text, 'utf8').toString('base64');
  const fields = [form, now, toleranceSeconds, secrets.map(encoded).join(','), bodyBase64];
  return `${[...fields, ...HEADERS.map((name) => encoded(headers[name]))].join('\t')}\n`;
}

function copyInto(folder: string, ...files: string[]): void {
  for (const file of files) copyFileSync(file, join(folder, basename(file)));
}

function run(command: readonly string[], input = '', cwd?: string): string {
  const [program = '', ...args] = command;
  const done = spawnSync(program, args, { input, cwd, encoding: 'utf8', timeout: 120_000 });
  if (done.status !== 0) throw new Error(`${command.join(' ')} failed: ${done.stderr}${String(done.error ?? '')}`);
  return done.stdout;
}
