import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `npm pack` says of the package. */
export interface PackedPackage {
  readonly filename: string;
  /** Of the archive, in bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** The package as `global-setup.js` packed it for this run. */
export function packedPackage(): PackedPackage {
  const [packed] = JSON.parse(readFileSync(join(runDirectory(), 'packed.json'), 'utf8')) as readonly PackedPackage[];
  if (!packed) throw new Error('npm packed nothing');
  return packed;
}

export function tarball(): string {
  return join(runDirectory(), packedPackage().filename);
}

/** Deleted at the end of the run. */
export function runDirectory(): string {
  return variable('TEST_RUN_DIR');
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need the globalSetup of their Jest project`);
  return value;
}
