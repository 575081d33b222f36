import { createHash } from 'node:crypto';
import { BODY_FORMATS } from '../../domain/body/body-format.js';
import type { PayloadRecipe } from '../../domain/body/payload-recipe.js';

/** S3 takes keys of 1,024 bytes; the rest is for the object's name. */
export const MAX_PREFIX_BYTES = 512;
/** Of a job's id, as it is written in a key. */
const MAX_ID_BYTES = 400;

interface NamedBody {
  readonly jobId: string;
  readonly run: number;
  readonly recipe: PayloadRecipe;
}

/** The key of a delivery's object: `{prefix}job-{jobId}.{ext}` (contract, section 9). The same for every attempt. */
export function objectKey(prefix: string, { jobId, run, recipe }: NamedBody): string {
  const { format, compression, split } = recipe;
  const name = [
    `job-${idInKey(jobId)}`,
    ...(run > 1 ? [`run-${run}`] : []),
    ...(split ? [`part-${padded(split.number)}-of-${padded(split.of)}`] : []),
    BODY_FORMATS[format].extension,
    ...(compression === 'gzip' ? ['gz'] : []),
  ].join('.');
  return `${folder(prefix)}${name}`;
}

/** Of a Test's object: readers of a prefix pass by what begins with `_`. One for each sink, which a Test writes again. */
export function probeKey(prefix: string, dataSourceId: string): string {
  return `${folder(prefix)}_test-${dataSourceId}.json`;
}

/** One slash between prefix and name, however it was typed. */
export function folder(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/**
 * Says what is wrong with a prefix, or null. Names that a file system, a proxy or a person would read as another place are
 * refused; letters of any script, spaces and `=` of partitions are fine.
 */
export function prefixProblem(prefix: string): string | null {
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) return `must be at most ${MAX_PREFIX_BYTES} bytes long`;
  if (prefix === '') return null;
  if (prefix.startsWith('/')) return 'must not begin with a slash';
  const segments = folder(prefix).slice(0, -1).split('/');
  if (segments.some((it) => it === '' || it === '.' || it === '..')) {
    return 'must not have an empty part, "." or ".." between its slashes';
  }
  // Control and format characters (also those that turn the direction of writing), line separators, half characters.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/u.test(prefix)) {
    return 'must have neither control characters, nor invisible ones, nor backslashes';
  }
  return /%[0-9a-f]{2}/i.test(prefix) ? 'must be written as it is, without percent-encoding' : null;
}

/**
 * An id is the host's, in any form: what is not a letter, digit, `_` or `-` is percent-encoded, so that no id leads out of
 * the prefix and no two ids have one key.
 */
function idInKey(id: string): string {
  const plain = encodeURIComponent(id).replace(/[!'()*.~]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
  if (plain.length <= MAX_ID_BYTES) return plain;
  return `${plain.slice(0, 200)}-${createHash('sha256').update(id).digest('hex')}`;
}

function padded(number: number): string {
  return String(number).padStart(5, '0');
}
