import type { Api } from '../api/api.js';
import type { Attempt } from '../api/types.js';

export interface RecentAttempts {
  readonly items: readonly Attempt[];
  /** Whether the period has more attempts than were loaded. */
  readonly isCut: boolean;
}

const PAGE = 100;
const MAX_PAGES = 10;

/** The attempts since a time, newest first, up to a limit. */
export async function loadAttempts(
  api: Api,
  agentId: string,
  sinkId: string,
  sinceMs: number,
): Promise<RecentAttempts> {
  const items: Attempt[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await api.attempts(agentId, sinkId, PAGE, cursor);
    items.push(...page.items);
    const oldest = page.items.at(-1);
    const reachedStart = oldest !== undefined && Date.parse(oldest.startedAt) < sinceMs;
    if (page.nextCursor === null || reachedStart) return { items, isCut: false };
    cursor = page.nextCursor;
  }
  return { items, isCut: true };
}
