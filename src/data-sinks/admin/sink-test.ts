import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ATTEMPT_ADVICE, type ExchangeStep } from '../core/attempt-advice.js';
import { classify } from '../core/attempt-outcome.js';
import type { AttemptErrorCode, AttemptStatus, AttemptTimings } from '../core/attempt.js';
import type { DataSink } from '../core/data-sink.js';
import type { IdFactory } from '../core/ids.js';
import { payloadLayout } from '../core/payload-layout.js';
import { pushHeaders } from '../core/push-headers.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { PushClient, type PushAnswer } from '../egress/index.js';
import { PushSigner, ServerClock } from '../pipeline/index.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { RateLimit } from './rate-limit.js';
import { sinkAuditEntry } from './sink-audit-entry.js';
import { SinkReactivation } from './sink-reactivation.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** What a test found out: a diagnosis, not only a status (contract, section 4). */
export interface SinkTestResult {
  readonly passed: boolean;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  /** Whether it made a disabled sink active again. */
  readonly reactivated: boolean;
  /** Null when it passed. */
  readonly failedStep: ExchangeStep | null;
  readonly advice: string | null;
  readonly timings: AttemptTimings;
  readonly sent: {
    readonly method: 'POST';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** Null when nothing came back. */
  readonly received: PushAnswer | null;
}

/** The Test button: a synthetic payload through the same signer, client and egress rules as a real push. */
@Injectable()
export class SinkTest {
  readonly #perSink: RateLimit;
  readonly #perWorkspace: RateLimit;

  constructor(
    private readonly signer: PushSigner,
    private readonly client: PushClient,
    private readonly clock: ServerClock,
    private readonly audit: AuditTrail,
    private readonly reactivation: SinkReactivation,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) { testsPerMinute }: ResolvedDataSinksOptions,
  ) {
    this.#perSink = new RateLimit(testsPerMinute);
    this.#perWorkspace = new RateLimit(testsPerMinute * WORKSPACE_SHARE);
  }

  /** Makes no delivery and no attempt row; it is one line in the audit log. @throws ProblemError `rate-limited` */
  async run(caller: RequestCaller, sink: DataSink): Promise<SinkTestResult> {
    this.#perWorkspace.use(sink.workspaceId, 'Testing in a workspace');
    this.#perSink.use(sink.id, 'Testing a data source');
    const { text, headers } = await this.#request(sink);
    const body = Buffer.from(text);
    const { result, timings, answer } = await this.client.post({
      url: sink.config.url,
      headers,
      customHeaders: sink.config.customHeaders,
      body: { bytes: body.length, whole: body, open: () => once(body) },
    });
    const { status, errorCode } = classify(result);
    const passed = status === 'SUCCEEDED';
    const reactivated = passed && (await this.reactivation.byTest(caller, sink));
    await this.#record(caller, sink, { passed, status, errorCode, httpStatus: answer?.httpStatus ?? null });
    const advice = errorCode && ATTEMPT_ADVICE[errorCode];
    const shown = { ...headers, ...Object.fromEntries(sink.config.customHeaders.map((h) => [h.name, h.value])) };
    return {
      ...{ passed, reactivated, status, errorCode, timings },
      failedStep: advice?.step ?? null,
      advice: advice?.advice ?? null,
      sent: { method: 'POST', url: sink.config.url, headers: withoutCredentials(shown), body: text },
      received: answer,
    };
  }

  async #request(sink: DataSink): Promise<{ text: string; headers: Readonly<Record<string, string>> }> {
    const layout = payloadLayout(sink.format);
    const text = testPayload(sink, new Date(this.clock.now()));
    const deliveryId = testId(this.newId('delivery'));
    const body = Buffer.from(text);
    const signature = await this.signer.sign({
      deliveryId,
      config: sink.config,
      secret: { secretId: sink.secret.id, workspaceId: sink.workspaceId },
      body: { whole: body, open: () => once(body) },
    });
    const sha256 = createHash('sha256').update(body).digest('hex');
    const general = pushHeaders({ deliveryId, attemptNumber: 1, contentType: layout.contentType, sha256 });
    return { text, headers: { ...general, ...signature } };
  }

  #record(caller: RequestCaller, sink: DataSink, details: Readonly<Record<string, unknown>>): Promise<void> {
    return this.audit.record([sinkAuditEntry('DATA_SINK_TESTED', caller, sink, details)]);
  }
}

/** So many times the tests of one sink may all sinks of a workspace have together. */
const WORKSPACE_SHARE = 5;

/** Two rows, one matched and one not, and ids that end in TEST. */
function testPayload(sink: DataSink, completedAt: Date): string {
  const layout = payloadLayout(sink.format);
  const facts = {
    jobId: `job_${'TEST'.padStart(26, '0')}`,
    agentId: sink.agentId,
    workspaceId: sink.workspaceId,
    completedAt,
    stats: { total: 2, matched: 1, unmatched: 1 },
  };
  const rows = layout.rows([
    {
      partnerRowId: `row_${'1TEST'.padStart(26, '0')}`,
      referenceHotelId: `ref_${'1TEST'.padStart(26, '0')}`,
      matchMethod: 'STANDARD',
      matchConfidence: null,
    },
    {
      partnerRowId: `row_${'2TEST'.padStart(26, '0')}`,
      referenceHotelId: null,
      matchMethod: null,
      matchConfidence: null,
    },
  ]);
  return `${layout.head(facts)}${rows}${layout.tail(true)}`;
}

function testId(id: string): string {
  return `${id.slice(0, -4)}TEST`;
}

/** A credential that is sent as it is must not come back in an answer; a signature may. */
function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { Authorization: authorization, ...rest } = headers;
  return authorization === undefined ? rest : { ...rest, Authorization: `${authorization.split(' ')[0]} ****` };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
