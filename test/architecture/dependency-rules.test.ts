import { afterAll, describe, expect, it } from '@jest/globals';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Rule {
  readonly name: string;
  readonly severity: string;
}

interface Configuration {
  readonly forbidden: readonly Rule[];
  readonly options: ICruiseOptions;
}

const ROOT = resolve(import.meta.dirname, '../..');
const configuration = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as Configuration;

const SINKS = 'src/data-sinks';

/** What a file that is fine holds: something to import, and an importer, so that it is no orphan. */
const file = 'export const something = 1;\n';
const importing = (...targets: readonly string[]): string =>
  targets.map((target, i) => `export { something as from${i} } from '${target}';\n`).join('');
const importingPackage = (name: string): string => `import * as everything from '${name}';\nexport { everything };\n`;
const importingType = (target: string): string => `export type { Something } from '${target}';\n`;

type Tree = Readonly<Record<string, string>>;

/** Per rule, trees that break it and no other rule. */
const PLANTED: Readonly<Record<string, readonly Tree[]>> = {
  'core-is-pure': [
    { [`${SINKS}/core/bad.ts`]: importing('../ports/vault.js'), [`${SINKS}/ports/vault.ts`]: file },
    { [`${SINKS}/core/bad.ts`]: importingPackage('@nestjs/common') },
    { [`${SINKS}/core/bad.ts`]: importingPackage('node:fs') },
    {
      [`${SINKS}/core/bad.ts`]: importingType('../pipeline/step.js'),
      [`${SINKS}/pipeline/step.ts`]: 'export type Something = 1;\n',
    },
  ],
  'ports-know-the-core-alone': [
    { [`${SINKS}/ports/bad.ts`]: importing('../persistence/rows.js'), [`${SINKS}/persistence/rows.ts`]: file },
    { [`${SINKS}/ports/bad.ts`]: importingPackage('rxjs') },
  ],
  'adapters-do-not-meet': ['persistence', 'payload', 'vault', 'egress', 'wakeup'].map((from, i, all) => {
    const to = all[(i + 1) % all.length] ?? '';
    return { [`${SINKS}/${from}/bad.ts`]: importing(`../${to}/other.js`), [`${SINKS}/${to}/other.ts`]: file };
  }),
  'adapters-do-not-look-up': [
    { [`${SINKS}/egress/bad.ts`]: importing('../pipeline/step.js'), [`${SINKS}/pipeline/step.ts`]: file },
    { [`${SINKS}/vault/bad.ts`]: importing('../data-sinks.module.js'), [`${SINKS}/data-sinks.module.ts`]: file },
  ],
  'pipeline-does-not-look-up': [
    { [`${SINKS}/pipeline/bad.ts`]: importing('../admin/answer.js'), [`${SINKS}/admin/answer.ts`]: file },
    { [`${SINKS}/pipeline/bad.ts`]: importing('../index.js'), [`${SINKS}/index.ts`]: file },
  ],
  'faces-do-not-meet': [
    { [`${SINKS}/console/bad.ts`]: importing('../admin/answer.js'), [`${SINKS}/admin/answer.ts`]: file },
  ],
  'faces-do-not-look-up': [
    { [`${SINKS}/admin/bad.ts`]: importing('../data-sinks.module.js'), [`${SINKS}/data-sinks.module.ts`]: file },
  ],
  'page-speaks-http': [
    { [`${SINKS}/console/page/bad.ts`]: importing('../../core/ids.js'), [`${SINKS}/core/ids.ts`]: file },
  ],
  'page-is-not-for-servers': [
    { [`${SINKS}/console/bad.ts`]: importing('./page/main.js'), [`${SINKS}/console/page/main.ts`]: file },
  ],
  'typeorm-in-its-rooms': [
    { [`${SINKS}/pipeline/bad.ts`]: importingPackage('typeorm') },
    { [`${SINKS}/admin/bad.ts`]: importingPackage('@nestjs/typeorm') },
  ],
  'bull-only-wakes': [
    { [`${SINKS}/pipeline/bad.ts`]: importingPackage('bull') },
    { [`${SINKS}/persistence/bad.ts`]: importingPackage('@nestjs/bull') },
  ],
  'network-only-in-egress': [
    ...['undici', 'node:http', 'https', 'node:net', 'node:tls'].map((name) => ({
      [`${SINKS}/pipeline/bad.ts`]: importingPackage(name),
    })),
  ],
  'module-does-not-know-its-host': [
    { [`${SINKS}/pipeline/bad.ts`]: importing('../../reference-host/ids.js'), 'src/reference-host/ids.ts': file },
    { [`${SINKS}/index.ts`]: importing('../../test/support/thing.js'), 'test/support/thing.ts': file },
  ],
  'host-enters-by-the-front-door': [
    { 'src/reference-host/bad.ts': importing('../data-sinks/core/ids.js'), [`${SINKS}/core/ids.ts`]: file },
    { 'src/main.ts': importing('./data-sinks/data-sinks.module.js'), [`${SINKS}/data-sinks.module.ts`]: file },
  ],
  'testing-is-not-for-production': [
    { [`${SINKS}/pipeline/bad.ts`]: importing('../testing/ports.js'), [`${SINKS}/testing/ports.ts`]: file },
    { 'src/reference-host/bad.ts': importing('../data-sinks/testing/ports.js'), [`${SINKS}/testing/ports.ts`]: file },
  ],
  'receiver-stands-alone': [
    { 'src/receiver/bad.ts': importingPackage('@nestjs/common') },
    { 'src/receiver/bad.ts': importing('../data-sinks/core/ids.js'), [`${SINKS}/core/ids.ts`]: file },
  ],
  'module-does-not-need-the-receiver': [
    { [`${SINKS}/pipeline/bad.ts`]: importing('../../receiver/verify.js'), 'src/receiver/verify.ts': file },
  ],
  'migrations-stand-alone': [
    { 'migrations/1764000000000-Bad.ts': importing('../src/data-sinks/core/ids.js'), [`${SINKS}/core/ids.ts`]: file },
  ],
  'published-code-declares-its-dependencies': [{ [`${SINKS}/pipeline/bad.ts`]: importingPackage('pg') }],
  'imports-resolve': [{ 'src/reference-host/bad.ts': importing('./not-there.js') }],
  'no-cycles': [
    { [`${SINKS}/core/a.ts`]: importing('./b.js') + file, [`${SINKS}/core/b.ts`]: importing('./a.js') + file },
  ],
  'no-orphans': [{ [`${SINKS}/core/alone.ts`]: file }],
};

/** Trees that look like a broken rule and are none. */
const ALLOWED: Readonly<Record<string, Tree>> = {
  'a cycle of types alone': {
    [`${SINKS}/core/a.ts`]: `import type { B } from './b.js';\nexport interface A { b: B }\n`,
    [`${SINKS}/core/b.ts`]: `import type { A } from './a.js';\nexport interface B { a: A }\n`,
  },
  'the layers in their order': {
    [`${SINKS}/index.ts`]: importing('./data-sinks.module.js'),
    [`${SINKS}/data-sinks.module.ts`]: importing('./admin/a.js', './console/c.js', './pipeline/p.js') + file,
    [`${SINKS}/admin/a.ts`]: importing('../pipeline/p.js', '../data-sinks.options.js') + file,
    [`${SINKS}/console/c.ts`]: file,
    [`${SINKS}/pipeline/p.ts`]: importing('../persistence/d.js', '../egress/e.js', '../core/c.js') + file,
    [`${SINKS}/persistence/d.ts`]: importingPackage('typeorm') + file,
    [`${SINKS}/egress/e.ts`]: importingPackage('undici') + importing('../core/c.js') + file,
    [`${SINKS}/core/c.ts`]: importingPackage('node:crypto') + file,
    [`${SINKS}/data-sinks.options.ts`]: file,
  },
  'the demo with the published in-memory ports': {
    'src/reference-host/demo/demo.ts': importing('../../data-sinks/index.js', '../../data-sinks/testing/index.js'),
    [`${SINKS}/index.ts`]: file,
    [`${SINKS}/testing/index.ts`]: file,
  },
};

/** The planted import, for the test's name. */
function described(tree: Tree): string {
  const imports = Object.entries(tree).flatMap(([path, text]) =>
    [...text.matchAll(/from '(.+)'/g)].map(([, target]) => `${path} imports ${target}`),
  );
  return imports[0] ?? `${Object.keys(tree).join()} is there`;
}

async function violations(baseDir: string): Promise<{ rule: string; from: string; to: string }[]> {
  // The command line expands this; the function takes the regular expressions as they are.
  const { tsConfig: _, ...options } = configuration.options;
  const folders = ['src', 'migrations', 'test/support', 'ormconfig.ts'];
  const { output } = await cruise(folders, {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: [...configuration.forbidden] } as ICruiseOptions['ruleSet'],
  });
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

describe('the dependency rules', () => {
  const root = mkdtempSync(join(tmpdir(), 'dependency-rules-'));
  let trees = 0;

  /** Which rules a little project breaks that has these files alone, and the real one's packages. */
  async function violationsIn(tree: Tree): Promise<string[]> {
    const directory = join(root, String(trees++));
    for (const folder of ['src', 'migrations', 'test/support']) mkdirSync(join(directory, folder), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'ormconfig.ts'), "import 'node:path';\n");
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return [...new Set((await violations(directory)).map(({ rule }) => rule))];
  }

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('are all errors, and each has a bad import planted here', () => {
    expect(configuration.forbidden.filter(({ severity }) => severity !== 'error')).toEqual([]);
    expect(Object.keys(PLANTED).sort()).toEqual(configuration.forbidden.map(({ name }) => name).sort());
  });

  it.each(
    Object.entries(PLANTED).flatMap(([name, planted]) =>
      planted.map((tree) => ({ name, what: described(tree), tree })),
    ),
  )('$name fires, alone, when $what', async ({ name, tree }) => {
    expect(await violationsIn(tree)).toEqual([name]);
  });

  it.each(Object.entries(ALLOWED))('let %s be', async (_what, tree) => {
    expect(await violationsIn(tree)).toEqual([]);
  });

  it('find nothing in the real tree', async () => {
    expect(await violations(ROOT)).toEqual([]);
  });
});
