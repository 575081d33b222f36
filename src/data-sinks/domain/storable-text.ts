/** Text that PostgreSQL's `text` and `jsonb` can store: no NUL and no unpaired surrogate. */
export const STORABLE_TEXT = /^[^\0\p{Surrogate}]*$/u;
