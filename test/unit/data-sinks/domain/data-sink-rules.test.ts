import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RULES, parseRules } from '../../../../src/data-sinks/domain/data-sink-rules.js';

const AUTO_PUSH = '/data_sinks/auto_push_on_job_complete';
const RETRIES = '/data_sinks/retry_failed_push';
const NOT_A_COUNT = 'must be an integer from 0 to 10';
const NOT_A_SWITCH = 'must be true or false';

describe('the rules of an agent', () => {
  it('are off with two retries by default, and the default is immutable', () => {
    expect(DEFAULT_RULES).toEqual({ autoPushOnJobComplete: false, retryFailedPush: 2 });
    expect(Object.isFrozen(DEFAULT_RULES)).toBe(true);
  });

  it.each<[unknown, object]>([
    [undefined, {}],
    [null, {}],
    [{}, {}],
    [{ matching: { threshold: 'anything' } }, {}],
    [{ data_sinks: {} }, {}],
    [{ data_sinks: { auto_push_on_job_complete: false, retry_failed_push: 2 } }, {}],
    [{ data_sinks: { auto_push_on_job_complete: true } }, { autoPushOnJobComplete: true }],
    [{ data_sinks: { retry_failed_push: 0 } }, { retryFailedPush: 0 }],
    [{ data_sinks: { retry_failed_push: 10 } }, { retryFailedPush: 10 }],
  ])('given as %j are the default with %j', (ruleSet, changed) => {
    expect(parseRules(ruleSet)).toEqual({ ok: true, rules: { ...DEFAULT_RULES, ...changed } });
  });

  it.each<[unknown, string, string]>([
    ['{}', '', 'must be an object'],
    [[], '', 'must be an object'],
    [7, '', 'must be an object'],
    [true, '', 'must be an object'],
    [{ data_sinks: null }, '/data_sinks', 'must be an object'],
    [{ data_sinks: [] }, '/data_sinks', 'must be an object'],
    [{ data_sinks: true }, '/data_sinks', 'must be an object'],
    ...[11, -1, 1.5, '2', null, true, Number.NaN, Number.POSITIVE_INFINITY, [2], {}].map(
      (value): [unknown, string, string] => [{ data_sinks: { retry_failed_push: value } }, RETRIES, NOT_A_COUNT],
    ),
    ...['true', 'false', 1, 0, null, [], {}].map((value): [unknown, string, string] => [
      { data_sinks: { auto_push_on_job_complete: value } },
      AUTO_PUSH,
      NOT_A_SWITCH,
    ]),
  ])('given as %j are refused at %j: %s', (ruleSet, pointer, detail) => {
    expect(parseRules(ruleSet)).toEqual({ ok: false, violations: [{ pointer, detail }] });
  });

  it.each([
    ['auto_push_on_job_completed', 'auto_push_on_job_completed'],
    ['Auto_push_on_job_complete', 'Auto_push_on_job_complete'],
    ['a/b~c', 'a~1b~0c'],
    ['', ''],
    ['__proto__', '__proto__'],
  ])('with the unknown key %j are refused', (key, escaped) => {
    const ruleSet: unknown = JSON.parse(`{"data_sinks":{${JSON.stringify(key)}:true}}`);
    expect(parseRules(ruleSet)).toEqual({
      ok: false,
      violations: [
        {
          pointer: `/data_sinks/${escaped}`,
          detail: 'unknown rule; known are auto_push_on_job_complete and retry_failed_push',
        },
      ],
    });
  });

  it('reports all errors at once', () => {
    const ruleSet = { data_sinks: { auto_push_on_job_complete: 'yes', retry_failed_push: 11, retries: 3 } };
    const result = parseRules(ruleSet);
    expect(result.ok ? [] : result.violations.map(({ pointer }) => pointer)).toEqual([
      '/data_sinks/retries',
      AUTO_PUSH,
      RETRIES,
    ]);
  });
});
