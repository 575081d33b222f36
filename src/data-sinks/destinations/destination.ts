import type { Type } from '@nestjs/common';
import type { AttemptTimings, ExchangeAnswer, ManifestEntry } from '../domain/attempt.js';
import type { AttemptOutcome } from '../domain/attempt-outcome.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import type { PayloadRecipe } from '../domain/body/payload-recipe.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import type { SinkConfig } from '../domain/data-sink.js';
import type { PayloadBody } from '../payload/payload-bodies.js';
import type { BodyWatch } from '../payload/payload-builder.js';
import type { CancelSignal } from '../tools/cancellation.js';

/** What a customer sent, checked against the destination's fields; of a change, only what is to be changed. */
export type Given = Readonly<Record<string, unknown>>;

/** A secret that may be stored, and what may be said about it. */
export interface AcceptedSecret {
  /** As the vault keeps it: one text, however many values it has. */
  readonly value: string;
  /** What may be shown of it; null for nothing. */
  readonly hint: string | null;
  /** Made by us: shown once, in this answer. */
  readonly generated: boolean;
  readonly warnings: readonly string[];
}

/** What a change of configuration means. */
export interface ConfigChange {
  /** Whether results would go to another place, of which nothing is known yet. */
  readonly moves: boolean;
  /**
   * What is changed, in words for the customer, when it needs the secret again: without that, someone who may edit a sink
   * but never saw its secret could have it used for a place of their own. Null when the secret stays.
   */
  readonly needsSecretFor: string | null;
  /**
   * Whether the stored secret is of no use from now on: `acceptSecret()` is asked for another one, though none was given.
   * @default false
   */
  readonly replacesSecret?: boolean;
}

/** Whose configuration it is. */
export interface SinkRef {
  readonly workspaceId: string;
  readonly dataSourceId: string;
}

/** What is known of a place before anything is sent to it. */
export type Admission =
  | { readonly kind: 'fine' }
  /** Nobody knows now; it is saved with a warning. */
  | { readonly kind: 'doubtful'; readonly warning: string }
  | {
      readonly kind: 'refused';
      /** Into the request's body. */
      readonly pointer: string;
      /** For the customer, in the same words for every refused address. */
      readonly detail: string;
      readonly reason: string;
      /** For the operator's log only. */
      readonly operatorDetail: string;
    };

/** The secrets of a sink that are in force at one moment. */
export interface SecretValues {
  readonly current: string;
  /** The one before, while a rotation's overlap lasts. */
  readonly previous: string | null;
  /** The time at which they are in force, by the database's clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What a destination knows of a delivery, or of a Test, that it is to send. */
export interface Push<Config extends SinkConfig = SinkConfig> {
  readonly deliveryId: string;
  readonly workspaceId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  /** From 1; a job that was run again is another one. */
  readonly run: number;
  readonly config: Config;
  readonly recipe: PayloadRecipe;
  readonly facts: PayloadFacts;
  /** How the attempt before ended; null for a first one. */
  readonly lastErrorCode: ClaimedDelivery['lastErrorCode'];
  /** Whether a rotation is under way, so that `secrets()` may have two. */
  readonly overlapping: boolean;
  /** Asks the vault, together with all that ask at the same time. @throws SecretUnavailableError: our failure */
  secrets(): Promise<SecretValues>;
}

/** The attempt that is about to be made. It is on record by now. */
export interface AttemptUnderway {
  readonly attemptNumber: number;
  /** Of the attempt's span; null where there is no trace. */
  readonly traceparent: string | null;
  /** Aborts when this process stops or has lost the delivery: `send()` then rejects with the signal's reason. */
  readonly signal?: CancelSignal;
  /** What became of the objects of this delivery's attempts before, oldest first. */
  earlierObjects(): Promise<readonly ManifestEntry[]>;
  /**
   * Puts on the attempt's row what this process leaves behind should it die from now on, for `cleanUp()`.
   * @throws when the delivery is no longer this worker's, or it cannot be written: then nothing may be left behind
   */
  leaves(what: Leftover): Promise<void>;
  /** Takes it back, once nothing is left. */
  leavesNothing(): Promise<void>;
}

/** What an attempt may leave behind, such as an upload in parts: names, never a secret. */
export type Leftover = Readonly<Record<string, string | number | null>>;

/** What came of one attempt. */
export interface SendReport {
  readonly outcome: AttemptOutcome;
  readonly timings: AttemptTimings;
  /** Null when nothing came back. */
  readonly answer: ExchangeAnswer | null;
  /** For logs only: it may name addresses, which a tenant must not learn. */
  readonly operatorDetail: string | null;
  /** Of a type that writes objects. */
  readonly manifest?: readonly ManifestEntry[];
}

/** All that an attempt needs, at hand: nothing but the sending itself may fail for reasons of the receiver. */
export interface ReadyPush {
  /**
   * Sends exactly the bytes of the body. Whatever the receiver or the network does comes back as a value.
   * @throws the signal's reason when it aborts; what else is thrown is our own failure and spends no retry
   */
  send(attempt: AttemptUnderway): Promise<SendReport>;
}

/** A push of which nothing is prepared yet. */
export interface PushPreparation {
  /** Wants the bytes of a large body while it is made, where it is made for this push; null when it does not. */
  readonly watch: BodyWatch | null;
  /** @throws our own failure: nothing is on record yet, and nothing is sent */
  ready(body: PayloadBody): Promise<ReadyPush>;
}

/** The synthetic payload of a Test, in memory. */
export interface ProbedPush<Config extends SinkConfig = SinkConfig> extends Push<Config> {
  readonly body: Buffer;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly traceparent: string | null;
}

/** What the Test found out, and what it sent. */
export interface ProbeReport extends SendReport {
  readonly sent: {
    readonly method: string;
    readonly url: string;
    /** Without credentials. */
    readonly headers: Readonly<Record<string, string>>;
  };
  /** What was tried, in order, for people; empty where the exchange itself tells all. */
  readonly steps: readonly ProbeStep[];
  /** What to allow over there, as a document to copy; null where there is no such thing. */
  readonly policy: string | null;
}

export interface ProbeStep {
  readonly name: string;
  /** Null when it was not reached, or does not matter. */
  readonly passed: boolean | null;
  readonly detail: string;
}

/**
 * A type of place that results go to: one class, one folder. Gate, leases, attempts, retries, vault, audit and fairness
 * stand above it and are the same for all types.
 *
 * Experimental: it may change until a third type has settled it. `destinationConformance()` of `nestjs-data-sinks/testing`
 * checks one.
 */
export abstract class Destination<Config extends SinkConfig = SinkConfig> {
  /** The `type` of its sinks, such as `HTTPS_WEBHOOK`. Stored with each; never changes. */
  abstract readonly type: string;
  /** The fields of `config` in a request: a class with class-validator's decorators. */
  abstract readonly configFields: Type<object>;
  /** The same for `secret`. */
  abstract readonly secretFields: Type<object>;

  /**
   * Judges a configuration as a whole and puts it into the form that is stored.
   * @param given the fields of the request
   * @param before what they change; null for a new sink
   * @throws ProblemError `validation-failed` with a pointer below `/config` for each wrong field
   */
  abstract acceptConfig(given: Given, before: Config | null): Config;

  /**
   * Adds to an accepted configuration what we give to a workspace and no request may say, such as an external id.
   * @throws our own failure: nothing is saved
   */
  complete?(config: Config, workspaceId: string): Promise<Config>;

  /** Whom the owner of the destination has to trust, as a document to copy; null where there is no such thing. */
  trustPolicy?(config: Config): string | null;

  /** What changing a sink's configuration means. */
  abstract compare(before: Config, after: Config): ConfigChange;

  /**
   * Judges a secret, or makes one where that is possible.
   * @param given its fields; undefined when there is none
   * @param pointer where they are in the request: `/secret`, or empty when they are the request itself
   * @throws ProblemError `validation-failed`
   */
  abstract acceptSecret(given: Given | undefined, config: Config, pointer: '/secret' | ''): AcceptedSecret;

  /**
   * For how many seconds a secret that is rotated away stays in force.
   * @param asked undefined when the caller did not say
   * @returns and what the caller should know
   * @throws ProblemError `validation-failed` at `/overlapSeconds`
   */
  abstract overlap(
    config: Config,
    asked: number | undefined,
  ): { readonly seconds: number; readonly warnings: readonly string[] };

  /** Asks, before a sink is saved, what every attempt will ask: may anything be sent there? Sends nothing. */
  abstract admit(config: Config): Promise<Admission>;

  /**
   * Checks, after a sink was saved, that its destination answers. Writes nothing and sends no credential that could be
   * used again.
   * @param secrets opens the secrets, for a request that has to be signed; rejects with our own failure
   * @param signal aborts after the time limit
   * @returns false when nobody answered, or when the answer means that no push can arrive
   */
  ping?(config: Config, secrets: () => Promise<SecretValues>, signal: CancelSignal, of: SinkRef): Promise<boolean>;

  /** What the attempt's row says of where it goes, and how it proves where it comes from. Never a secret. */
  abstract describe(push: Push<Config>): { readonly url: string; readonly authScheme: string };

  /** The first step of an attempt. */
  abstract prepare(push: Push<Config>): PushPreparation;

  /** The Test: sends the synthetic payload and finds out what an attempt would meet. */
  abstract probe(push: ProbedPush<Config>): Promise<ProbeReport>;

  /** What no two sinks of a workspace may have in common; null where there is no such thing. */
  location?(config: Config): string | null;

  /**
   * Removes what an attempt that was interrupted left behind. Called until it says so, by whichever process.
   * @returns whether nothing is left
   * @throws when it cannot be told now
   */
  cleanUp?(leftover: Leftover, config: Config, secrets: SecretValues, of: SinkRef): Promise<boolean>;

  /** At shutdown, after the last attempt: what it holds open, beside the guarded client, which all share. */
  close?(): Promise<void>;
}
