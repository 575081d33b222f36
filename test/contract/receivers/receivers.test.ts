import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { SignatureVector } from '../signature-vectors.js';
import { SIGNATURE_VECTORS } from '../signature-vectors.js';

/**
 * Runs the examples of docs/receiving on the shared vectors: one process per language reads a line per vector (fields
 * separated by tabs; texts in base64, `-` where a header did not come) and prints `valid` or `invalid` for each.
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

const present = RUNTIMES.filter(({ probe }) => spawnSync(probe[0] ?? '', probe.slice(1)).status === 0);
const absent = RUNTIMES.filter((runtime) => !present.includes(runtime)).map(({ language }) => language);
if (absent.length > 0) process.stdout.write(`not run, for want of their runtimes: ${absent.join(', ')}\n`);

const scratches: string[] = [];
afterAll(() => {
  for (const scratch of scratches) rmSync(scratch, { recursive: true, force: true });
});

describe('the examples in other languages on the shared vectors', () => {
  it('has at least Python to run on in CI', () => {
    const needed = process.env['CI'] === undefined ? [] : ['Python'];
    expect(present.map(({ language }) => language)).toEqual(expect.arrayContaining(needed));
  });

  it.each(present.map((runtime) => [runtime.language, runtime] as const))(
    '%s agrees with every vector',
    (_name, runtime) => {
      const scratch = mkdtempSync(join(tmpdir(), 'receivers-'));
      scratches.push(scratch);
      const output = run(runtime.command(scratch), SIGNATURE_VECTORS.map(lineOf).join(''));
      const verdicts = output.trim().split(/\r?\n/);
      expect(SIGNATURE_VECTORS.map(({ name }, i) => `${verdicts[i]}: ${name}`)).toEqual(
        SIGNATURE_VECTORS.map(({ name, valid }) => `${valid ? 'valid' : 'invalid'}: ${name}`),
      );
    },
    120_000,
  );
});

const HEADERS = [
  'X-MT-Signature',
  'X-MT-Signature-Previous',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
] as const;

function lineOf({ form, now, toleranceSeconds, secrets, bodyBase64, headers }: SignatureVector): string {
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
