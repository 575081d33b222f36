import { STORABLE_TEXT } from './storable-text.js';

/**
 * Maximum length, in code points, of an id made by the host (of a job, an agent or a workspace). Index keys hold a
 * workspace id and a job id: two ids of this length, at four bytes a character, fit into PostgreSQL's limit of 2,704
 * bytes for an index entry.
 */
export const MAX_HOST_ID_LENGTH = 255;

/**
 * Returns what is wrong with a host's id, or null. Used wherever a job id arrives: the event, a manual push, the
 * delivery search. Accepts any text of 1 to 255 characters in any script, including slashes, colons and spaces, except
 * NUL and unpaired surrogates, which PostgreSQL cannot store.
 */
export function invalidHostId(id: unknown): string | null {
  if (typeof id !== 'string' || id === '' || isTooLong(id)) {
    return `must be a string of 1 to ${MAX_HOST_ID_LENGTH} characters`;
  }
  return STORABLE_TEXT.test(id) ? null : 'must not contain NUL or an unpaired surrogate';
}

/** A code point has at most two code units, so longer texts need not be counted. */
function isTooLong(id: string): boolean {
  return id.length > MAX_HOST_ID_LENGTH && (id.length > 2 * MAX_HOST_ID_LENGTH || [...id].length > MAX_HOST_ID_LENGTH);
}
