/** Order of a list, by id. */
export const LIST_ORDERS = ['newest', 'oldest'] as const;
export type ListOrder = (typeof LIST_ORDERS)[number];

/** A page of keyset pagination. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The id to continue after; null on the last page. */
  readonly nextAfterId: string | null;
}

export interface PageRequest {
  readonly limit: number;
  /** The last id of the previous page; null for the first page. */
  readonly afterId: string | null;
}

/** Makes a page from up to `limit + 1` rows: an extra row only shows that there are more. */
export function toPage<R extends { id: string }, T>(found: readonly R[], limit: number, map: (row: R) => T): Page<T> {
  const kept = found.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(map), nextAfterId: found.length > limit && last ? last.id : null };
}
