import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PreparedStatements } from '../../../../src/data-sinks/database/prepared-statements.js';

const TEXT = 'SELECT 1';
let names: (string | undefined)[];
let commands: string[];
let fails: string | null;
let warned: number;

beforeEach(() => {
  [names, commands, fails, warned] = [[], [], null, 0];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => void warned++);
});
afterEach(() => void jest.restoreAllMocks());

/** Fails as told where the statement has a name. */
async function execute(name?: string): Promise<string> {
  names.push(name);
  if (name !== undefined && fails !== null) throw Object.assign(new Error('no such statement'), { code: fails });
  return 'answered';
}
const command = async (text: string): Promise<void> => void commands.push(text);
const named = (): boolean[] => names.map((name) => name !== undefined);

describe('a statement in a transaction', () => {
  it('is guarded by a savepoint a thousand times, and not after that', async () => {
    const statements = new PreparedStatements(true);
    for (let i = 0; i < 1_000; i++) await statements.run(TEXT, execute, command);
    expect(commands.slice(-2)).toEqual(['SAVEPOINT data_sinks', 'RELEASE SAVEPOINT data_sinks']);
    expect(commands).toHaveLength(2_000);
    await statements.run(TEXT, execute, command);
    expect(commands).toHaveLength(2_000);
  });

  it.each(['26000', '42P05', '0A000'])(
    'that fails with %s is sent again without a name, from its savepoint',
    async (code) => {
      const statements = new PreparedStatements(true);
      fails = code;
      expect(await statements.run(TEXT, execute, command)).toBe('answered');
      expect(named()).toEqual([true, false]);
      expect(commands).toEqual([
        'SAVEPOINT data_sinks',
        'ROLLBACK TO SAVEPOINT data_sinks',
        'RELEASE SAVEPOINT data_sinks',
      ]);
    },
  );

  it('fails with other errors as it is', async () => {
    fails = '23505';
    await expect(new PreparedStatements(true).run(TEXT, execute, command)).rejects.toMatchObject({ code: '23505' });
    expect(named()).toEqual([true]);
  });
});

it('once a statement was lost, none has a name, which is told once', async () => {
  const statements = new PreparedStatements(true);
  fails = '26000';
  for (let i = 0; i < 3; i++) await statements.run(TEXT, execute);
  expect(named()).toEqual([true, false, false, false]);
  expect(warned).toBe(1);
});

it('a statement whose table was changed gets another name', async () => {
  const statements = new PreparedStatements(true);
  await statements.run(TEXT, execute);
  fails = '0A000';
  await statements.run(TEXT, execute);
  fails = null;
  await statements.run(TEXT, execute);
  const [first, stale, unnamed, renewed] = names;
  expect([stale, unnamed]).toEqual([first, undefined]);
  expect(renewed).toEqual(expect.any(String));
  expect(renewed).not.toBe(first);
  expect(warned).toBe(0);
});
