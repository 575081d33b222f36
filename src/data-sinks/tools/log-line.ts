import { inspect, type InspectOptions } from 'node:util';

/** A line that sums up names so many at most. */
export const IDS_IN_A_LINE = 20;

/** The fields of a log line: `event` for searching, `message` for people, and ids, numbers and codes. */
export interface LogFields {
  /** E.g. `delivery.attempted`; stable. */
  readonly event: string;
  /** A sentence. */
  readonly message: string;
  readonly [name: string]: unknown;
}

/**
 * One log line as a plain object with `message` among its fields. Nest's JSON logger, pino and winston read the fields
 * of an object; pino drops an object passed after a text. Nest's default logger prints it with `util.inspect`: the
 * message, then `name=value`, on one line.
 */
export class LogLine {
  constructor(fields: LogFields) {
    Object.assign(this, fields);
  }

  [inspect.custom](depth: number, options: InspectOptions): unknown {
    // Nested in another object, e.g. by a JSON logger with colours, the fields are shown as usual.
    if (depth !== options.depth) return { ...this };
    const { message, ...fields } = { ...this } as unknown as LogFields;
    const texts = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}=${textOf(value)}`,
    );
    return [message.replace(CONTROL_CHARACTERS, ' '), ...texts].join(' ');
  }
}

/** Control characters could end the line or overwrite another one. */
const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]+/gu;

const PLAIN = /^[\w.:/+-]+$/;

function textOf(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value;
  return String(JSON.stringify(value)).replace(CONTROL_CHARACTERS, ' ');
}
