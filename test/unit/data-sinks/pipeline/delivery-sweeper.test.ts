import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DeliverySweeper } from '../../../../src/data-sinks/pipeline/delivery-sweeper.js';

type Parts = ConstructorParameters<typeof DeliverySweeper>;
type Part = 'leases' | 'parts' | 'overlaps' | 'missed' | 'housekeeping';

const PARTS: readonly Part[] = ['leases', 'parts', 'overlaps', 'missed', 'housekeeping'];

let logged: string[];
beforeEach(() => {
  logged = [];
  for (const level of ['log', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(({ event }: { event: string }) => void logged.push(event));
  }
});
afterEach(() => void jest.restoreAllMocks());

/** A sweeper whose parts say that they were asked, and throw while they are away. */
function sweeperOf(...broken: Part[]) {
  const away = new Set(broken);
  const asked: Part[] = [];
  const ask = (part: Part): [] => {
    asked.push(part);
    if (away.has(part)) throw new Error(`${part} is away`);
    return [];
  };
  const query = async (sql: string) => (/lease_expires_at/.test(sql) ? ask('leases') : []);
  const session = { query, transaction: (work: (inside: object) => unknown) => work({ query }) };
  const nothing = async (): Promise<void> => undefined;
  const sweeper = new DeliverySweeper(
    session as unknown as Parts[0],
    { notify: () => undefined } as unknown as Parts[1],
    { recover: async () => void ask('missed') } as unknown as Parts[2],
    { sweepOrphans: nothing } as unknown as Parts[3],
    {},
    { abandoned: () => undefined },
    { sweep: async () => void ask('overlaps') },
    { repair: async () => void ask('parts') },
    { run: async () => void ask('housekeeping') },
    { leaseExpired: () => undefined },
    { everyMs: 10_000, maxAbandoned: 5 },
  );
  return { sweeper, asked, away };
}

describe('a sweep', () => {
  it('does everything, and its housekeeping once an hour', async () => {
    const { sweeper, asked } = sweeperOf();
    await sweeper.sweep();
    await sweeper.sweep();
    expect(asked).toEqual([...PARTS, ...PARTS.slice(0, 4)]);
    expect(logged).toEqual([]);
  });

  it.each(PARTS)('does the rest when %s cannot be had, and says so once', async (part) => {
    const { sweeper, asked, away } = sweeperOf(part);
    await sweeper.sweep();
    expect(asked).toEqual(PARTS);
    await sweeper.sweep();
    expect(logged).toEqual(['sweeper.unavailable']);
    away.clear();
    await sweeper.sweep();
    expect(logged).toEqual(['sweeper.unavailable', 'sweeper.available_again']);
    // What was not done is done as soon as it can be.
    expect(asked.filter((one) => one === 'housekeeping')).toHaveLength(part === 'housekeeping' ? 3 : 1);
  });
});
