/** In which order of their ids a list goes. */
export const LIST_ORDERS = ['newest', 'oldest'] as const;
export type ListOrder = (typeof LIST_ORDERS)[number];

/** A page of a keyset-paged list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The id to continue after, or null at the end. */
  readonly nextAfterId: string | null;
}

export interface PageRequest {
  readonly limit: number;
  /** The last id of the previous page; null for the first page. */
  readonly afterId: string | null;
}

/** Cuts a page out of `limit + 1` rows: the one too many only says that there are more. */
export function toPage<R extends { id: string }, T>(found: readonly R[], limit: number, map: (row: R) => T): Page<T> {
  const kept = found.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(map), nextAfterId: found.length > limit && last ? last.id : null };
}
