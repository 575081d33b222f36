import { checkedFacts, PayloadError, type PushFacts } from './results-push.js';

/** The members of a push besides its rows. */
const FACTS: ReadonlySet<string> = new Set(['jobId', 'agentId', 'workspaceId', 'completedAt', 'stats', 'test']);

/** A push has seven. Names are kept to detect duplicates, so their number is limited. */
const MAX_MEMBERS = 100;

/**
 * The top-level members of a push in JSON. They are read before the signature is verified, so anyone may send anything:
 * only the values needed for the facts are kept.
 */
export class PushMembers {
  readonly #names = new Set<string>();
  readonly #values = new Map<string, unknown>();
  #nameBytes = 0;

  /** @param maxNameBytes maximum size of all names together */
  constructor(private readonly maxNameBytes: number) {}

  /** @throws PayloadError for a duplicate member or too many members */
  begin(name: string): void {
    if (this.#names.has(name)) throw malformed(`the member ${JSON.stringify(name)} comes twice`);
    this.#nameBytes += Buffer.byteLength(name);
    if (this.#names.size === MAX_MEMBERS) throw malformed(`it has more than ${MAX_MEMBERS} members`);
    if (this.#nameBytes > this.maxNameBytes) {
      const told = `The names of the body's members are together larger than ${this.maxNameBytes} bytes.`;
      throw new PayloadError('value_too_large', told);
    }
    this.#names.add(name);
  }

  /** @param value as parsed by JSON.parse */
  end(name: string, value: unknown): void {
    if (FACTS.has(name)) this.#values.set(name, name === 'stats' ? countsOf(value) : textOrWord(value));
  }

  /** @throws PayloadError `payload_incomplete` */
  facts(): PushFacts {
    if (!this.#names.has('results')) throw new PayloadError('payload_incomplete', 'The member results is missing.');
    return checkedFacts(this.#values);
  }
}

/** A list or an object needs many times its bytes once parsed, and is never a fact. */
function textOrWord(value: unknown): unknown {
  return typeof value === 'object' ? null : value;
}

function countsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null;
  const { total, matched, unmatched } = value as Record<string, unknown>;
  return { total: textOrWord(total), matched: textOrWord(matched), unmatched: textOrWord(unmatched) };
}

export function malformed(what: string): PayloadError {
  return new PayloadError('payload_malformed', `The body is not the JSON of a push: ${what}.`);
}
