import { Matches } from 'class-validator';
import { STORABLE_TEXT } from '../../domain/storable-text.js';

/** A text that is stored in the database. */
export function IsStorable(): PropertyDecorator {
  return Matches(STORABLE_TEXT, { message: 'must not contain NUL or an unpaired surrogate' });
}
