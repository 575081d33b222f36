import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { packedPackage } from './support/packed-package.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** Everything that may be in the package. Whoever adds a kind of file adds it here, having thought about it. */
const ALLOWED: readonly RegExp[] = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|ARCHITECTURE\.md|CONTRIBUTING\.md)$/,
  /^dist\/src\/(data-sinks|console|receiver)\/([\w-]+\/)*[\w.-]+\.(js|js\.map|d\.ts|cjs|cjs\.map|d\.cts)$/,
  /^dist\/cjs\/(src\/(data-sinks|console|receiver)|migrations)\/([\w-]+\/)*[\w.-]+\.(js|d\.ts|cjs|d\.cts)$/,
  /^dist\/(cjs\/package\.json|body-thread\.cjs)$/,
  /^dist\/src\/console\/public\/(assets\/)?[\w.-]+\.(js|css|html|svg)$/,
  /^docs\/[\w-]+\.(md|svg)$/,
  /^docs\/(decisions|destinations|examples|grafana|receiving)\/([\w-]+\/)*[\w.-]+\.(md|ts|json|yml|py|go|java|php|rb|cs)$/,
  /^docs\/openapi\.json$/,
  // What documents link to: four pictures of forty, and the vectors for those who write a receiver of their own.
  /^docs\/screenshots\/[\w-]+\.png$/,
  /^test\/contract\/signature-vectors\.json$/,
  /^dist\/migrations\/\d{13}-[A-Za-z]+\.(js|js\.map|d\.ts)$/,
];

interface Entry {
  readonly types: string;
  readonly default: string;
}

interface Conditions {
  readonly import: Entry;
  readonly 'module-sync': string;
  readonly module: string;
  readonly require: Entry;
}

interface Manifest {
  readonly name: string;
  readonly main: string;
  readonly types: string;
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> };
  readonly exports: Readonly<Record<string, string | Conditions>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const packed = packedPackage();
const paths = packed.files.map(({ path }) => path);

/** Packages that a file names, those in types and in `import()` too. */
function imported(path: string): string[] {
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(
    readFileSync(join(ROOT, path), 'utf8'),
    true,
    true,
  );
  return [...importedFiles, ...typeReferenceDirectives]
    .map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
}

/** The relative ones, of Markdown and of HTML in it, without their anchors. */
function linksIn(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|(?:src|href)="([^"]+)"/g)]
    .map(([, inMarkdown, inHtml]) => (inMarkdown ?? inHtml ?? '').replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^([a-z]+:|\/\/)/i.test(link));
}

const code = paths.filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path) && !path.includes('/console/public/'));
const importers = (name: string): string[] => code.filter((path) => imported(path).includes(name));

describe('what is in the package', () => {
  it('is what strangers run, and nothing of the reference host, the tests or the tools', () => {
    expect(paths.filter((path) => !ALLOWED.some((allowed) => allowed.test(path)))).toEqual([]);
    console.log(
      `${packed.filename}: ${Math.round(packed.size / 1024)} KB packed, ${Math.round(packed.unpackedSize / 1024)} KB unpacked, ${paths.length} files`,
    );
  });

  it('has what each relative link in its documents leads to', () => {
    const documents = paths.filter((path) => path.endsWith('.md'));
    const links = documents.flatMap((document) => linksIn(document).map((link) => ({ document, link })));
    expect(links.length).toBeGreaterThan(50);
    const dead = links.filter(({ document, link }) => {
      const target = join(document, '..', link).replaceAll('\\', '/').replace(/\/$/, '');
      return !paths.some((path) => path === target || path.startsWith(`${target}/`));
    });
    expect(dead).toEqual([]);
  });

  it('imports nothing that is outside the package', () => {
    const outside = code.flatMap((path) =>
      ts
        .preProcessFile(readFileSync(join(ROOT, path), 'utf8'), true, true)
        .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => join(path, '..', fileName))
        .filter((target) => !paths.includes(target))
        .map((target) => `${path} imports ${target}`),
    );
    expect(outside).toEqual([]);
  });

  it('declares every package that it imports', () => {
    const declared = [manifest.name, ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })];
    const used = [...new Set(code.flatMap(imported))];
    expect(used.filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('asks the host for nothing that it does not use', () => {
    // Nest's packages ask for them, and a thread loads the others by the address it is told; they are no import of ours.
    const elsewhere = ['reflect-metadata', 'rxjs', 'fflate', 'hyparquet-writer'];
    const asked = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(asked.filter((name) => !elsewhere.includes(name) && importers(name).length === 0)).toEqual([]);
  });

  it('reaches what is optional from its own subpath alone', () => {
    const optional = Object.keys(manifest.peerDependenciesMeta);
    expect(optional).toEqual(['@nestjs/bull', 'aws4fetch', 'bull', 'fflate', 'hyparquet-writer']);
    const allowed =
      /^dist\/(cjs\/)?src\/data-sinks\/(bull|queue\/wakeup\/(bull\.wakeup|bull-errors)|destinations\/s3\/aws-signature)\.(js|d\.ts)$/;
    expect(optional.flatMap(importers).filter((path) => !allowed.test(path))).toEqual([]);
  });

  it('has the files that package.json points to', () => {
    const targets = [
      manifest.main,
      manifest.types,
      ...Object.values(manifest.typesVersions['*']).flat(),
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string'
          ? entry
          : Object.values(entry).flatMap((target: string | Entry) =>
              typeof target === 'string' ? target : [target.types, target.default],
            ),
      ),
      ...Object.values(manifest.bin),
    ];
    expect(targets.map((path) => path.replace(/^\.\//, '')).filter((path) => !paths.includes(path))).toEqual([]);
  });

  it('lets hosts with the older way to resolve modules find each subpath', () => {
    const subpaths = Object.entries(manifest.exports).flatMap(([name, entry]) =>
      typeof entry === 'string' || name === '.' ? [] : [[name.slice(2), [entry.require.types]]],
    );
    expect(manifest.typesVersions['*']).toEqual(Object.fromEntries(subpaths));
  });
});
