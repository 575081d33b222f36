import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { isConnectionError } from '../../../../src/data-sinks/database/connection-errors.js';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

describe('an error of an unavailable database', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENOTFOUND', '08006', '57P01', '57P03', '53300'])(
    'is known by %s, of a connection or of a statement',
    (code) => {
      expect(isConnectionError(coded(code))).toBe(true);
      expect(isConnectionError(new QueryFailedError('SELECT 1', [], coded(code)))).toBe(true);
    },
  );

  it('is recognised by node-postgres messages without a code', () => {
    const said = ['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'];
    expect(said.map((text) => isConnectionError(new Error(text)))).toEqual([true, true]);
    expect(isConnectionError(new QueryRunnerAlreadyReleasedError())).toBe(true);
  });

  it('is recognised when the error comes from another realm, as in a host’s tests', () => {
    const reset: unknown = runInNewContext("Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })");
    expect(reset instanceof Error).toBe(false);
    expect(isConnectionError(reset)).toBe(true);
  });

  it('is distinguished from invalid statements and bugs', () => {
    for (const code of ['42P01', '23505', '40001', 'ERR_INVALID_ARG_TYPE']) {
      expect(isConnectionError(new QueryFailedError('SELECT 1', [], coded(code)))).toBe(false);
    }
    expect([new TypeError('Connection is undefined'), 'ECONNREFUSED', null].map(isConnectionError)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
