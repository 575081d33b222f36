import { Matches } from 'class-validator';

/** What PostgreSQL's `text` and `jsonb` hold: no NUL, and no half of a surrogate pair, which is no character. */
const STORABLE = /^[^\0\p{Cs}]*$/u;

/** A text that reaches the database. */
export function IsStorable(): PropertyDecorator {
  return Matches(STORABLE, { message: 'must contain neither NUL nor half a character' });
}
