/** A finding at a field; `pointer` is a JSON pointer into what was sent. */
export interface Violation {
  readonly pointer: string;
  readonly detail: string;
}

/** A refusal of the API (RFC 9457), or no answer at all. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** The last part of the problem's `type`; `offline` when there was no answer. */
    readonly code: string,
    /** Null when there was no answer. */
    readonly status: number | null,
    readonly title: string,
    readonly detail: string,
    readonly errors: readonly Violation[] = [],
    /** What else it says, by name, such as `deliveryId`. */
    private readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** What is said of a field. */
  at(pointer: string): string | null {
    return this.errors.find((violation) => violation.pointer === pointer)?.detail ?? null;
  }

  /** A member of its own that is a text. */
  text(member: string): string | null {
    return text(this.members[member]);
  }

  /** A member of its own that is a number. */
  number(member: string): number | null {
    const value = this.members[member];
    return typeof value === 'number' ? value : null;
  }
}

export function offline(): Problem {
  return new Problem(
    'offline',
    null,
    'No connection',
    'The platform does not answer. Check your connection; the page tries again by itself.',
  );
}

/** Reads an answer that is not a success, whoever in between wrote it. */
export function toProblem(status: number, body: unknown): Problem {
  const record = isRecord(body) ? body : {};
  const code = text(record['type'])?.split('/').at(-1) ?? `http-${status}`;
  const title = text(record['title']) ?? `The platform answered with ${status}`;
  const detail = text(record['detail']) ?? 'There is no explanation in the answer. Try again later.';
  const errors = Array.isArray(record['errors']) ? record['errors'].filter(isViolation) : [];
  return new Problem(code, status, title, detail, errors, record);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isViolation(value: unknown): value is Violation {
  return isRecord(value) && typeof value['pointer'] === 'string' && typeof value['detail'] === 'string';
}

/** What was thrown, for people. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('page-error', 0, 'Something went wrong in this page', `${String(error)}. Reload the page.`);
}
