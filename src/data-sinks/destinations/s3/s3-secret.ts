import { invalid } from '../../domain/invalid-request.js';
import { secretHint } from '../../domain/redact.js';
import type { RuleViolation } from '../../domain/data-sink-rules.js';
import type { AcceptedSecret, Given } from '../destination.js';

/** A secret of two named values. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What the vault keeps of a sink that writes with a role: there is no secret of the customer's. */
const OF_A_ROLE = JSON.stringify({ role: true });

const PLAIN = { authScheme: 'Bearer', username: null } as const;

/** Exactly one of keys and a role. @throws ProblemError `validation-failed` */
export function acceptSecret(given: Given | undefined, hasRole: boolean, pointer: '/secret' | ''): AcceptedSecret {
  if (!hasRole) return acceptKeys(given, pointer);
  if (given === undefined && pointer === '/secret') {
    return { value: OF_A_ROLE, hint: null, generated: false, warnings: [] };
  }
  const detail =
    pointer === ''
      ? 'is not for a sink with config.roleArn, which has no secret: change the role instead'
      : 'must be left out with config.roleArn: a sink has either keys or a role';
  throw invalid([{ pointer, detail }]);
}

function acceptKeys(given: Given | undefined, pointer: '/secret' | ''): AcceptedSecret {
  if (given === undefined) {
    throw invalid([{ pointer, detail: 'is required for S3: accessKeyId and secretAccessKey, or config.roleArn' }]);
  }
  const { accessKeyId, secretAccessKey } = given as Partial<S3Keys>;
  const violations = [
    ...problems(`${pointer}/accessKeyId`, accessKeyId, 128),
    ...problems(`${pointer}/secretAccessKey`, secretAccessKey, 256),
  ];
  if (violations.length > 0 || accessKeyId === undefined || secretAccessKey === undefined) throw invalid(violations);
  const hints = Object.entries({ accessKeyId, secretAccessKey }).map(
    ([name, value]) => `${name} ${secretHint(value, PLAIN) ?? '****'}`,
  );
  return {
    value: JSON.stringify({ accessKeyId, secretAccessKey }),
    hint: hints.join(', '),
    generated: false,
    warnings: [],
  };
}

/** As it came out of the vault. */
export function readKeys(value: string): S3Keys {
  return JSON.parse(value) as S3Keys;
}

/** What a header can carry. */
function problems(pointer: string, value: unknown, maxLength: number): RuleViolation[] {
  if (value === undefined) return [{ pointer, detail: 'is required' }];
  if (typeof value === 'string' && value.length <= maxLength && /^[\x21-\x2b\x2d-\x7e]+$/.test(value)) return [];
  return [{ pointer, detail: `must be 1 to ${maxLength} visible ASCII characters without spaces and commas` }];
}
