import type { AuthScheme } from './data-sink.js';
import { signatureScheme } from './signing/signature-schemes.js';

/** Default overlap of a rotation in seconds: one day. */
export const DEFAULT_OVERLAP_SECONDS = 86_400;
/** 30 days. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400;

/**
 * The overlap of a rotation in seconds; 0 ends the old secret at once.
 * @returns null when the scheme does not support the requested overlap
 */
export function overlapOfRotation(scheme: AuthScheme, asked: number | undefined): number | null {
  if (signatureScheme(scheme).overlaps) return asked ?? DEFAULT_OVERLAP_SECONDS;
  return asked === undefined || asked === 0 ? 0 : null;
}
