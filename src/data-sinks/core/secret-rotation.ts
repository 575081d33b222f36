import type { AuthScheme } from './data-sink.js';
import { signatureScheme } from './signing/signature-scheme.js';

/** How long, in seconds, a secret that is rotated away goes on signing unless the caller says otherwise: a day. */
export const DEFAULT_OVERLAP_SECONDS = 86_400;
/** 30 days. Longer, and two secrets are just two ways in. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400;

/**
 * The overlap of a rotation, in seconds; 0 ends the old secret at once.
 * @returns null when one was asked for that the scheme cannot have
 */
export function overlapOfRotation(scheme: AuthScheme, asked: number | undefined): number | null {
  if (signatureScheme(scheme).overlaps) return asked ?? DEFAULT_OVERLAP_SECONDS;
  return asked === undefined || asked === 0 ? 0 : null;
}
