import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { USER_AGENT, VERSION } from '../../../../src/data-sinks/domain/version.js';

it('the version in User-Agent is the package’s', () => {
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  expect(VERSION).toBe(version);
  expect(USER_AGENT).toBe(`MappingTravel-DataSinks/${version}`);
});
