import { ATTEMPT_ADVICE, type ExchangeStep } from '../../domain/attempt-advice.js';
import type { CredentialMask } from '../../domain/credential-mask.js';
import { outcome } from '../../domain/attempt-outcome.js';
import type { PushExchange } from '../../egress/index.js';
import type { ProbedPush, ProbeReport, ProbeStep } from '../destination.js';
import { smallestPolicy } from './iam-policy.js';
import { probeKey } from './object-key.js';
import { outcomeOf, readAnswer } from './s3-answer.js';
import type { S3Client } from './s3-client.js';
import { type S3Config, storedConfig } from './s3-config.js';
import type { S3Roles } from './s3-roles.js';
import type { Shown } from './s3-shown.js';
import type { RoleFailure } from './sts-client.js';

/** What happens before the store looks at the request, in order; each has its own error codes. */
const STEPS: readonly (readonly [ExchangeStep, string])[] = [
  ['url', 'name'],
  ['dns', 'DNS'],
  ['address', 'address'],
  ['connect', 'connection'],
  ['tls', 'TLS'],
  ['credentials', 'keys'],
  ['region', 'region'],
  ['bucket', 'bucket'],
  ['write', 'write'],
];

/** Writes a test object, checks that the store keeps the condition of every real write, and tidies up where it may. */
export async function probe(
  client: S3Client,
  push: ProbedPush<S3Config>,
  headers: Readonly<Record<string, string>>,
  shown: Shown,
): Promise<ProbeReport> {
  const key = probeKey(push.config.prefix, push.dataSourceId);
  const assumed = push.config.roleArn ? ROLE_STEPS : [];
  const { body: bytes, sha256 } = push;
  const body = { bytes: bytes.length, whole: bytes, open: () => once(bytes) };
  const put = (more: Readonly<Record<string, string>>, freshConnection: boolean): Promise<PushExchange> =>
    client.send({ method: 'PUT', key, body, sha256, headers: { ...headers, ...more }, freshConnection });
  const report = (exchange: PushExchange, ended: ProbeReport['outcome'], steps: readonly ProbeStep[]): ProbeReport => ({
    ...{
      outcome: ended,
      timings: exchange.timings,
      answer: shown.answer(exchange),
      operatorDetail: exchange.operatorDetail,
    },
    sent: { method: 'PUT', url: client.url({ key }), headers },
    ...{ steps: [...assumed, ...steps], policy: smallestPolicy(push.config) },
  });

  const written = await put({}, true);
  const wrote = outcomeOf(written);
  if (wrote.status !== 'SUCCEEDED') return report(written, wrote, stepsTo(wrote, whatItSaid(written, shown.text)));
  const again = await put({ 'if-none-match': '*' }, false);
  const refused = outcomeOf(again);
  const removed = await client.send({ method: 'DELETE', key });
  const before = STEPS.map(([, name]) => ({ name, passed: true, detail: name === 'write' ? `wrote ${key}` : 'fine' }));
  const cleaned = cleanUpStep(removed, key);
  if (refused.errorCode === 'object_exists') {
    return report(written, wrote, [
      ...before,
      conditionStep(true, 'a second write of the same object was refused'),
      cleaned,
    ]);
  }
  const ignored = refused.status === 'SUCCEEDED';
  const ended = ignored ? outcome('HTTP_5XX', 'condition_ignored', 'FINAL', null) : refused;
  const detail = ignored ? 'the store overwrote an object though it was told not to' : whatItSaid(again, shown.text);
  return report(again, ended, [...before, conditionStep(false, detail), cleaned]);
}

/** Both are asked in each Test, however many sessions are in force. */
const ROLE_STEPS: readonly ProbeStep[] = [
  { name: 'role', passed: true, detail: 'assumed' },
  { name: 'external id', passed: true, detail: 'without it the role cannot be assumed' },
];

/** The Test of a role that gave no session. What its owner has to set up is its trust policy. */
export function roleRefused(push: ProbedPush<S3Config>, failure: RoleFailure, roles: S3Roles): ProbeReport {
  const config = storedConfig(push.config);
  const { exchange, outcome: ended } = failure;
  const [role, externalId] = ROLE_STEPS as readonly [ProbeStep, ProbeStep];
  const isOpen = ended.errorCode === 'role_without_external_id';
  return {
    ...{ outcome: ended, timings: exchange.timings, answer: exchange.answer, operatorDetail: exchange.operatorDetail },
    sent: { method: 'POST', url: roles.stsUrl(config), headers: {} },
    steps: isOpen
      ? [role, { ...externalId, passed: false, detail: 'the role can be assumed without it' }]
      : [{ ...role, passed: false, detail: exchange.answer?.excerpt || (ended.errorCode ?? '') }],
    policy: roles.trustPolicy(config),
  };
}

function conditionStep(passed: boolean, detail: string): ProbeStep {
  return { name: 'condition', passed, detail };
}

function cleanUpStep(removed: PushExchange, key: string): ProbeStep {
  const status = removed.answer?.httpStatus ?? 0;
  if (status >= 200 && status < 300) return { name: 'clean-up', passed: true, detail: `deleted ${key}` };
  return { name: 'clean-up', passed: null, detail: `${key} stays: these keys may not delete it, and need not` };
}

/** Up to the one that failed. */
function stepsTo({ errorCode }: ProbeReport['outcome'], said: string): ProbeStep[] {
  const failed = errorCode === null ? 'write' : ATTEMPT_ADVICE[errorCode].step;
  const at = STEPS.findIndex(([step]) => step === failed);
  const last = at < 0 ? STEPS.length - 1 : at;
  return STEPS.slice(0, last + 1).map(([, name], i) => ({
    name,
    passed: i < last,
    detail: i < last ? 'fine' : said,
  }));
}

function whatItSaid(exchange: PushExchange, clean: CredentialMask): string {
  const answer = readAnswer(exchange);
  if (!answer) return exchange.result.kind === 'failed' ? exchange.result.errorCode : 'no answer';
  const { httpStatus, code, message, region } = answer;
  const where = region === null ? '' : `; the bucket is in ${region}`;
  // Before it is cut, which would leave the beginning of a key.
  const said = message === null ? '' : `: ${clean(message).slice(0, 300)}`;
  return clean(`${httpStatus}${code === null ? '' : ` ${code}`}${said}${where}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
