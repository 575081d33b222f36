import { describe, expect, it } from '@jest/globals';
import { throughPort } from '../../../../src/data-sinks/ports/failed-port.js';
import { Outage } from '../../../../src/data-sinks/telemetry/outage.js';
import { ownFailureKind } from '../../../../src/data-sinks/telemetry/own-failure-kind.js';
import type { LogFields } from '../../../../src/data-sinks/tools/log-line.js';

function outageOf(staleMs?: number) {
  const state = { now: 1_000, repaired: 0, toldElsewhere: false };
  const lines: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const note = ({ event, ...rest }: LogFields): void => void lines.push({ event, ...rest });
  const outage = new Outage(
    'gate',
    { begins: 'gate.unavailable', ends: 'gate.available_again', message: 'nobody says', ...(staleMs && { staleMs }) },
    { error: note, log: note },
    (kind, failures) => void counted.push(`${kind} ${failures}`),
    () => void state.repaired++,
    () => state.toldElsewhere,
    () => undefined,
    () => state.now,
  );
  return { outage, lines, counted, state };
}

const REFUSED = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

describe('an outage', () => {
  it('is one line when it begins, one when it is over, with how much failed between', () => {
    const { outage, lines, counted, state } = outageOf();
    outage.over();
    expect(lines).toEqual([]);
    for (let i = 0; i < 100; i++) outage.report(REFUSED, { count: 2 });
    expect(lines).toMatchObject([{ event: 'gate.unavailable', message: 'nobody says', kind: 'database' }]);
    expect(counted).toHaveLength(100);
    expect(outage.open).toMatchObject({ part: 'gate', kind: 'database', failures: 200 });
    state.now += 2_500.4;
    outage.over();
    outage.over();
    expect(lines.slice(1)).toMatchObject([{ event: 'gate.available_again', afterMs: 2_500, failures: 200 }]);
    expect(outage.open).toBeNull();
    expect(state.repaired).toBe(1);
  });

  it('is not over with a success that began before it', () => {
    const { outage, state } = outageOf();
    const begunAt = outage.mark();
    state.now += 1;
    outage.report(REFUSED);
    outage.over('', begunAt);
    expect(outage.open).not.toBeNull();
    expect(state.repaired).toBe(0);
  });

  it('of one sink does not end with the success of another, which says that the fault is not everybody’s', () => {
    const { outage, lines, state } = outageOf();
    outage.report(REFUSED, { subject: 'ads_1' });
    for (let i = 0; i < 10; i++) {
      outage.over('ads_2');
      outage.report(REFUSED, { subject: 'ads_1' });
    }
    expect(lines).toHaveLength(1);
    expect(state.repaired).toBe(1);
    // Another one now is a fault of its own, and named.
    outage.report(REFUSED, { subject: 'ads_3', fields: { dataSourceId: 'ads_3' } });
    expect(lines.slice(1)).toMatchObject([{ event: 'gate.unavailable', dataSourceId: 'ads_3' }]);
    outage.over('ads_1');
    expect(outage.open).not.toBeNull();
    outage.over('ads_3');
    expect(outage.open).toBeNull();
  });

  it('lets one delivery find out soon whether it is over, and the others wait as their back-off says', () => {
    const { outage, state } = outageOf();
    expect([outage.waitMs(300_000), outage.waitMs(300_000)]).toEqual([2_000, 300_000]);
    state.now += 2_000;
    expect([outage.waitMs(100), outage.waitMs(300_000)]).toEqual([100, 300_000]);
  });

  it('that another part has told of is told when that one is over, and this one is not', () => {
    const { outage, lines, state } = outageOf();
    state.toldElsewhere = true;
    outage.report(REFUSED);
    outage.over();
    outage.report(REFUSED);
    expect(lines).toEqual([]);
    state.toldElsewhere = false;
    outage.report(REFUSED);
    outage.over();
    expect(lines.map(({ event }) => event)).toEqual(['gate.unavailable', 'gate.available_again']);
  });

  it('of which nobody has heard for long is no longer open, and is not called over', () => {
    const { outage, lines, state } = outageOf(60_000);
    outage.report(REFUSED);
    state.now += 60_001;
    expect(outage.open).toBeNull();
    expect(lines).toHaveLength(1);
    outage.report(REFUSED);
    expect(lines).toHaveLength(2);
  });
});

it('the kind of a failure of our own side is told by the port it came through, then by what it says', () => {
  const of = (call: string): Error => {
    const error = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    throughPort(error, call);
    return error;
  };
  const answered = (code: string): Error => Object.assign(new Error('no'), { code, severity: 'ERROR' });
  expect(
    [
      ...[of('AgentDirectory.findAgents()'), of('SecretVault.reveal()'), REFUSED],
      ...[answered('25006'), answered('53100'), answered('57P03'), new Error('a bug'), 'a text', null],
    ].map(ownFailureKind),
  ).toEqual([
    ...['port', 'vault', 'database'],
    ...['database_refuses', 'database_refuses', 'database', 'internal', 'internal', 'internal'],
  ]);
});
