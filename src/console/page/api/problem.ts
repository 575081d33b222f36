/** An error of a field; `pointer` is a JSON pointer into the request. */
export interface Violation {
  readonly pointer: string;
  readonly detail: string;
}

const REFUSALS: readonly number[] = [401, 403, 429];

/** An error of the API (RFC 9457), or no response at all. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** The last segment of the problem's `type`; `offline` without a response. */
    readonly code: string,
    /** Null without a response. */
    readonly status: number | null,
    readonly title: string,
    readonly detail: string,
    readonly errors: readonly Violation[] = [],
    /** Its other members by name, such as `deliveryId`. */
    private readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** The host or a proxy refused the request, before it reached the module. */
  get isOfHost(): boolean {
    return REFUSALS.includes(this.status ?? 0) && /^(about:blank|http-\d+)$/.test(this.code);
  }

  /** The error of a field. */
  at(pointer: string): string | null {
    return this.errors.find((violation) => violation.pointer === pointer)?.detail ?? null;
  }

  /** Another member that is text. */
  text(member: string): string | null {
    return text(this.members[member]);
  }

  /** Another member that is a number. */
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

/** A success response that is not one of the API, such as the sign-in page of a proxy. */
export function unreadable(): Problem {
  return new Problem(
    'unreadable',
    null,
    'The answer is not one of the API',
    'Something else answers at its address, such as the sign-in of a proxy. Sign in there, then reload this page.',
  );
}

/** Parses an error response, even one written by a proxy. */
export function toProblem(status: number, body: unknown): Problem {
  const record = isRecord(body) ? body : {};
  const code = text(record['type'])?.split(/[/#=]/).at(-1) ?? `http-${status}`;
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

/** Describes any thrown value for people. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('page-error', 0, 'Something went wrong in this page', `${String(error)}. Reload the page.`);
}
