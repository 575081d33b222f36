import { PortAnswerError } from '../../domain/errors.js';
import { describeType } from '../../domain/describe-type.js';
import { within } from '../../tools/within.js';
import { throughPort } from '../failed-port.js';

/**
 * Calls a method of a host's port with a time limit. The method may be synchronous.
 * @param call for messages, e.g. `AgentDirectory.findAgents()`
 * @returns the answer, not yet validated: a host written in JavaScript may return anything
 * @throws NoAnswerError after `limitMs`; whatever the port throws
 */
export async function callPort(call: string, limitMs: number, method: () => unknown): Promise<unknown> {
  try {
    return await within(started(method), limitMs, call);
  } catch (error) {
    throughPort(error, call);
    throw error;
  }
}

/** Wraps a synchronous result or exception in a promise. */
export async function started(method: () => unknown): Promise<unknown> {
  return method();
}

/** @param must e.g. `it must return an array` */
export function wrongAnswer(call: string, answer: unknown, must: string): PortAnswerError {
  return new PortAnswerError(`${call} returned ${describeType(answer)}; ${must}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Checks methods, not the class: a Map of another realm, such as a test runner's, also qualifies. */
function isMap(value: unknown): value is ReadonlyMap<unknown, unknown> {
  if (!isObject(value)) return false;
  const { get, [Symbol.iterator]: iterator } = value as Partial<ReadonlyMap<unknown, unknown>>;
  return typeof get === 'function' && typeof iterator === 'function';
}

/** Checks methods, as for a Map. */
export function isSet(value: unknown): value is ReadonlySet<unknown> {
  if (!isObject(value)) return false;
  const { has, [Symbol.iterator]: iterator } = value as Partial<ReadonlySet<unknown>>;
  return typeof has === 'function' && typeof iterator === 'function';
}

/**
 * Validates a Map of texts by id.
 * @param ids the requested ids
 * @throws PortAnswerError when it is not a Map, has a key that was not requested, or a value that is not text. The
 *   message omits keys and values: if the Map is keyed the wrong way round, its keys are the secrets
 */
export function textsById(
  call: string,
  answer: unknown,
  ids: readonly string[],
  { key, value }: { readonly key: string; readonly value: string },
): ReadonlyMap<string, string> {
  const must = `it must return a Map from ${key} to ${value}`;
  if (!isMap(answer)) throw wrongAnswer(call, answer, must);
  const asked = new Set<unknown>(ids);
  for (const [id, text] of answer) {
    if (!asked.has(id)) {
      throw new PortAnswerError(
        `${call} returned a Map with a key that is not one of the ids it was asked for; ${must}`,
      );
    }
    if (!isText(text))
      throw new PortAnswerError(`${call} returned a Map with a value that is ${describeType(text)}; ${must}`);
  }
  return answer as ReadonlyMap<string, string>;
}
