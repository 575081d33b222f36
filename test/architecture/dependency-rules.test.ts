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

/** For each room, a room that it must not import. */
const ABOVE: Readonly<Record<string, string>> = {
  domain: 'ports',
  tools: 'ports',
  routes: 'api',
  ports: 'database',
  database: 'delivery',
  egress: 'payload',
  telemetry: 'delivery',
  vault: 'egress',
  payload: 'queue',
  queue: 'delivery',
  destinations: 'delivery',
  settlement: 'delivery',
  delivery: 'egress',
  sinks: 'api',
  intake: 'recovery',
  recovery: 'intake',
  upkeep: 'api',
  'api/dto': 'sinks',
  api: 'upkeep',
};

/** Per rule, trees that break it and no other rule. */
const PLANTED: Readonly<Record<string, readonly Tree[]>> = {
  ...Object.fromEntries(
    Object.entries(ABOVE).map(([room, above]) => {
      const up = room.replace(/[^/]+/g, '..');
      // The domain's and the ports' other rules would fire too for a value; a type is knowledge of another room as well.
      const step = { [`${SINKS}/${above}/step.ts`]: 'export type Something = 1;\n' };
      const name = `${room.replace('/', '-')}-imports-what-is-below-it`;
      return [name, [{ [`${SINKS}/${room}/bad.ts`]: importingType(`${up}/${above}/step.js`), ...step }]];
    }),
  ),
  'domain-is-pure': [
    { [`${SINKS}/domain/bad.ts`]: importingPackage('@nestjs/common') },
    { [`${SINKS}/domain/bad.ts`]: importingPackage('node:fs') },
  ],
  'ports-are-plain': [{ [`${SINKS}/ports/bad.ts`]: importingPackage('rxjs') }],
  'destinations-do-not-meet': [
    {
      [`${SINKS}/destinations/one/bad.ts`]: importing('../other/send.js'),
      [`${SINKS}/destinations/other/send.ts`]: file,
    },
  ],
  'destinations-by-their-port': [
    {
      [`${SINKS}/delivery/bad.ts`]: importing('../destinations/one/send.js'),
      [`${SINKS}/destinations/one/send.ts`]: file,
    },
    {
      [`${SINKS}/sinks/bad.ts`]: importing('../destinations/one/config.js'),
      [`${SINKS}/destinations/one/config.ts`]: file,
    },
  ],
  'console-knows-the-ground-alone': [
    { 'src/console/bad.ts': importing('../data-sinks/api/answer.js'), [`${SINKS}/api/answer.ts`]: file },
    { 'src/console/bad.ts': importing('../data-sinks/data-sinks.module.js'), [`${SINKS}/data-sinks.module.ts`]: file },
  ],
  'page-speaks-http': [
    { 'src/console/page/bad.ts': importing('../../data-sinks/domain/ids.js'), [`${SINKS}/domain/ids.ts`]: file },
  ],
  'page-is-not-for-servers': [{ 'src/console/bad.ts': importing('./page/main.js'), 'src/console/page/main.ts': file }],
  'typeorm-in-its-rooms': [
    { [`${SINKS}/delivery/bad.ts`]: importingPackage('typeorm') },
    { [`${SINKS}/api/bad.ts`]: importingPackage('@nestjs/typeorm') },
  ],
  'bull-only-wakes': [
    { [`${SINKS}/queue/bad.ts`]: importingPackage('bull') },
    { [`${SINKS}/database/bad.ts`]: importingPackage('@nestjs/bull') },
  ],
  'network-only-in-egress': [
    ...['undici', 'node:http', 'https', 'node:net', 'node:tls'].map((name) => ({
      [`${SINKS}/delivery/bad.ts`]: importingPackage(name),
    })),
  ],
  'module-does-not-know-its-host': [
    { [`${SINKS}/delivery/bad.ts`]: importing('../../reference-host/ids.js'), 'src/reference-host/ids.ts': file },
    { [`${SINKS}/index.ts`]: importing('../../test/support/thing.js'), 'test/support/thing.ts': file },
  ],
  'host-enters-by-the-front-door': [
    { 'src/reference-host/bad.ts': importing('../data-sinks/domain/ids.js'), [`${SINKS}/domain/ids.ts`]: file },
    { 'src/main.ts': importing('./data-sinks/data-sinks.module.js'), [`${SINKS}/data-sinks.module.ts`]: file },
  ],
  'testing-is-not-for-production': [
    { [`${SINKS}/other.ts`]: importing('./testing/ports.js'), [`${SINKS}/testing/ports.ts`]: file },
    { 'src/reference-host/bad.ts': importing('../data-sinks/testing/ports.js'), [`${SINKS}/testing/ports.ts`]: file },
  ],
  'receiver-stands-alone': [
    { 'src/receiver/bad.ts': importingPackage('@nestjs/common') },
    { 'src/receiver/bad.ts': importing('../data-sinks/domain/ids.js'), [`${SINKS}/domain/ids.ts`]: file },
  ],
  'module-does-not-need-the-receiver': [
    { [`${SINKS}/delivery/bad.ts`]: importing('../../receiver/verify.js'), 'src/receiver/verify.ts': file },
  ],
  'migrations-stand-alone': [
    {
      'migrations/1764000000000-Bad.ts': importing('../src/data-sinks/domain/ids.js'),
      [`${SINKS}/domain/ids.ts`]: file,
    },
  ],
  'published-code-declares-its-dependencies': [{ [`${SINKS}/delivery/bad.ts`]: importingPackage('pg') }],
  'imports-resolve': [{ 'src/reference-host/bad.ts': importing('./not-there.js') }],
  'no-cycles': [
    { [`${SINKS}/domain/a.ts`]: importing('./b.js') + file, [`${SINKS}/domain/b.ts`]: importing('./a.js') + file },
    {
      [`${SINKS}/domain/a.ts`]: `import type { B } from './b.js';\nexport interface A { b: B }\n`,
      [`${SINKS}/domain/b.ts`]: `import type { A } from './a.js';\nexport interface B { a: A }\n`,
    },
  ],
  'no-orphans': [{ [`${SINKS}/domain/alone.ts`]: file }],
};

/** Trees that look like a broken rule and are none. */
const ALLOWED: Readonly<Record<string, Tree>> = {
  'the rooms in their order': {
    [`${SINKS}/index.ts`]: importing('./data-sinks.module.js'),
    [`${SINKS}/data-sinks.module.ts`]:
      importing('./api/a.js', '../console/c.js', './delivery/d.js', './destinations/one/send.js') + file,
    [`${SINKS}/api/a.ts`]: importing('../delivery/d.js', '../data-sinks.options.js') + file,
    'src/console/c.ts': importing('../data-sinks/domain/d.js') + file,
    [`${SINKS}/delivery/d.ts`]: importing('../database/d.js', '../destinations/d.js') + file,
    [`${SINKS}/destinations/d.ts`]: file,
    [`${SINKS}/destinations/one/send.ts`]: importing('../../egress/e.js', '../d.js') + file,
    [`${SINKS}/database/d.ts`]: importingPackage('typeorm') + file,
    [`${SINKS}/egress/e.ts`]: importingPackage('undici') + importing('../domain/d.js') + file,
    [`${SINKS}/domain/d.ts`]: importingPackage('node:crypto') + file,
    [`${SINKS}/data-sinks.options.ts`]: file,
  },
  'a statement beside its step': {
    [`${SINKS}/delivery/d.ts`]: importing('./d.sql.js') + file,
    [`${SINKS}/delivery/d.sql.ts`]: importingPackage('typeorm') + file,
    [`${SINKS}/data-sinks.module.ts`]: importing('./delivery/d.js'),
    [`${SINKS}/index.ts`]: importing('./data-sinks.module.js'),
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
