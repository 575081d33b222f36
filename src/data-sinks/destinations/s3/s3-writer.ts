import { createHash } from 'node:crypto';
import { type AttemptOutcome, outcome } from '../../domain/attempt-outcome.js';
import type { AttemptTimings, ManifestEntry, ObjectStatus } from '../../domain/attempt.js';
import type { PushBody, PushExchange } from '../../egress/index.js';
import { failpoint } from '../../tools/failpoint.js';
import { within } from '../../tools/within.js';
import type { AttemptUnderway, SendReport } from '../destination.js';
import { element, outcomeOf } from './s3-answer.js';
import type { S3Client } from './s3-client.js';
import type { RoleFailure } from './sts-client.js';
import { abortUpload, completionOf, partSize, partsOf } from './s3-upload.js';

/** Larger bodies go in parts. */
export const MAX_SINGLE_PUT_BYTES = 64 * 1024 * 1024;

/** An object to be written once. */
export interface S3Object {
  readonly key: string;
  readonly body: PushBody;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Type, metadata, encryption, storage class. */
  readonly headers: Readonly<Record<string, string>>;
  /** A larger body goes in parts. */
  readonly maxSinglePutBytes: number;
}

/** A process that stops does not wait longer for an upload to be ended. */
const QUICK_END_MS = 2_000;

/** Another writer wins, or nobody: never both. */
const ONLY_IF_NEW = { 'if-none-match': '*' } as const;

type Ends = Pick<AttemptOutcome, 'status' | 'errorCode' | 'verdict'>;

/**
 * Writes one object, and never a second one: every write is under the condition that there is none of this key. What is
 * found there instead is compared, where that is allowed.
 */
export class S3Writer {
  readonly #exchanges: PushExchange[] = [];

  constructor(
    private readonly client: S3Client,
    private readonly object: S3Object,
    private readonly attempt: AttemptUnderway,
    private readonly shown: (exchange: PushExchange) => SendReport['answer'],
    private readonly place: { readonly endpointUrl: string | null; readonly region: string; readonly bucket: string },
  ) {}

  write(): Promise<SendReport> {
    const { body, maxSinglePutBytes } = this.object;
    return body.bytes <= maxSinglePutBytes ? this.#put() : this.#upload();
  }

  async #put(): Promise<SendReport> {
    const { key, body, sha256, headers } = this.object;
    const exchange = await this.#send({ method: 'PUT', key, body, sha256, headers: { ...headers, ...ONLY_IF_NEW } });
    failpoint('s3-put-sent');
    return this.#committed(exchange);
  }

  async #upload(): Promise<SendReport> {
    const { key, headers, body } = this.object;
    // Before there is an upload: a process that dies before it has heard the id leaves the key to look for it by.
    await this.attempt.leaves({ ...this.place, key, uploadId: null });
    const begun = await this.#send({ method: 'POST', key, query: { uploads: '' }, headers });
    const uploadId = begun.answer && element(begun.answer.excerpt, 'UploadId');
    const began = outcomeOf(begun);
    if (began.status !== 'SUCCEEDED') {
      // Of one whose answer was lost there may be an upload, which upkeep looks for.
      if (begun.answer) await this.attempt.leavesNothing();
      return this.#report(begun, began, 'not_written');
    }
    if (!uploadId)
      return this.#report(begun, outcome('NETWORK_ERROR', 'invalid_http_response', 'RETRY', null), 'not_written');
    try {
      await this.attempt.leaves({ ...this.place, key, uploadId });
      failpoint('s3-upload-on-record');
      const etags: string[] = [];
      for await (const part of partsOf(body, partSize(body.bytes))) {
        const sent = await this.#part(part, uploadId, etags.length + 1);
        const took = outcomeOf(sent);
        if (took.status !== 'SUCCEEDED') return await this.#givenUp(uploadId, sent, took);
        etags.push(headerOf(sent, 'etag') ?? '');
        failpoint('s3-part-sent');
      }
      failpoint('s3-all-sent');
      const report = await this.#complete(uploadId, etags);
      failpoint('s3-completed');
      return report;
    } catch (error) {
      // What cannot be ended now, upkeep ends: it is on the attempt's row, unless writing it there is what failed.
      await within(this.#end(uploadId), QUICK_END_MS, 'the store').catch(() => undefined);
      throw error;
    }
  }

  #part(part: Buffer, uploadId: string, number: number): Promise<PushExchange> {
    return this.#send({
      method: 'PUT',
      key: this.object.key,
      query: { partNumber: String(number), uploadId },
      body: { bytes: part.length, whole: part, open: () => once(part) },
      sha256: createHash('sha256').update(part).digest('hex'),
      awaitsEarlyAnswer: false,
    });
  }

  async #complete(uploadId: string, etags: readonly string[]): Promise<SendReport> {
    const body = completionOf(etags);
    const completed = await this.#send({
      method: 'POST',
      key: this.object.key,
      query: { uploadId },
      headers: { 'content-type': 'application/xml', ...ONLY_IF_NEW },
      body: { bytes: body.length, whole: body, open: () => once(body) },
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    const report = await this.#committed(completed);
    if (report.manifest?.[0]?.status === 'written') await this.attempt.leavesNothing();
    else await this.#end(uploadId);
    return report;
  }

  async #givenUp(uploadId: string, exchange: PushExchange, why: AttemptOutcome): Promise<SendReport> {
    await this.#end(uploadId);
    return this.#report(exchange, why, 'not_written');
  }

  /** Aborts what was begun, so that nobody pays for parts that nobody sees. */
  async #end(uploadId: string): Promise<void> {
    if (await abortUpload(this.client, this.object.key, uploadId)) await this.attempt.leavesNothing();
  }

  /** What became of the request that makes the object visible. */
  async #committed(exchange: PushExchange): Promise<SendReport> {
    const ended = outcomeOf(exchange);
    if (ended.status === 'SUCCEEDED') return this.#report(exchange, ended, 'written');
    if (ended.errorCode === 'object_exists') return this.#compared(exchange);
    return this.#report(exchange, ended, answerIsLost(exchange) ? 'sent' : 'not_written');
  }

  /** Something is there already: ours, of an attempt whose answer was lost, or somebody else's. */
  async #compared(refused: PushExchange): Promise<SendReport> {
    const { key, body, sha256 } = this.object;
    const found = await this.#send({ method: 'HEAD', key });
    const status = found.answer?.httpStatus;
    if (status === 200) {
      const same =
        headerOf(found, 'x-amz-meta-sha256') === sha256 && headerOf(found, 'content-length') === String(body.bytes);
      return same
        ? this.#report(found, DELIVERED, 'already_there')
        : this.#report(refused, { status: 'HTTP_4XX', errorCode: 'object_differs', verdict: 'FINAL' }, 'not_written');
    }
    // Moved away since: the next attempt writes it.
    if (status === 404) {
      return this.#report(
        refused,
        { status: 'HTTP_4XX', errorCode: 'bucket_conflict', verdict: 'RETRY' },
        'not_written',
      );
    }
    if (status !== 403) return this.#report(found, outcomeOf(found), 'not_written');
    const earlier = await this.attempt.earlierObjects();
    return earlier.some((it) => it.key === key && it.sha256 === sha256 && it.status === 'sent')
      ? this.#report(refused, DELIVERED, 'already_there_uncompared')
      : this.#report(refused, { status: 'HTTP_4XX', errorCode: 'object_exists', verdict: 'FINAL' }, 'not_written');
  }

  async #send(request: Parameters<S3Client['send']>[0]): Promise<PushExchange> {
    const { signal } = this.attempt;
    const exchange = await this.client.send({ ...request, ...(signal && { signal }) });
    this.#exchanges.push(exchange);
    return exchange;
  }

  #report(exchange: PushExchange, ended: Ends | AttemptOutcome, status: ObjectStatus): SendReport {
    const { key, body, sha256 } = this.object;
    const answer = this.shown(exchange);
    const etag = headerOf({ answer }, 'etag') ?? (answer && element(answer.excerpt, 'ETag'));
    const entry: ManifestEntry = {
      ...{ key, size: body.bytes, status, sha256 },
      etag: status === 'written' || status === 'already_there' ? (etag?.replace(/&quot;|"/g, '') ?? null) : null,
    };
    const retryAfterMs = 'retryAfterMs' in ended ? ended.retryAfterMs : null;
    return {
      outcome: outcome(ended.status, ended.errorCode, ended.verdict, retryAfterMs),
      timings: timingsOf(this.#exchanges),
      answer,
      operatorDetail: exchange.operatorDetail,
      manifest: [entry],
    };
  }
}

/** The report of an attempt whose role gave no session: nothing was asked of the store. */
export function notWritten({ key, body, sha256 }: S3Object, { outcome: ended, exchange }: RoleFailure): SendReport {
  return {
    ...{ outcome: ended, timings: exchange.timings, answer: exchange.answer, operatorDetail: exchange.operatorDetail },
    manifest: [{ key, size: body.bytes, status: 'not_written', sha256, etag: null }],
  };
}

const DELIVERED: Ends = { status: 'SUCCEEDED', errorCode: null, verdict: 'DELIVERED' };

export function headerOf({ answer }: Pick<PushExchange, 'answer'>, name: string): string | null {
  return answer?.headers.find(([it]) => it.toLowerCase() === name)?.[1] ?? null;
}

/** All bytes have left, and what was made of them is not known: no answer, or one of a proxy's that got none either. */
function answerIsLost({ result, timings, answer }: PushExchange): boolean {
  if (timings.uploadMs === null) return false;
  return result.kind === 'failed' || (result.httpStatus >= 500 && !/<Error[\s>]/.test(answer?.excerpt ?? ''));
}

/** Of all requests of an attempt together; waiting is that for the last one. */
function timingsOf(exchanges: readonly PushExchange[]): AttemptTimings {
  const all = exchanges.map(({ timings }) => timings);
  const first = (field: 'dnsMs' | 'connectMs' | 'tlsMs') => all.find((it) => it[field] !== null)?.[field] ?? null;
  const uploads = all.flatMap(({ uploadMs }) => uploadMs ?? []);
  return {
    ...{ dnsMs: first('dnsMs'), connectMs: first('connectMs'), tlsMs: first('tlsMs') },
    uploadMs: uploads.length === 0 ? null : sum(uploads),
    waitMs: all.at(-1)?.waitMs ?? null,
    totalMs: sum(all.map(({ totalMs }) => totalMs)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
