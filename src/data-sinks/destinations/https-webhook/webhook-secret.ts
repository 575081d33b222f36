import type { AuthScheme } from '../../domain/data-sink.js';
import { generateHmacSecret } from '../../domain/signing/hmac-sha256-scheme.js';
import { signatureScheme } from '../../domain/signing/signature-schemes.js';
import { invalid } from '../../domain/invalid-request.js';
import { secretHint } from '../../domain/redact.js';
import type { AcceptedSecret } from '../destination.js';

/**
 * Judges the secret that came with a sink, or makes one where the scheme allows (contract, section 3).
 * @param pointer where its fields are in the request
 * @throws ProblemError `validation-failed`
 */
export function acceptSecret(
  given: string | undefined,
  config: { readonly authScheme: AuthScheme; readonly username: string | null },
  randomBytes: (size: number) => Uint8Array,
  pointer: '/secret' | '' = '/secret',
): AcceptedSecret {
  const scheme = signatureScheme(config.authScheme);
  if (given === undefined) {
    if (config.authScheme === 'HmacSha256') {
      const value = generateHmacSecret(randomBytes);
      return { value, hint: secretHint(value, config), generated: true, warnings: [] };
    }
    throw invalid([{ pointer: pointer === '' ? '/value' : pointer, detail: `is required for ${config.authScheme}` }]);
  }
  const problem = scheme.secretProblem(given, config.username);
  if (problem !== null) throw invalid([{ pointer: `${pointer}/value`, detail: problem }]);
  const warning = scheme.secretWarning(given);
  return {
    value: given,
    hint: secretHint(given, config),
    generated: false,
    warnings: warning === null ? [] : [warning],
  };
}
