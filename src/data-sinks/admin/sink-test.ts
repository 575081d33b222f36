import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { adviceOn, type ExchangeStep } from '../core/attempt-advice.js';
import { classify } from '../core/attempt-outcome.js';
import type { AttemptErrorCode, AttemptStatus, AttemptTimings } from '../core/attempt.js';
import type { DataSink } from '../core/data-sink.js';
import type { IdFactory } from '../core/ids.js';
import type { MappingResultRow } from '../core/job-completed.js';
import { bodyText, type PayloadFacts, payloadLayout } from '../core/payload-layout.js';
import type { PayloadRecipe } from '../core/payload-recipe.js';
import { pushHeaders } from '../core/push-headers.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { DATABASE, NEW_ID, OPTIONS } from '../data-sinks.tokens.js';
import { PushClient, type PushAnswer } from '../egress/index.js';
import { gzipWhole } from '../payload/gzip.js';
import { DataSinkRepository } from '../persistence/data-sink.repository.js';
import { databaseNowMs, type Session } from '../persistence/database.js';
import { PushSigner, ServerClock } from '../pipeline/index.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { activeTraceContext } from '../telemetry/active-trace.js';
import type { ExchangeSpan } from '../telemetry/exchange-span.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { auditEntry } from './audit-entry.js';
import { RateLimit } from './rate-limit.js';
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
    private readonly sinks: DataSinkRepository,
    private readonly reactivation: SinkReactivation,
    private readonly telemetry: Telemetry,
    @Inject(DATABASE) private readonly database: { readonly manager: Session },
    @Inject(NEW_ID) private readonly newId: IdFactory,
    @Inject(OPTIONS) { testsPerMinute }: ResolvedDataSinksOptions,
  ) {
    this.#perSink = new RateLimit(testsPerMinute);
    this.#perWorkspace = new RateLimit(testsPerMinute * WORKSPACE_SHARE);
  }

  /** Makes no delivery and no attempt row; it is one line in the audit log. @throws ProblemError `rate-limited` */
  async run(caller: RequestCaller, sink: DataSink): Promise<SinkTestResult> {
    // In this order: what is refused for one sink must not use up the tests of the others.
    this.#perSink.use(sink.id, 'Testing a data source');
    this.#perWorkspace.use(sink.workspaceId, 'Testing in a workspace');
    const { text, body, headers, deliveryId, span } = await this.#request(sink);
    const { result, timings, answer } = await this.client.post({
      url: sink.config.url,
      headers,
      customHeaders: sink.config.customHeaders,
      body: { bytes: body.length, whole: body, open: () => once(body) },
    });
    const { status, errorCode } = classify(result);
    const outcome = { status, errorCode, httpStatus: answer?.httpStatus ?? null };
    const about = { deliveryId, dataSourceId: sink.id, jobId: TEST_JOB, attemptNumber: 1 };
    span.end({ ...about, ...outcome, totalMs: timings.totalMs });
    const passed = status === 'SUCCEEDED';
    await this.sinks.recordTest(sink, passed);
    const reactivated = passed && (await this.reactivation.byTest(caller, sink));
    const entry = auditEntry('DATA_SINK_TESTED', caller, sink, { passed, ...outcome });
    await within(this.audit.record([entry]), PORT_WITHIN_MS, 'the audit trail');
    const advice = errorCode && adviceOn(errorCode, { httpStatus: outcome.httpStatus, bytes: body.length });
    // As the client does it: ours win, and `traceparent` may also be the name of a custom one.
    const custom = sink.config.customHeaders.filter(({ name }) => !Object.hasOwn(headers, name.toLowerCase()));
    const shown = {
      ...{ 'User-Agent': this.client.userAgent, 'Content-Length': String(body.length), ...headers },
      ...Object.fromEntries(custom.map(({ name, value }) => [name, value])),
    };
    return {
      ...{ passed, reactivated, status, errorCode, timings },
      failedStep: advice?.step ?? null,
      advice: advice?.advice ?? null,
      sent: { method: 'POST', url: sink.config.url, headers: withoutCredentials(shown), body: text },
      received: answer,
    };
  }

  async #request(sink: DataSink): Promise<TestRequest> {
    // A process without a worker has not been told the time: it must neither sign with a wrong one nor judge an overlap.
    this.clock.set(new Date(await databaseNowMs(this.database.manager)));
    const recipe = testRecipe(sink);
    const facts = testFacts(sink, new Date(this.clock.now()));
    const text = bodyText(payloadLayout(recipe), facts, TEST_ROWS, true);
    const body = recipe.compression === 'gzip' ? await gzipWhole(Buffer.from(text)) : Buffer.from(text);
    const { config, secret, previousSecret } = sink;
    const deliveryId = testId(this.newId('delivery'));
    const signature = await this.signer.sign({
      deliveryId,
      config,
      secret: { secretId: secret.id, workspaceId: sink.workspaceId },
      previousSecret: previousSecret && { secretId: previousSecret.id, expiresAt: previousSecret.expiresAt },
      body: { whole: body, open: () => once(body) },
    });
    const sha256 = createHash('sha256').update(body).digest('hex');
    const span = this.telemetry.exchange('data_sinks.test', activeTraceContext(), new Date(this.clock.now()));
    const traceparent = config.sendTraceparent ? span.traceparent : null;
    const general = pushHeaders({ deliveryId, attemptNumber: 1, sha256, recipe, facts, test: true, traceparent });
    return { text, body, headers: { ...general, ...signature }, deliveryId, span };
  }
}

interface TestRequest {
  /** The body before it is compressed, for people. */
  readonly text: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly deliveryId: string;
  readonly span: ExchangeSpan;
}

/** So many times the tests of one sink may all sinks of a workspace have together. */
const WORKSPACE_SHARE = 5;

const TEST_JOB = `job_${'TEST'.padStart(26, '0')}`;

/** As the sink's next push will be made; of a job that is pushed in parts, the only one. */
function testRecipe({ format, config }: DataSink): PayloadRecipe {
  const { compression, includeFields: fields, maxRowsPerPush: rowsPerPart } = config;
  return { format, compression, fields, split: rowsPerPart === null ? null : { number: 1, of: 1, rowsPerPart } };
}

function testFacts({ agentId, workspaceId }: DataSink, completedAt: Date): PayloadFacts {
  return { jobId: TEST_JOB, agentId, workspaceId, completedAt, stats: { total: 2, matched: 1, unmatched: 1 } };
}

/** One that matched and one that did not; all ids end in TEST. */
const TEST_ROWS: readonly MappingResultRow[] = [
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
];

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
