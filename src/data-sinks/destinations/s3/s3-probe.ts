import { ATTEMPT_ADVICE, type ExchangeStep } from '../../domain/attempt-advice.js';
import { outcome } from '../../domain/attempt-outcome.js';
import type { PushExchange } from '../../egress/index.js';
import type { ProbedPush, ProbeReport, ProbeStep } from '../destination.js';
import { folder } from './object-key.js';
import { outcomeOf, readAnswer } from './s3-answer.js';
import type { S3Client } from './s3-client.js';
import type { S3Config } from './s3-config.js';

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

/** Readers of a prefix pass by what begins with `_`. One object for each sink, which a Test writes again. */
export function probeKey({ config, dataSourceId }: ProbedPush<S3Config>): string {
  return `${folder(config.prefix)}_test-${dataSourceId}.json`;
}

type Shown = (exchange: PushExchange) => ProbeReport['answer'];

/** Writes a test object, checks that the store keeps the condition of every real write, and tidies up where it may. */
export async function probe(
  client: S3Client,
  push: ProbedPush<S3Config>,
  headers: Readonly<Record<string, string>>,
  shown: Shown,
): Promise<ProbeReport> {
  const key = probeKey(push);
  const { body: bytes, sha256 } = push;
  const body = { bytes: bytes.length, whole: bytes, open: () => once(bytes) };
  const put = (more: Readonly<Record<string, string>>, freshConnection: boolean): Promise<PushExchange> =>
    client.send({ method: 'PUT', key, body, sha256, headers: { ...headers, ...more }, freshConnection });
  const report = (exchange: PushExchange, ended: ProbeReport['outcome'], steps: readonly ProbeStep[]): ProbeReport => ({
    ...{ outcome: ended, timings: exchange.timings, answer: shown(exchange), operatorDetail: exchange.operatorDetail },
    sent: { method: 'PUT', url: client.url({ key }), headers },
    ...{ steps, policy: smallestPolicy(push.config) },
  });

  const written = await put({}, true);
  const wrote = outcomeOf(written);
  if (wrote.status !== 'SUCCEEDED') return report(written, wrote, stepsTo(written, wrote));
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
  const detail = ignored ? 'the store overwrote an object though it was told not to' : whatItSaid(again);
  return report(again, ended, [...before, conditionStep(false, detail), cleaned]);
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
function stepsTo(exchange: PushExchange, { errorCode }: ProbeReport['outcome']): ProbeStep[] {
  const failed = errorCode === null ? 'write' : ATTEMPT_ADVICE[errorCode].step;
  const at = STEPS.findIndex(([step]) => step === failed);
  const last = at < 0 ? STEPS.length - 1 : at;
  return STEPS.slice(0, last + 1).map(([, name], i) => ({
    name,
    passed: i < last,
    detail: i < last ? 'fine' : whatItSaid(exchange),
  }));
}

function whatItSaid(exchange: PushExchange): string {
  const answer = readAnswer(exchange);
  if (!answer) return exchange.result.kind === 'failed' ? exchange.result.errorCode : 'no answer';
  const { httpStatus, code, message, region } = answer;
  const where = region === null ? '' : `; the bucket is in ${region}`;
  return `${httpStatus}${code === null ? '' : ` ${code}`}${message === null ? '' : `: ${message.slice(0, 300)}`}${where}`;
}

/** All that a sink needs: to write below its prefix and nothing else. Encryption with a key of KMS's needs that too. */
export function smallestPolicy({ bucket, prefix, region, kmsKeyId }: S3Config): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const objects = `arn:${partition}:s3:::${bucket}/${prefix === '' ? '' : folder(prefix)}*`;
  const statements = [
    { Effect: 'Allow', Action: 's3:PutObject', Resource: objects },
    ...(kmsKeyId?.startsWith('arn:')
      ? [{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: kmsKeyId }]
      : []),
  ];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
