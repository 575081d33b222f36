import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { adviceOn, type ExchangeStep } from '../domain/attempt-advice.js';
import type { AttemptErrorCode, AttemptStatus, AttemptTimings, ExchangeAnswer } from '../domain/attempt.js';
import type { DataSink } from '../domain/data-sink.js';
import type { IdFactory } from '../domain/ids.js';
import type { MappingResultRow } from '../domain/job-completed.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import { bodyText, payloadLayout } from '../domain/body/payload-layout.js';
import { type PayloadRecipe, recipesFor } from '../domain/body/payload-recipe.js';
import type { TraceContext } from '../domain/trace-context.js';
import { ACTIVE_TRACE, NEW_ID } from '../data-sinks.tokens.js';
import type { ProbedPush, ProbeStep } from '../destinations/destination.js';
import { Destinations } from '../destinations/destinations.js';
import { bodyChunks } from '../payload/body-chunks.js';
import { BodyThreadClient } from '../payload/body-thread-client.js';
import { gzipWhole } from '../payload/gzip.js';
import { DataSinkRepository } from './data-sink.repository.js';
import { TestLimit } from './test-limit.js';
import { Database } from '../database/database.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import { SecretsInForce } from '../vault/secrets-in-force.js';
import { ServerClock } from '../database/server-clock.js';
import type { ExchangeSpan } from '../telemetry/exchange-span.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { SinkCircuit } from '../settlement/sink-circuit.js';
import type { RequestCaller } from '../ports/workspace-access.js';

/** Result of a Test: a diagnosis, not only a status (contract, section 4). */
export interface SinkTestResult {
  readonly passed: boolean;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  /** Whether it reactivated a disabled sink. */
  readonly reactivated: boolean;
  /** Null when it passed. */
  readonly failedStep: ExchangeStep | null;
  readonly advice: string | null;
  readonly timings: AttemptTimings;
  /** What was tried, in order; empty where the exchange itself tells all. */
  readonly steps: readonly ProbeStep[];
  /** What to allow over there, to copy; null where there is no such thing. */
  readonly policy: string | null;
  readonly sent: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** Null when nothing came back. */
  readonly received: ExchangeAnswer | null;
}

/** The Test button: a synthetic payload on the way of a real push. */
@Injectable()
export class SinkTest {
  constructor(
    private readonly limit: TestLimit,
    private readonly destinations: Destinations,
    private readonly secrets: SecretsInForce,
    private readonly clock: ServerClock,
    private readonly audit: Audit,
    private readonly sinks: DataSinkRepository,
    private readonly circuit: SinkCircuit,
    private readonly telemetry: Telemetry,
    private readonly database: Database,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    private readonly bodyThread: BodyThreadClient,
    @Inject(ACTIVE_TRACE) private readonly activeTrace: () => TraceContext | null,
  ) {}

  /** Creates no delivery and no attempt row, only an audit entry. @throws ProblemError `rate-limited` */
  async run(caller: RequestCaller, sink: DataSink): Promise<SinkTestResult> {
    await this.limit.use(sink);
    const destination = this.destinations.ofSink(sink.type);
    const { text, push, span } = await this.#request(sink);
    const { outcome: found, timings, answer, sent, steps, policy } = await destination.probe(push);
    const { status, errorCode } = found;
    const { deliveryId, body } = push;
    const outcome = { status, errorCode, httpStatus: answer?.httpStatus ?? null };
    const about = {
      workspaceId: sink.workspaceId,
      deliveryId,
      dataSourceId: sink.id,
      jobId: TEST_JOB,
      attemptNumber: 1,
    };
    span.end({ ...about, ...outcome, totalMs: timings.totalMs });
    const passed = status === 'SUCCEEDED';
    await this.sinks.recordTest(sink, passed);
    const reactivated = passed && (await this.circuit.passedTest(caller, sink));
    await this.audit.record(byCaller('DATA_SINK_TESTED', caller, sink, { passed, ...outcome }));
    const advice =
      errorCode &&
      adviceOn(errorCode, { httpStatus: outcome.httpStatus, bytes: body.length, excerpt: answer?.excerpt ?? null });
    return {
      ...{ passed, reactivated, status, errorCode, timings, steps, policy },
      failedStep: advice?.step ?? null,
      advice: advice?.advice ?? null,
      sent: { ...sent, body: text },
      received: answer,
    };
  }

  async #request(sink: DataSink): Promise<TestRequest> {
    // A process without a worker has no database time yet, and signatures and overlaps depend on it.
    this.clock.set(new Date(await this.database.now()));
    const recipe = testRecipe(sink);
    const facts = testFacts(sink, new Date(this.clock.now()));
    const { text, body } = await this.#body(recipe, facts);
    const { config, secret, previousSecret: previous, workspaceId } = sink;
    const deliveryId = testId(this.newId('delivery'));
    const span = this.telemetry.exchange('data_sinks.test', this.activeTrace(), new Date(this.clock.now()));
    const inForce = {
      secret: { secretId: secret.id, workspaceId },
      previousSecret: previous && { secretId: previous.id, expiresAt: previous.expiresAt },
    };
    const push: ProbedPush = {
      ...{ deliveryId, workspaceId, dataSourceId: sink.id, jobId: TEST_JOB, run: 1, config, recipe, facts },
      ...{ lastErrorCode: null, overlapping: previous !== null, secrets: () => this.secrets.open(inForce) },
      ...{ body, sha256: createHash('sha256').update(body).digest('hex'), traceparent: span.traceparent },
    };
    return { text, push, span };
  }

  async #body(recipe: PayloadRecipe, facts: PayloadFacts): Promise<{ text: string; body: Buffer }> {
    const { format, compression } = recipe;
    const shown = format === 'PARQUET' ? 'JSONL' : format;
    const text = bodyText(payloadLayout({ ...recipe, format: shown }), facts, TEST_ROWS, true);
    if (format !== 'PARQUET') {
      return { text, body: compression === 'gzip' ? await gzipWhole(Buffer.from(text)) : Buffer.from(text) };
    }
    const pieces: Buffer[] = [];
    for await (const { bytes } of bodyChunks(recipe, facts, rowsOfTest(), this.bodyThread)) pieces.push(bytes);
    return { text, body: Buffer.concat(pieces) };
  }
}

interface TestRequest {
  /** The body before compression, for display; of a Parquet file its rows as lines of JSON. */
  readonly text: string;
  readonly push: ProbedPush;
  readonly span: ExchangeSpan;
}

const TEST_JOB = `job_${'TEST'.padStart(26, '0')}`;

/** As the sink's next push would be made; for a sink that splits jobs into parts, as the only part. */
function testRecipe({ format, config }: DataSink): PayloadRecipe {
  const [recipe] = recipesFor(format, config, 1);
  if (!recipe) throw new Error('a job has at least one body');
  return recipe;
}

function testFacts({ agentId, workspaceId }: DataSink, completedAt: Date): PayloadFacts {
  return { jobId: TEST_JOB, agentId, workspaceId, completedAt, stats: { total: 2, matched: 1, unmatched: 1 }, run: 1 };
}

/** One matched row and one unmatched; all ids end in TEST. */
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

async function* rowsOfTest(): AsyncGenerator<readonly MappingResultRow[]> {
  yield TEST_ROWS;
}

function testId(id: string): string {
  return `${id.slice(0, -4)}TEST`;
}
