import type { ReceivedRequest } from '../../support/platform/receiver-process.js';
import { bareEnvironment, type Stranger } from './stranger.js';
import { run } from './run.js';

type Way = 'import' | 'require';

const PACKAGE = 'nestjs-data-sinks';

/** Arguments for Node that load subpaths; it prints those that have nothing in them. */
export const EVERY_SUBPATH: Readonly<Record<Way, (subpaths: readonly string[]) => readonly string[]>> = {
  import: (subpaths) => [
    '--input-type=module',
    '--eval',
    subpaths
      .map((subpath) => {
        const isJson = subpath.endsWith('.json');
        const options = isJson ? ", { with: { type: 'json' } }" : '';
        return `if (Object.keys(await import('${specifier(subpath)}'${options})).length === 0) console.log('${subpath}');`;
      })
      .join('\n'),
    '--no-warnings',
  ],
  require: (subpaths) => [
    '--input-type=commonjs',
    '--eval',
    subpaths
      .map((subpath) => `if (Object.keys(require('${specifier(subpath)}')).length === 0) console.log('${subpath}');`)
      .join('\n'),
    '--no-warnings',
  ],
};

/** Arguments for Node that import and require subpaths; it prints what is not the same both ways. */
export function onceOfEach(subpaths: readonly string[]): readonly string[] {
  const program = `
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/');
    for (const name of ${JSON.stringify(subpaths.map(specifier))}) {
      const [imported, required] = [await import(name), require(name)];
      const names = [...new Set([...Object.keys(imported), ...Object.keys(required)])];
      for (const one of names) if (imported[one] !== required[one]) console.log(name, one);
    }`;
  return ['--input-type=module', '--no-warnings', '--eval', program];
}

/** Lets the published receiver kit verify a push. @returns its proof */
export async function verifiedBy(
  { directory }: Stranger,
  way: Way,
  { body, headers }: Pick<ReceivedRequest, 'body' | 'headers'>,
  secret: string,
): Promise<unknown> {
  const kit = specifier('./receiver');
  const load = way === 'import' ? `import { verifyPush } from '${kit}';` : `const { verifyPush } = require('${kit}');`;
  const read =
    way === 'import' ? "import { readFileSync } from 'node:fs';" : "const { readFileSync } = require('node:fs');";
  const program = `${load}${read}console.log(JSON.stringify(verifyPush(JSON.parse(readFileSync(0, 'utf8')))));`;
  const type = way === 'import' ? 'module' : 'commonjs';
  const { code, output } = await run(process.execPath, [`--input-type=${type}`, '--no-warnings', '--eval', program], {
    cwd: directory,
    env: bareEnvironment(),
    input: JSON.stringify({ rawBody: body, headers, secret }),
  });
  if (code !== 0) throw new Error(output);
  return JSON.parse(output) as unknown;
}

function specifier(subpath: string): string {
  return `${PACKAGE}${subpath.slice(1)}`;
}
