import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DeliverySweeper } from '../../../../src/data-sinks/pipeline/delivery-sweeper.js';

type Parts = ConstructorParameters<typeof DeliverySweeper>;
type Part = 'leases' | 'parts' | 'overlaps' | 'missed' | 'housekeeping';
type Breakable = Exclude<Part, 'housekeeping'>;

const PARTS: readonly Part[] = ['leases', 'parts', 'overlaps', 'missed', 'housekeeping'];

let logged: string[];
beforeEach(() => {
  logged = [];
  for (const level of ['log', 'error'] as const) {
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation(({ event, step }: Record<string, string>) => void logged.push(`${event} ${step}`));
  }
});
afterEach(() => void jest.restoreAllMocks());

/** A sweeper whose parts say that they were asked, and throw while they are away. */
function sweeperOf(...broken: Breakable[]) {
  const away = new Set<Part>(broken);
  const asked: Part[] = [];
  const during = new Map<Part, () => void>();
  const ask = (part: Part): [] => {
    asked.push(part);
    during.get(part)?.();
    if (away.has(part)) throw new Error(`${part} is away`);
    return [];
  };
  const query = async (sql: string) => (/lease_expires_at/.test(sql) ? ask('leases') : []);
  const session = { query, transaction: (work: (inside: object) => unknown) => work({ query }) };
  const sweeper = new DeliverySweeper(
    session as unknown as Parts[0],
    { notify: () => undefined } as unknown as Parts[1],
    { recover: async () => void ask('missed') } as unknown as Parts[2],
    { abandoned: () => undefined },
    { sweep: async () => void ask('overlaps') },
    { repair: async () => void ask('parts') },
    { runHourly: async (stop) => void (stop?.aborted || ask('housekeeping')) },
    { leaseExpired: () => undefined },
    { everyMs: 10_000, maxAbandoned: 5 },
  );
  return { sweeper, asked, away, during };
}

describe('a sweep', () => {
  it('does everything', async () => {
    const { sweeper, asked } = sweeperOf();
    await sweeper.sweep();
    await sweeper.sweep();
    expect(asked).toEqual([...PARTS, ...PARTS]);
    expect(logged).toEqual([]);
  });

  it.each(['leases', 'parts', 'overlaps', 'missed'] as const)(
    'does the rest when %s cannot be had, and says so once',
    async (part) => {
      const { sweeper, asked, away } = sweeperOf(part);
      await sweeper.sweep();
      expect(asked).toEqual(PARTS);
      await sweeper.sweep();
      expect(logged).toEqual([`sweeper.unavailable ${part}`]);
      away.clear();
      await sweeper.sweep();
      expect(logged).toEqual([`sweeper.unavailable ${part}`, `sweeper.available_again ${part}`]);
    },
  );

  it('tells of an outage that begins during another one', async () => {
    const { sweeper, away } = sweeperOf('missed');
    await sweeper.sweep();
    away.add('leases');
    await sweeper.sweep();
    expect(logged).toEqual(['sweeper.unavailable missed', 'sweeper.unavailable leases']);
  });

  it('that is stopped ends after the part that it is at, and says nothing of what that one is told', async () => {
    const { sweeper, asked, during } = sweeperOf('parts');
    during.set('parts', () => void sweeper.stop());
    await sweeper.sweep();
    expect(asked).toEqual(['leases', 'parts']);
    expect(logged).toEqual([]);
  });
});
