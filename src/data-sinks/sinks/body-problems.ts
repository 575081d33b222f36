import { FORMAT_DEFAULTS, type PayloadFormat, type SinkConfig } from '../domain/data-sink.js';
import { invalid } from '../domain/invalid-request.js';
import { missingParquetPackages } from '../payload/parquet-package.js';

/** What a sink says of its bodies, beside what its type's destination judges. */
export interface SaidOfBodies {
  readonly format: PayloadFormat;
  readonly config: Pick<SinkConfig, 'compression' | 'parquetCodec'>;
}

/**
 * Judges format and configuration together.
 * @param before what is changed; null for a new sink. A format that the sink has already is not asked for again: what a host
 *   has lost must not be in the way of every other change
 * @param missing which packages are not installed, for a codec
 * @throws ProblemError `validation-failed`
 */
export function requireMakeable(
  { format, config }: SaidOfBodies,
  before: SaidOfBodies | null,
  missing = missingParquetPackages,
): void {
  if (format !== 'PARQUET') return;
  if (config.compression !== 'none') {
    const detail = 'must be none for PARQUET: the pages of a file are compressed already, as config.parquetCodec says';
    throw invalid([{ pointer: '/config/compression', detail }]);
  }
  const codec = config.parquetCodec ?? FORMAT_DEFAULTS.parquetCodec;
  const isSame = before?.format === format && (before.config.parquetCodec ?? FORMAT_DEFAULTS.parquetCodec) === codec;
  const absent = isSame ? [] : missing(codec);
  if (absent.length === 0) return;
  const detail = `cannot be ${format}${codec === 'gzip' ? ' with parquetCodec gzip' : ''} here before the platform’s operators run: npm install ${absent.join(' ')}`;
  throw invalid([{ pointer: '/format', detail }]);
}
