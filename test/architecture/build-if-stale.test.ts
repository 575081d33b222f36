import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROGRAM = resolve(import.meta.dirname, '../../.ci/build-if-stale.js');
const MADE = ['dist/src/main.js', 'dist/cjs/package.json', 'dist/src/console/public/index.html'];

/** A project of the same shape, whose build counts how often it ran, and fails where there is a file `broken`. */
const STEPS = `
  const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
  const { dirname } = require('node:path');
  for (const path of ${JSON.stringify(MADE)}) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
  appendFileSync('builds', 'x');
  process.exit(existsSync('broken') ? 3 : 0);`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-sinks-stale-'));
  mkdirSync(join(folder, '.ci'));
  cpSync(PROGRAM, join(folder, '.ci/build-if-stale.js'));
  write('package.json', JSON.stringify({ type: 'module', scripts: { 'build:steps': 'node steps.cjs' } }));
  write('steps.cjs', STEPS);
  write('src/data-sinks/index.ts', 'export const one = 1;');
  write('docs/openapi.json', '{}');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** @returns how often it has been built by now */
function start(...args: readonly string[]): number {
  execFileSync(process.execPath, ['.ci/build-if-stale.js', ...args], { cwd: folder });
  return readFileSync(join(folder, 'builds'), 'utf8').length;
}

describe('before a program runs, the project', () => {
  it('is built once, and not again when nothing has changed, whatever the times of its files are', () => {
    expect(start()).toBe(1);
    expect(start()).toBe(1);
    const tomorrow = new Date(Date.now() + 86_400_000);
    utimesSync(join(folder, 'src/data-sinks/index.ts'), tomorrow, tomorrow);
    expect(start()).toBe(1);
  });

  it.each([
    ['a source is changed', () => write('src/data-sinks/index.ts', 'export const one = 2;')],
    ['a source comes', () => write('migrations/1-new.ts', '')],
    ['a source goes', () => rmSync(join(folder, 'src/data-sinks/index.ts'))],
    ['the API’s document is changed, of which the console’s types are made', () => write('docs/openapi.json', '{ }')],
    ['what was built is deleted in part', () => rmSync(join(folder, 'dist/cjs'), { recursive: true })],
  ])('is built again when %s', (_, change) => {
    expect(start()).toBe(1);
    change();
    expect(start()).toBe(2);
    expect(start()).toBe(2);
  });

  it('is built again after a build that failed, which stops the program that asked for it', () => {
    expect(start()).toBe(1);
    write('src/data-sinks/index.ts', 'export const one = 2;');
    write('broken', '');
    const failed = spawnSync(process.execPath, ['.ci/build-if-stale.js'], { cwd: folder });
    expect(failed.status).toBe(3);
    expect(existsSync(join(folder, 'dist/built-from'))).toBe(false);
    rmSync(join(folder, 'broken'));
    expect(start()).toBe(3);
  });

  it('is built whatever there is by npm run build', () => {
    expect(start()).toBe(1);
    expect(start('--always')).toBe(2);
    expect(start()).toBe(2);
  });
});
