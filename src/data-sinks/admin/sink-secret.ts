import type { AuthScheme } from '../core/data-sink.js';
import { generateHmacSecret } from '../core/signing/hmac-sha256-scheme.js';
import { signatureScheme } from '../core/signing/signature-scheme.js';
import { invalid } from './request-validation.pipe.js';

/** A secret that may be stored, and what to say about it. */
export interface AcceptedSecret {
  readonly value: string;
  /** Made by us: shown once, in this answer. */
  readonly generated: boolean;
  readonly warnings: readonly string[];
}

/**
 * Judges the secret that came with a sink, or makes one where the scheme allows (contract, section 3).
 * @param at where the problem of a missing secret, and that of a wrong one, is pointed to
 * @throws ProblemError `validation-failed`
 */
export function acceptSecret(
  given: string | undefined,
  config: { readonly authScheme: AuthScheme; readonly username: string | null },
  randomBytes: (size: number) => Uint8Array,
  at = { missing: '/secret', wrong: '/secret/value' },
): AcceptedSecret {
  const scheme = signatureScheme(config.authScheme);
  if (given === undefined) {
    if (config.authScheme === 'HmacSha256') {
      return { value: generateHmacSecret(randomBytes), generated: true, warnings: [] };
    }
    throw invalid([{ pointer: at.missing, detail: `is needed for ${config.authScheme}` }]);
  }
  const problem = scheme.secretProblem(given, config.username);
  if (problem !== null) throw invalid([{ pointer: at.wrong, detail: problem }]);
  const warning = scheme.secretWarning(given);
  return { value: given, generated: false, warnings: warning === null ? [] : [warning] };
}
