import type { SignatureScheme } from './signature-scheme.js';

/** Header values may contain only visible ASCII. Anything else, such as a line break, would make every push fail. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const VISIBLE_ASCII_OR_SPACE = /^[\x20-\x7e]+$/;

export const bearerScheme: SignatureScheme = {
  readsBody: false,
  overlaps: false,
  macs: () => [],
  headers: ({ secret }) => ({ Authorization: `Bearer ${secret}` }),
  secretProblem: (secret) =>
    VISIBLE_ASCII.test(secret) ? null : 'must be visible ASCII characters without spaces for Bearer',
  secretWarning: () => null,
};

/** RFC 7617. The secret is the password, or `user:password` when the sink has no username. */
export const basicScheme: SignatureScheme = {
  readsBody: false,
  overlaps: false,
  macs: () => [],
  headers({ secret, username }) {
    const pair = username === null ? secret : `${username}:${secret}`;
    return { Authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` };
  },
  secretProblem(secret, username) {
    if (username === null && !/^[^:]+:/.test(secret)) {
      return 'must have the form user:password when config.username is absent';
    }
    return VISIBLE_ASCII_OR_SPACE.test(secret) ? null : 'must be printable ASCII for Basic';
  },
  secretWarning: () => null,
};
