import { Matches } from 'class-validator';
import { STORABLE_TEXT } from '../../core/storable-text.js';

/** A text that reaches the database. */
export function IsStorable(): PropertyDecorator {
  return Matches(STORABLE_TEXT, { message: 'must contain neither NUL nor half a character' });
}
