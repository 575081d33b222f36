/** What PostgreSQL's `text` and `jsonb` hold: no NUL, and no half of a character in two, which would be stored as another. */
export const STORABLE_TEXT = /^[^\0\p{Surrogate}]*$/u;
