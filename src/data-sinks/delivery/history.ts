import type { Database } from '../database/database.js';
import type { Page, PageRequest } from '../database/page.js';
import { firstIdAt, ID_PREFIXES } from '../domain/ids.js';
import {
  fewStatement,
  type HistoryFilter,
  type HistoryTable,
  type Lane,
  type Looked,
  lookStatement,
  WAYS,
} from './history.sql.js';

/** How many rows a page looks at before it ends, full or not. */
const MOST_LOOKED_AT = 20_000;

/** How many rows one statement looks at, but for the first of each sink. */
const MOST_AT_ONCE = 8_000;

/** How many rows of one sink one statement looks at. */
const LONGEST_CHUNK = 2_000;

/** How many rows are few enough to be sorted for each page. */
const FEW = 1_000;

/** Ids use the clocks of workers, and times the database's. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** Some sinks of a workspace. */
export interface HistoryScope {
  readonly workspaceId: string;
  readonly sinks: readonly string[];
}

/**
 * A page of the ids of what some sinks have sent or will send, in the order of their ids.
 *
 * Where an index holds little else than what is asked for, its entries are read and sorted. Else the sinks' rows are
 * read in order along one index by sink, as a merge of as many sorted lists: the rows of a sink only once the page gets
 * to them. A page looks at 20,000 rows at most. It may then have fewer items than its limit, or none, and goes on after
 * the last row that was looked at. So the cost of a page depends neither on how rare a thing is nor on statistics, and
 * writing a delivery pays for no index by workspace, error code or outcome.
 */
export async function historyPage(
  database: Database,
  history: HistoryTable,
  { workspaceId, sinks }: HistoryScope,
  filter: HistoryFilter,
  { limit, afterId }: PageRequest,
): Promise<Page<string>> {
  if (sinks.length === 0) return { items: [], nextAfterId: null };
  const few = fewStatement(history, filter, { workspaceId, sinks, afterId, wanted: limit + 1, most: FEW });
  if (few) {
    const [answer] = await database.query<Pick<Looked, 'looked' | 'found'>>(few.text, few.values);
    if (answer && answer.looked < FEW) return pageOf(answer.found, limit, null);
  }
  return new Merge(database, history, filter, limit).page(sinks, afterId);
}

/** Rows of several sinks, each in order, as one list in order. */
class Merge {
  readonly #order: 'newest' | 'oldest';
  readonly #found: string[] = [];

  constructor(
    private readonly database: Database,
    private readonly history: HistoryTable,
    private readonly filter: HistoryFilter,
    private readonly limit: number,
  ) {
    this.#order = filter.order ?? 'newest';
  }

  async page(sinks: readonly string[], afterId: string | null): Promise<Page<string>> {
    const [from, end] = this.#ends(afterId);
    // One row of each says where it begins.
    const first = sinks.length === 1 ? this.limit + 1 : 1;
    let lanes: readonly Lane[] = sinks.map((sink) => ({ sink, at: from, chunk: first }));
    let next = lanes;
    for (let looked = 0; ;) {
      const { text, values } = lookStatement(this.history, this.filter, next, end);
      const answers = await this.database.query<Looked>(text, values);
      for (const answer of answers) {
        looked += answer.looked;
        this.#found.push(...answer.found);
      }
      lanes = this.#inOrder(advanced(lanes, answers));
      const [ahead] = lanes;
      const complete = this.#completeTo(ahead?.at);
      if (!ahead) return pageOf(complete, this.limit, null);
      if (complete.length > this.limit || looked >= MOST_LOOKED_AT) return pageOf(complete, this.limit, ahead.at);
      next = atOnce(lanes);
    }
  }

  /** Where the list begins and ends; both are outside of it. */
  #ends(afterId: string | null): readonly [from: string, end: string] {
    const { kind } = this.history;
    const idAt = (ms: number): string => firstIdAt(kind, Math.max(ms, 0));
    const { since, until } = this.filter;
    const lowest = since ? idAt(since.getTime() - CLOCKS_DIFFER_MS) : '';
    // Behind every id, whatever the database's collation is.
    const highest = until ? idAt(until.getTime() + CLOCKS_DIFFER_MS) : `${ID_PREFIXES[kind]}_zz`;
    const [from, end] = this.#order === 'newest' ? [highest, lowest] : [lowest, highest];
    return [afterId === null || this.#isBefore(afterId, from) ? from : afterId, end];
  }

  /** Sorted, those first that the list gets to first. */
  #inOrder(lanes: readonly Lane[]): readonly Lane[] {
    return [...lanes].sort((a, b) => (this.#isBefore(a.at, b.at) ? -1 : 1));
  }

  /** What is sure to be found in this order: up to where the first sink has been looked through. */
  #completeTo(at: string | undefined): readonly string[] {
    return this.#found
      .filter((id) => at === undefined || !this.#isBefore(at, id))
      .sort((a, b) => (a === b ? 0 : this.#isBefore(a, b) ? -1 : 1));
  }

  #isBefore(a: string, b: string): boolean {
    return WAYS[this.#order].after === '<' ? a > b : a < b;
  }
}

/** Sinks as they were looked through; without those of which nothing is left. */
function advanced(lanes: readonly Lane[], answers: readonly Looked[]): Lane[] {
  const bySink = new Map(answers.map((answer) => [answer.sink, answer]));
  return lanes.flatMap((lane) => {
    const answer = bySink.get(lane.sink);
    if (!answer) return [lane];
    if (answer.last === null || answer.looked < lane.chunk) return [];
    return [{ ...lane, at: answer.last, chunk: Math.min(Math.max(lane.chunk * 2, 100), LONGEST_CHUNK) }];
  });
}

/** As many of the first as one statement looks through. */
function atOnce(lanes: readonly Lane[]): readonly Lane[] {
  let rows = 0;
  return lanes.filter(({ chunk }) => (rows += chunk) <= MOST_AT_ONCE);
}

/** @param next the id to go on after when all of these fit; null when nothing is left */
function pageOf(ids: readonly string[], limit: number, next: string | null): Page<string> {
  const items = ids.slice(0, limit);
  return { items, nextAfterId: ids.length > limit ? (items.at(-1) ?? null) : next };
}
