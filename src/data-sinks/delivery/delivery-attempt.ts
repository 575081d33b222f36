import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { NEW_ID, OPTIONS, RANDOM } from '../data-sinks.tokens.js';
import type { CancelSignal } from '../tools/cancellation.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import { type DeliveryPlan, planAfterAttempt, planAfterOwnFailure } from '../domain/delivery.js';
import { EventLog } from '../tools/event-log.js';
import { failpoint } from '../tools/failpoint.js';
import type { IdFactory } from '../domain/ids.js';
import { parseRecipe } from '../domain/body/payload-recipe.js';
import type { Destination, Push, ReadyPush, SendReport } from '../destinations/destination.js';
import { Destinations } from '../destinations/destinations.js';
import { PayloadBodies, type ObtainedBody } from '../payload/payload-bodies.js';
import type { OpenedAttempt } from '../domain/attempt-end.js';
import { type ExchangeSpan, inTrace } from '../telemetry/exchange-span.js';
import type { Outage } from '../telemetry/outage.js';
import { Outages } from '../telemetry/outages.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AttemptAbortedError } from '../queue/attempt-aborted.error.js';
import { outcomeOf, toClosing, tracedExchange, type Unfinished } from './attempt-closing.js';
import { attemptLogLine } from './attempt-log-line.js';
import { AttemptRecorder } from './attempt-recorder.js';
import { DeliveryParts } from '../settlement/delivery-parts.js';
import type { Release } from '../queue/lease.sql.js';
import { type PreparationFailure, preparationFailure } from './preparation-failure.js';
import { SecretsInForce } from '../vault/secrets-in-force.js';

/** What a delivery needs before it can be sent. */
interface Prepared {
  readonly sink: NonNullable<ClaimedDelivery['sink']>;
  readonly destination: Destination;
  readonly push: Push;
  readonly body: ObtainedBody;
  readonly ready: ReadyPush;
}

/** An attempt whose request is being sent. */
interface Underway extends Prepared {
  readonly opened: OpenedAttempt;
  readonly span: ExchangeSpan;
}

/** Step 5 for one delivery that passed the gate: body → signature → attempt row → sending → outcome. */
@Injectable()
export class DeliveryAttempt {
  readonly #logger = new EventLog();
  readonly #preparing: Outage;
  readonly #opening: Outage;
  readonly #vault: Outage;

  constructor(
    private readonly parts: DeliveryParts,
    private readonly bodies: PayloadBodies,
    private readonly destinations: Destinations,
    private readonly secrets: SecretsInForce,
    private readonly recorder: AttemptRecorder,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    private readonly telemetry: Telemetry,
    outages: Outages,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Inject(RANDOM) private readonly random: () => number,
  ) {
    this.#preparing = outages.of('preparing');
    this.#opening = outages.of('opening');
    this.#vault = outages.of('vault');
  }

  /**
   * @param signal aborts an upload in progress
   * @returns what to do with a delivery that was not sent; or the recorded plan; or null when another worker has
   *   claimed it
   */
  async run(delivery: ClaimedDelivery, signal: CancelSignal): Promise<PreparationFailure | DeliveryPlan | null> {
    let prepared: Prepared;
    let opened: OpenedAttempt | null;
    // Once more where another process was quicker to store the same body: then its bytes are sent.
    for (let tries = 1; ; tries++) {
      const begunAt = this.#preparing.mark();
      try {
        prepared = await unlessAborted(() => inTrace(delivery.traceContext, () => this.#prepare(delivery)), signal);
      } catch (error) {
        return preparationFailure(
          delivery,
          error,
          (cause) => this.#failed(this.#preparing, delivery, cause).waitMs,
          this.#logger,
        );
      }
      this.#preparing.over(delivery.dataSourceId, begunAt);
      this.#vault.over('', begunAt);
      failpoint('after-prepared');
      const openedAt = this.#opening.mark();
      try {
        opened = await this.#open(delivery, prepared);
      } catch (error) {
        return this.#giveBack(delivery, error, signal);
      } finally {
        this.bodies.settle(prepared.body);
      }
      this.#opening.over('', openedAt);
      if (opened || !prepared.body.unstored || tries === 2) break;
    }
    if (!opened) return delivery.handedOver ? { release: asItWas(delivery) } : null;
    failpoint('after-opened');
    const span = this.telemetry.exchange('data_sinks.attempt', delivery.traceContext, opened.startedAt);
    const underway = { ...prepared, opened, span };
    const exchange = await this.#send(delivery, underway, signal);
    failpoint('after-posted');
    return this.#close(delivery, underway, exchange, signal);
  }

  async #prepare(delivery: ClaimedDelivery): Promise<Prepared> {
    const { sink } = delivery;
    if (!sink) throw new Error('a delivery without its sink cannot pass the gate');
    await this.parts.requireOthers(delivery);
    const destination = this.destinations.ofDelivery(sink.type);
    const push = this.#pushOf(delivery, sink);
    const preparation = destination.prepare(push);
    const body = await this.bodies.obtain(delivery, delivery.payload ? null : preparation.watch);
    try {
      return { sink, destination, push, body, ready: await preparation.ready(body) };
    } catch (error) {
      this.bodies.settle(body);
      throw error;
    }
  }

  #pushOf(delivery: ClaimedDelivery, { config, secretId, previousSecret }: Prepared['sink']): Push {
    const { id: deliveryId, workspaceId, dataSourceId, jobId, run, lastErrorCode } = delivery;
    const secret = { secretId, workspaceId };
    return {
      ...{
        deliveryId,
        workspaceId,
        dataSourceId,
        jobId,
        run,
        config,
        recipe: parseRecipe(delivery.recipe),
        facts: delivery,
      },
      ...{ lastErrorCode, overlapping: previousSecret !== null },
      secrets: () => this.secrets.open({ secret, previousSecret }),
    };
  }

  #open(
    { id: deliveryId, leaseToken, handedOver }: ClaimedDelivery,
    { sink, destination, push, body }: Prepared,
  ): Promise<OpenedAttempt | null> {
    return this.recorder.open({
      attemptId: this.newId('attempt'),
      deliveryId,
      leaseToken,
      ...destination.describe(push),
      configVersion: sink.configVersion,
      handedOver,
      payload: body.payload,
      unstored: body.unstored,
    });
  }

  /** Releases the delivery: otherwise the sweeper would count a crash. */
  async #giveBack(delivery: ClaimedDelivery, error: unknown, signal: CancelSignal): Promise<DeliveryPlan | null> {
    const plan = this.#failed(this.#opening, delivery, error);
    return (await this.recorder.giveBack(delivery, plan.waitMs, signal)) ? plan : null;
  }

  #failed(outage: Outage, delivery: ClaimedDelivery, error: unknown): ReturnType<typeof planAfterOwnFailure> {
    const { id: deliveryId, dataSourceId } = delivery;
    const subject = outage === this.#preparing ? dataSourceId : '';
    outage.report(error, { subject, fields: { deliveryId, dataSourceId } });
    const plan = planAfterOwnFailure(delivery, this.random(), this.options.retryWaitsMs);
    return { ...plan, waitMs: outage.waitMs(plan.waitMs) };
  }

  async #send(
    delivery: ClaimedDelivery,
    { ready, opened, span }: Underway,
    signal: CancelSignal,
  ): Promise<SendReport | Unfinished> {
    const { attemptNumber } = opened;
    try {
      const record = this.recorder.during(opened, delivery);
      return await ready.send({ attemptNumber, traceparent: span.traceparent, signal, ...record });
    } catch (error) {
      // The receiver's and the network's failures are return values; an exception is our own failure.
      return { code: error instanceof AttemptAbortedError ? error.code : 'internal_error', detail: String(error) };
    }
  }

  async #close(
    delivery: ClaimedDelivery,
    { opened, span }: Underway,
    exchange: SendReport | Unfinished,
    signal: CancelSignal,
  ): Promise<DeliveryPlan | null> {
    const outcome = outcomeOf(exchange);
    const { retryWaitsMs } = this.options;
    const plan: DeliveryPlan =
      outcome.errorCode === 'shutdown'
        ? { status: 'RETRYING', reason: null, waitMs: 0, spendsRetry: false }
        : planAfterAttempt(outcome, delivery, this.random(), retryWaitsMs);
    const closing = toClosing(delivery, opened, exchange, outcome, plan);
    let recorded = false;
    try {
      recorded = await this.recorder.close({ delivery, closing }, signal);
      failpoint('after-closed');
    } finally {
      // Also if the database is unavailable: then this line is the only trace of the result.
      this.#logger.log(attemptLogLine(delivery, closing, exchange, recorded));
      span.end(tracedExchange(delivery, closing));
    }
    return recorded ? plan : null;
  }
}

/** Its sink was changed while it was recorded, or it is another worker's: whoever claims it next knows how things stand. */
function asItWas({ id, leaseToken }: ClaimedDelivery): Release {
  return { id, leaseToken, waitMs: 0, ownFailure: false };
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
