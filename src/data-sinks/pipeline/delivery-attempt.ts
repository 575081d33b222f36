import { Logger } from '@nestjs/common';
import type { CancelSignal } from '../core/cancellation.js';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { type DeliveryPlan, planAfterAttempt, planAfterOwnFailure } from '../core/delivery.js';
import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import { parseRecipe, type PayloadRecipe } from '../core/payload-recipe.js';
import { pushHeaders } from '../core/push-headers.js';
import type { PushClient } from '../egress/push-client.js';
import type { PushExchange } from '../egress/push-exchange.js';
import type { PayloadBodies, PayloadBody } from '../payload/payload-bodies.js';
import type { OpenedAttempt } from '../persistence/attempt-log.js';
import type { ExchangeSpan } from '../telemetry/exchange-span.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { AttemptAbortedError } from './attempt-aborted.error.js';
import { outcomeOf, toClosing, tracedExchange, type Unfinished } from './attempt-closing.js';
import { attemptLogLine } from './attempt-log-line.js';
import type { AttemptRecorder } from './attempt-recorder.js';
import type { DeliveryParts } from './delivery-parts.js';
import { type NotPosted, notPosted } from './not-posted.js';
import type { PushSigner } from './push-signer.js';
import type { SigningTask } from './signing-watch.js';

export interface DeliveryAttemptOptions {
  readonly retryWaitsMs: readonly number[];
  readonly random: () => number;
}

/** What a delivery needs before anything of it can leave. */
interface Prepared {
  readonly recipe: PayloadRecipe;
  readonly sink: NonNullable<ClaimedDelivery['sink']>;
  readonly body: PayloadBody;
  readonly signature: Readonly<Record<string, string>>;
}

/** What is known of an attempt whose request leaves. */
interface Underway extends Prepared {
  readonly opened: OpenedAttempt;
  readonly span: ExchangeSpan;
}

/** Step 5 for one delivery that passed the gate: body → signature → attempt row → POST → outcome. */
export class DeliveryAttempt {
  readonly #logger = new Logger('DataSinks');
  readonly #parts: Pick<DeliveryParts, 'requireOthers'>;
  readonly #bodies: PayloadBodies;
  readonly #signer: PushSigner;
  readonly #client: PushClient;
  readonly #recorder: AttemptRecorder;
  readonly #newId: IdFactory;
  readonly #telemetry: Pick<Telemetry, 'exchange'>;
  readonly #options: DeliveryAttemptOptions;

  constructor(
    parts: Pick<DeliveryParts, 'requireOthers'>,
    bodies: PayloadBodies,
    signer: PushSigner,
    client: PushClient,
    recorder: AttemptRecorder,
    newId: IdFactory,
    telemetry: Pick<Telemetry, 'exchange'>,
    options: DeliveryAttemptOptions,
  ) {
    this.#parts = parts;
    this.#bodies = bodies;
    this.#signer = signer;
    this.#client = client;
    this.#recorder = recorder;
    this.#newId = newId;
    this.#telemetry = telemetry;
    this.#options = options;
  }

  /**
   * @param signal aborts an upload under way
   * @returns what to do with a delivery of which nothing was sent; the plan that is on record by now; or null when the
   *   delivery is another worker's
   */
  async run(delivery: ClaimedDelivery, signal: CancelSignal): Promise<NotPosted | DeliveryPlan | null> {
    let prepared: Prepared;
    try {
      prepared = await unlessAborted(() => this.#prepare(delivery), signal);
    } catch (error) {
      return notPosted(delivery, error, () => this.#planAfterOwnFailure(delivery).waitMs, this.#logger);
    }
    failpoint('after-prepared');
    let opened: OpenedAttempt | null;
    try {
      opened = await this.#open(delivery, prepared);
    } catch (error) {
      return this.#giveBack(delivery, error, signal);
    }
    if (!opened) return null;
    failpoint('after-opened');
    const span = this.#telemetry.exchange('data_sinks.attempt', delivery.traceContext, opened.startedAt);
    const underway = { ...prepared, opened, span };
    const exchange = await this.#post(delivery, underway, signal);
    failpoint('after-posted');
    return this.#close(delivery, underway, exchange, signal);
  }

  async #prepare(delivery: ClaimedDelivery): Promise<Prepared> {
    const { sink } = delivery;
    if (!sink) throw new Error('a delivery without its sink cannot pass the gate');
    await this.#parts.requireOthers(delivery);
    const recipe = parseRecipe(delivery.recipe);
    const task: SigningTask = {
      deliveryId: delivery.id,
      config: sink.config,
      secret: { secretId: sink.secretId, workspaceId: delivery.workspaceId },
      previousSecret: sink.previousSecret,
    };
    const watch = delivery.payload ? null : this.#signer.watch(task);
    const body = await this.#bodies.obtain(delivery, watch);
    const signedAsMade = watch && body.watchedBy === watch ? watch.headers() : null;
    const signature = signedAsMade ?? (await this.#signer.sign({ ...task, body }));
    return { recipe, sink, body, signature };
  }

  #open({ id: deliveryId, leaseToken }: ClaimedDelivery, { sink, body }: Prepared): Promise<OpenedAttempt | null> {
    return this.#recorder.open({
      attemptId: this.#newId('attempt'),
      deliveryId,
      leaseToken,
      url: sink.config.url,
      authScheme: sink.config.authScheme,
      configVersion: sink.configVersion,
      payload: body.payload,
    });
  }

  /** An attempt that could not be opened is no sign of a worker that died: the sweeper would count it as one. */
  async #giveBack(delivery: ClaimedDelivery, error: unknown, signal: CancelSignal): Promise<DeliveryPlan | null> {
    const plan = this.#planAfterOwnFailure(delivery);
    this.#logger.error({
      event: 'delivery.not_opened',
      deliveryId: delivery.id,
      retryInMs: plan.waitMs,
      error: String(error),
    });
    return (await this.#recorder.giveBack(delivery, plan.waitMs, signal)) ? plan : null;
  }

  #planAfterOwnFailure(delivery: ClaimedDelivery): ReturnType<typeof planAfterOwnFailure> {
    return planAfterOwnFailure(delivery, this.#options.random(), this.#options.retryWaitsMs);
  }

  async #post(
    delivery: ClaimedDelivery,
    { recipe, sink, body, signature, opened, span }: Underway,
    signal: CancelSignal,
  ): Promise<PushExchange | Unfinished> {
    try {
      return await this.#client.post({
        url: sink.config.url,
        headers: {
          ...pushHeaders({
            deliveryId: delivery.id,
            attemptNumber: opened.attemptNumber,
            sha256: body.payload.sha256,
            ...{ recipe, facts: delivery, test: false },
            traceparent: sink.config.sendTraceparent ? span.traceparent : null,
          }),
          ...signature,
        },
        customHeaders: sink.config.customHeaders,
        body: { bytes: body.payload.bytes, whole: body.whole, open: () => body.open() },
        signal,
      });
    } catch (error) {
      // Whatever the receiver or the network does comes back as a value; what is thrown is ours.
      return { code: error instanceof AttemptAbortedError ? error.code : 'internal_error', detail: String(error) };
    }
  }

  async #close(
    delivery: ClaimedDelivery,
    { sink, opened, span }: Underway,
    exchange: PushExchange | Unfinished,
    signal: CancelSignal,
  ): Promise<DeliveryPlan | null> {
    const outcome = outcomeOf(exchange, sink.config.retryableStatuses);
    const { random, retryWaitsMs } = this.#options;
    const plan: DeliveryPlan =
      outcome.errorCode === 'shutdown'
        ? { status: 'RETRYING', reason: null, waitMs: 0, spendsRetry: false }
        : planAfterAttempt(outcome, delivery, random(), retryWaitsMs);
    const closing = toClosing(delivery, opened, exchange, outcome, plan);
    let recorded = false;
    try {
      recorded = await this.#recorder.close({ delivery, closing }, signal);
      failpoint('after-closed');
    } finally {
      // Also when the database stays away: then this line is all there is of the result.
      this.#logger.log(attemptLogLine(delivery, closing, exchange, recorded));
      span.end(tracedExchange(delivery, closing));
    }
    return recorded ? plan : null;
  }
}

/** Preparing a large body takes long, and nothing of it has left: it is dropped at once. */
async function unlessAborted<T>(work: () => Promise<T>, signal: CancelSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
