import type { Type } from '@nestjs/common';
import { PartialType } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { checkedFields, violationsIn } from '../api/dto/checked-fields.js';
import { CreateDataSourceBody } from '../api/dto/data-source.body.js';
import { NOT_NULL } from '../api/dto/optional-field.js';
import type { DataSink } from '../domain/data-sink.js';
import { ConfigurationError, ProblemError } from '../domain/errors.js';
import type { RuleViolation } from '../domain/data-sink-rules.js';
import { invalid } from '../domain/invalid-request.js';
import type { Destination, Given } from './destination.js';

/** A sink's type is not among those that this process has. Its deliveries wait: our failure, not the customer's. */
export class DestinationMissingError extends Error {
  readonly code = 'destination_missing';
  override readonly name = 'DestinationMissingError';
}

/** The types of destinations that this host offers, by their names. */
export class Destinations {
  readonly #byType = new Map<string, Destination>();
  /** A class is made once for each: class-validator keeps what it knows of a class for ever. */
  readonly #changes = new Map<Destination, Type<object>>();

  /** @throws ConfigurationError when two have the same name, or one has none that can be stored */
  constructor(all: readonly Destination[]) {
    for (const destination of all) {
      const { type } = destination;
      if (typeof type !== 'string' || !/^[A-Z][A-Z0-9_]{0,62}$/.test(type)) {
        throw new ConfigurationError(
          `the type of a destination must be capitals, digits and _, such as 'S3', not ${JSON.stringify(type)}`,
        );
      }
      if (this.#byType.has(type))
        throw new ConfigurationError(`two destinations have the type ${type}: give one of them`);
      this.#byType.set(type, destination);
      this.#changes.set(destination, PartialType(destination.configFields, NOT_NULL));
    }
  }

  get types(): readonly string[] {
    return [...this.#byType.keys()];
  }

  has(type: string): boolean {
    return this.#byType.has(type);
  }

  /** For a new sink. @throws ProblemError `validation-failed` */
  offered(type: string): Destination {
    const found = this.#byType.get(type);
    if (!found) throw invalid([this.#unknown()]);
    return found;
  }

  #unknown(): RuleViolation {
    return { pointer: '/type', detail: `must be one of ${this.types.join(', ')}` };
  }

  /** For a sink that is there. @throws ProblemError `destination-missing` */
  ofSink(type: string): Destination {
    const found = this.#byType.get(type);
    if (found) return found;
    throw new ProblemError('destination-missing', `Sinks of type ${type} are not offered here any more.`);
  }

  /** What its destination has to set up, where that is known here. */
  trustPolicyOf({ type, config }: Pick<DataSink, 'type' | 'config'>): string | null {
    return this.#byType.get(type)?.trustPolicy?.(config) ?? null;
  }

  /** For a delivery. @throws DestinationMissingError */
  ofDelivery(type: string): Destination {
    const found = this.#byType.get(type);
    if (found) return found;
    throw new DestinationMissingError(`this host has no destination of type ${type}: add it to "destinations"`);
  }

  /**
   * A request for a new sink, checked as a whole: the fields that all have, and those of its type.
   * @throws ProblemError `validation-failed`, with a pointer for each wrong field
   */
  newSink(given: object): CreateDataSourceBody {
    const { type, config, secret } = given as Readonly<Record<string, unknown>>;
    const destination = typeof type === 'string' ? this.#byType.get(type) : undefined;
    const violations = [...violationsIn(CreateDataSourceBody, given, '')];
    if (!destination && typeof type === 'string') violations.push(this.#unknown());
    if (destination && isFields(config)) violations.push(...violationsIn(destination.configFields, config, '/config'));
    if (destination && isFields(secret)) violations.push(...violationsIn(destination.secretFields, secret, '/secret'));
    if (violations.length > 0) throw invalid(violations);
    return plainToInstance(CreateDataSourceBody, given);
  }

  /** The fields of a new sink's configuration. @throws ProblemError `validation-failed` */
  newConfig(destination: Destination, given: object): Given {
    return checkedFields(destination.configFields, given, '/config');
  }

  /** Of a change: any of them. @throws ProblemError `validation-failed` */
  configChange(destination: Destination, given: object): Given {
    const fields = this.#changes.get(destination) ?? destination.configFields;
    return checkedFields(fields, given, '/config');
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byType.values()].map(async (destination) => destination.close?.()));
  }
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
