import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findPackage } from '../../../../src/data-sinks/tools/package-file.js';

describe('an optional package', () => {
  let host: string;
  const [, program = ''] = process.argv;

  beforeEach(() => {
    host = realpathSync(mkdtempSync(join(tmpdir(), 'optional-package-')));
    const folder = join(host, 'node_modules/that-one');
    mkdirSync(folder, { recursive: true });
    const manifest = { name: 'that-one', type: 'module', exports: { '.': { default: './main.js' } } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'main.js'), '');
  });
  afterEach(() => {
    process.argv[1] = program;
    rmSync(host, { recursive: true });
  });

  it('is found from the file that needs it', () => {
    const from = pathToFileURL(join(host, 'node_modules/nestjs-data-sinks/dist/file.js')).href;
    expect(findPackage('that-one', from)).toBe(pathToFileURL(join(host, 'node_modules/that-one/main.js')).href);
  });

  it('is found beside a bundle, which has no address of its own', () => {
    expect(findPackage('that-one', undefined)).toBeNull();
    process.argv[1] = join(host, 'dist/bundle.js');
    expect(findPackage('that-one', undefined)).toBe(pathToFileURL(join(host, 'node_modules/that-one/main.js')).href);
  });

  it('is null where it is not installed', () => {
    expect(findPackage('that-other', pathToFileURL(join(host, 'file.js')).href)).toBeNull();
  });
});
