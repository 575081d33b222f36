import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { RuleSetWarnings } from '../../../../../src/data-sinks/ports/bound/rule-set-warnings.js';

let lines: unknown[];
beforeEach(() => {
  lines = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void lines.push(line));
});
afterEach(() => void jest.restoreAllMocks());

const agent = (dataSinks: unknown, id = 'agt_1') => ({
  ...{ id, workspaceId: 'ws_1', active: true },
  ruleSet: { data_sinks: dataSinks },
});
const MISSPELT = { auto_push_on_job_completed: true };

it('warns once per rule set that does not parse, with the position of each error', () => {
  const warnings = new RuleSetWarnings();
  for (let i = 0; i < 3; i++) warnings.check(agent(MISSPELT));
  expect(lines).toEqual([
    expect.objectContaining({
      ...{ event: 'rules.invalid', agentId: 'agt_1', workspaceId: 'ws_1' },
      findings: expect.stringContaining('/data_sinks/auto_push_on_job_completed unknown rule'),
    }),
  ]);
  warnings.check(agent({ auto_push_on_job_complete: 'yes' }));
  warnings.check(agent(MISSPELT, 'agt_2'));
  expect(lines).toHaveLength(3);
});

it('warns again when fixed rules are broken again, and never about valid rules', () => {
  const warnings = new RuleSetWarnings();
  for (const rules of [MISSPELT, { auto_push_on_job_complete: true }, MISSPELT]) warnings.check(agent(rules));
  warnings.check({ id: 'agt_2', workspaceId: 'ws_1', active: true, ruleSet: null });
  expect(lines).toHaveLength(2);
});
