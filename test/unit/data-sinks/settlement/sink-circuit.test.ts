import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { AttemptStatus } from '../../../../src/data-sinks/domain/attempt.js';
import type { AttemptEnd } from '../../../../src/data-sinks/domain/attempt-end.js';
import { SinkCircuit } from '../../../../src/data-sinks/settlement/sink-circuit.js';
import { aClaimedDelivery } from '../delivery/claimed.js';
import type { Database } from '../../../../src/data-sinks/database/database.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';
import { resolveOptions } from '../../../../src/data-sinks/data-sinks.options.js';

const OPTIONS = resolveOptions({});
const DOWN: readonly AttemptStatus[] = ['HTTP_5XX', 'TIMEOUT', 'NETWORK_ERROR'];

function anEnd(dataSourceId: string, status: AttemptStatus, failuresInRow = 0): AttemptEnd {
  const delivery = aClaimedDelivery({ dataSourceId });
  return {
    delivery: { ...delivery, sink: delivery.sink && { ...delivery.sink, failuresInRow } },
    closing: {
      status,
      receiverDown: DOWN.includes(status),
      plan: { status: 'RETRYING', spendsRetry: status !== 'ABANDONED' },
    },
  } as AttemptEnd;
}

function circuitOf(database: Database, notify = (): void => undefined): SinkCircuit {
  return new SinkCircuit(database, stub({ notify }), stub({}), stub({}), stub({}), OPTIONS);
}

/** Answers each statement with these rows, and keeps what it was asked. */
function pauses(answer: readonly object[] = []) {
  const asked: unknown[][] = [];
  const query = async (sql: string, parameters: unknown[]) => {
    asked.push([sql.includes('failures_in_row = 0') ? 'resume' : 'pause', ...parameters.slice(0, 2)]);
    return answer;
  };
  const notify = jest.fn();
  return { asked, notify, pauses: circuitOf(fakeDatabase(query), notify) };
}

describe('pauses', () => {
  it('are asked about receivers that are down, once per sink', async () => {
    const { asked, pauses: judge } = pauses();
    await judge.judge([
      anEnd('ads_1', 'HTTP_5XX'),
      anEnd('ads_2', 'TIMEOUT'),
      anEnd('ads_1', 'NETWORK_ERROR'),
      anEnd('ads_3', 'HTTP_4XX'),
      anEnd('ads_4', 'SUCCEEDED'),
      anEnd('ads_5', 'ABANDONED', 3),
    ]);
    expect(asked).toEqual([['pause', ['ads_1', 'ads_2'], [2, 1]]]);
  });

  it('end with an answer, and wake the worker where one was in force', async () => {
    const { asked, notify, pauses: judge } = pauses([{ paused: true, paused_until_ms: null }]);
    await judge.judge([anEnd('ads_1', 'SUCCEEDED', 5), anEnd('ads_1', 'TIMEOUT', 5), anEnd('ads_2', 'HTTP_4XX', 1)]);
    expect(asked).toEqual([
      ['resume', ['ads_1', 'ads_2'], undefined],
      ['pause', ['ads_1'], [1]],
    ]);
    expect(notify).toHaveBeenCalledTimes(1);
  });

  it('count failures in a row: an answer in between begins anew, in the same batch or after it', async () => {
    const { asked, pauses: judge } = pauses();
    const [down, up] = [anEnd('ads_1', 'HTTP_5XX'), anEnd('ads_1', 'SUCCEEDED')];
    await judge.judge([down, down, down, up]);
    expect(asked).toEqual([]);
    await judge.judge([up, down]);
    await judge.judge([up]);
    await judge.judge([up]);
    expect(asked).toEqual([
      ['pause', ['ads_1'], [1]],
      ['resume', ['ads_1'], undefined],
    ]);
  });

  it('are not for what costs no retry: failures of our own, and connections that had ended', async () => {
    const { asked, pauses: judge } = pauses();
    const end = anEnd('ads_1', 'NETWORK_ERROR', 3);
    const plan = { status: 'RETRYING', reason: null, waitMs: 0, spendsRetry: false } as const;
    await judge.judge([{ ...end, closing: { ...end.closing, plan } }]);
    expect(asked).toEqual([]);
  });

  it('are for the last failure of a delivery too, which spends no further retry', async () => {
    const { asked, pauses: judge } = pauses();
    const end = anEnd('ads_1', 'NETWORK_ERROR');
    const plan = { status: 'FAILED', reason: 'retries_exhausted', waitMs: null, spendsRetry: false } as const;
    await judge.judge([{ ...end, closing: { ...end.closing, plan } }]);
    expect(asked).toEqual([['pause', ['ads_1'], [1]]]);
  });

  it('cost nothing while all goes well', async () => {
    const { asked, pauses: judge } = pauses();
    await judge.judge([anEnd('ads_1', 'SUCCEEDED'), anEnd('ads_2', 'HTTP_4XX')]);
    expect(asked).toEqual([]);
  });

  it('are told to the operator, and so is a database that does not answer', async () => {
    const lines: unknown[] = [];
    const keep = (line: unknown) => void lines.push(line);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(keep);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(keep);
    const until = new Date(60_000);
    await pauses([{ workspace_id: 'ws_1', id: 'ads_1', paused_until_ms: until.getTime() }]).pauses.judge([
      anEnd('ads_1', 'TIMEOUT'),
    ]);
    const away = fakeDatabase(() => Promise.reject(new Error('database away')));
    await circuitOf(away).judge([anEnd('ads_1', 'TIMEOUT')]);
    expect(lines).toMatchObject([
      { event: 'sink.paused', workspaceId: 'ws_1', dataSourceId: 'ads_1', pausedUntil: until.toISOString() },
      { event: 'sink.not_judged', sinks: 1, error: 'Error: database away' },
    ]);
    jest.restoreAllMocks();
  });
});
