import type { ParquetCodec } from '../domain/data-sink.js';
import { findPackage } from '../tools/package-file.js';
import { ParquetUnavailableError } from './payload-errors.js';

/** The packages that writing Parquet takes. Optional: a host without such sinks need not have them. */
const WRITER = 'hyparquet-writer';
/** Of JavaScript, whose output is the same with every version of Node and on every processor. */
const DEFLATER = 'fflate';

/** Which of them are not installed here, for a codec. */
export function missingParquetPackages(codec: ParquetCodec): readonly string[] {
  return neededFor(codec).filter((name) => find(name) === null);
}

/**
 * Where they are, for the thread that loads them.
 * @throws ParquetUnavailableError when one of them is not installed
 */
export function parquetPackages(codec: ParquetCodec): { readonly writer: string; readonly deflater: string | null } {
  const [writer = null, deflater = null] = neededFor(codec).map(find);
  if (writer === null || (codec === 'gzip' && deflater === null)) {
    throw new ParquetUnavailableError(missingParquetPackages(codec));
  }
  return { writer, deflater };
}

function neededFor(codec: ParquetCodec): readonly string[] {
  return codec === 'gzip' ? [WRITER, DEFLATER] : [WRITER];
}

function find(name: string): string | null {
  return findPackage(name, import.meta.url);
}
