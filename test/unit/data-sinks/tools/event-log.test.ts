import { ConsoleLogger, Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventLog } from '../../../../src/data-sinks/tools/event-log.js';

/** As many fields as a line of an attempt has. */
const FIELDS = {
  ...{ event: 'delivery.attempted', message: 'attempt 1 of delivery dlv_1 ended HTTP_5XX' },
  ...{ deliveryId: 'dlv_01J00000000000000000000000', workspaceId: 'ws_01J00000000000000000000000', attemptNumber: 1 },
  ...{ status: 'HTTP_5XX', errorCode: null, httpStatus: 500, durationMs: 12.5, recorded: true, part: undefined },
  ...{ detail: 'a text with "quotes",\na line break and \u001B[31mcolours', partitions: ['one', 'two'] },
};

afterEach(() => {
  jest.restoreAllMocks();
  Logger.overrideLogger(false);
});

/** What a logger of Nest's writes. */
function written(logger: ConsoleLogger, level: 'debug' | 'log' | 'warn' | 'error' = 'log', fields = FIELDS): string {
  Logger.overrideLogger(logger);
  let text = '';
  const keep = ((chunk: string) => ((text += chunk), true)) as typeof process.stdout.write;
  for (const stream of [process.stdout, process.stderr]) jest.spyOn(stream, 'write').mockImplementation(keep);
  new EventLog()[level](fields);
  jest.restoreAllMocks();
  return text;
}

describe('a line of the module’s log', () => {
  it.each(['debug', 'log', 'warn', 'error'] as const)(
    'is one line with Nest’s default logger (%s): the message, then name=value',
    (level) => {
      const lines = written(new ConsoleLogger({ colors: false }), level)
        .trimEnd()
        .split('\n');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(
        `[DataSinks] attempt 1 of delivery dlv_1 ended HTTP_5XX event=delivery.attempted ` +
          `deliveryId=dlv_01J00000000000000000000000 workspaceId=ws_01J00000000000000000000000 attemptNumber=1 ` +
          `status=HTTP_5XX errorCode=null httpStatus=500 durationMs=12.5 recorded=true ` +
          `detail="a text with \\"quotes\\",\\na line break and \\u001b[31mcolours" partitions=["one","two"]`,
      );
    },
  );

  it('is one line also with colours', () => {
    const text = written(new ConsoleLogger({ colors: true }));
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(text).toContain('event=delivery.attempted');
  });

  it('escapes line breaks and control sequences of a message', () => {
    const message = 'job \u001B[2Jjob_1\r\nLOG forged\u2028line';
    const text = written(new ConsoleLogger({ colors: false }), 'warn', { ...FIELDS, message });
    expect(text).toContain('job  [2Jjob_1 LOG forged line event=');
    expect(text.trimEnd().split(/[\r\n\u2028]/)).toHaveLength(1);
  });

  it('is one JSON record with its fields in Nest’s JSON logger', () => {
    const record = JSON.parse(written(new ConsoleLogger({ json: true, compact: true }))) as object;
    const { part: _part, ...fields } = FIELDS;
    expect(record).toMatchObject({ level: 'log', context: 'DataSinks', message: fields });
  });

  it('has its fields inside the record in Nest’s JSON logger with colours', () => {
    const text = written(new ConsoleLogger({ json: true, colors: true }));
    expect(text).toMatch(/event.*delivery\.attempted/);
    expect(text).not.toContain('event=');
  });

  it('reaches a structured logger as an object, as pino and winston expect', () => {
    const lines: unknown[] = [];
    const keep = (...parts: unknown[]): void => void lines.push(parts);
    Logger.overrideLogger({ log: keep, warn: keep, error: keep });
    new EventLog().log(FIELDS);
    const [[line, context, ...rest]] = lines as [[object, string]];
    expect([context, rest]).toEqual(['DataSinks', []]);
    expect(Object.assign({}, line)).toEqual(FIELDS);
    expect(JSON.parse(JSON.stringify(line))).toMatchObject({ event: FIELDS.event, message: FIELDS.message });
  });
});
