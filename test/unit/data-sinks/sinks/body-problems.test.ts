import { describe, expect, it } from '@jest/globals';
import { requireMakeable, type SaidOfBodies } from '../../../../src/data-sinks/sinks/body-problems.js';
import type { ParquetCodec } from '../../../../src/data-sinks/domain/data-sink.js';

const parquet = (parquetCodec?: ParquetCodec): SaidOfBodies => ({
  format: 'PARQUET',
  config: { compression: 'none', parquetCodec },
});
const json: SaidOfBodies = { format: 'JSON', config: { compression: 'gzip', parquetCodec: 'gzip' } };
const nothing = (codec: ParquetCodec): string[] => ['hyparquet-writer', ...(codec === 'gzip' ? ['fflate'] : [])];

/** What is said of a sink on a host without the packages. */
function said(sink: SaidOfBodies, before: SaidOfBodies | null = null): unknown {
  try {
    requireMakeable(sink, before, nothing);
    return 'fine';
  } catch (error) {
    return (error as { extras: { errors: unknown } }).extras.errors;
  }
}

describe('a sink of format PARQUET on a host without the packages', () => {
  it('is refused with the command that installs what its codec takes', () => {
    expect(said(parquet())).toEqual([
      {
        pointer: '/format',
        detail: 'cannot be PARQUET here before the platform’s operators run: npm install hyparquet-writer',
      },
    ]);
    const detail = expect.stringMatching(/with parquetCodec gzip here .* npm install hyparquet-writer fflate$/);
    expect(said(parquet('gzip'))).toEqual([{ pointer: '/format', detail }]);
    expect(said(parquet('gzip'), parquet())).toEqual([{ pointer: '/format', detail }]);
    expect(said(parquet(), json)).toHaveLength(1);
  });

  it('that is there already can be changed in everything else', () => {
    expect([said(parquet(), parquet()), said(parquet('snappy'), parquet())]).toEqual(['fine', 'fine']);
    expect(said(json, parquet())).toBe('fine');
  });

  it('is no matter for other formats', () => {
    expect([said(json), said({ ...json, format: 'CSV' })]).toEqual(['fine', 'fine']);
  });
});

describe('compression around a Parquet file', () => {
  it('is refused whatever was before, and whatever is installed', () => {
    const gzip: SaidOfBodies = { format: 'PARQUET', config: { compression: 'gzip' } };
    for (const before of [null, json, parquet()]) {
      expect(said(gzip, before)).toMatchObject([{ pointer: '/config/compression' }]);
    }
  });
});
