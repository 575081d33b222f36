import { describe, expect, it } from '@jest/globals';
import { DefaultNamingStrategy } from 'typeorm';
import { TableNames } from '../../../../src/data-sinks/database/table-names.js';

const namingStrategy = new DefaultNamingStrategy();
const named = (options: object) => new TableNames({ options: { type: 'postgres', ...options }, namingStrategy });

describe('the names of tables in statements', () => {
  it('stay as they are when the host names nothing', () => {
    const statement = 'SELECT FROM agent_data_source_job j JOIN agent_data_source s ON true';
    expect(named({}).of(statement)).toBe(statement);
  });

  it.each([
    ['a table', 'FROM agent_data_source_job j', 'FROM "app"."x_agent_data_source_job" j'],
    [
      'the table whose name begins all others',
      'UPDATE agent_data_source SET',
      'UPDATE "app"."x_agent_data_source" SET',
    ],
    ['a partition', 'agent_data_source_sync_y2026m11', '"app"."x_agent_data_source_sync_y2026m11"'],
    ['a name within a text', `'agent_data_source_sync'::regclass`, `'"app"."x_agent_data_source_sync"'::regclass`],
    ['an array of rows', 'agent_data_source_audit[]', '"app"."x_agent_data_source_audit"[]'],
    ['a function', 'agent_data_source_audit_append($1)', '"app".agent_data_source_audit_append($1)'],
    ['an index that is dropped', 'DROP INDEX IF EXISTS ix_a', 'DROP INDEX IF EXISTS "app".ix_a'],
    [
      'a trigger, which has no schema, and its function, which has',
      'CREATE TRIGGER agent_data_source_audit_chain BEFORE INSERT ON agent_data_source_audit EXECUTE FUNCTION agent_data_source_audit_chain()',
      'CREATE TRIGGER agent_data_source_audit_chain BEFORE INSERT ON "app"."x_agent_data_source_audit" EXECUTE FUNCTION "app".agent_data_source_audit_chain()',
    ],
    ['an index that is made', 'INDEX ix_agent_data_source_agent ON', 'INDEX ix_agent_data_source_agent ON'],
    ['a name that has its schema', '"app"."agent_data_source_job"', '"app"."agent_data_source_job"'],
  ])('are the host’s: %s', (_what, statement, expected) => {
    const names = named({ schema: 'app', entityPrefix: 'x_' });
    expect(names.of(statement)).toBe(expected);
    // A text that comes back from the database keeps its names.
    expect(names.of(expected)).toBe(expected);
  });

  it('are quoted, whatever the host’s schema is called', () => {
    expect(named({ schema: 'my "app"' }).of('FROM agent_data_source')).toBe('FROM "my ""app"""."agent_data_source"');
  });

  it('are refused when PostgreSQL would cut them', () => {
    expect(() => named({ entityPrefix: 'p'.repeat(31) })).not.toThrow();
    expect(() => named({ entityPrefix: 'p'.repeat(33) })).toThrow(/longer than the 63 bytes/);
  });
});
