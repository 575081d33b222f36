import type { Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { Badge } from '../ui/badge.js';
import { Ago } from '../ui/time.js';
import { lastTest } from './last-test.js';

/** How a data source's last test in this tab ended. */
export function TestResult({ sink }: { sink: Sink }) {
  const test = lastTest(sink);
  return (
    <li class="test-result">
      <a href={to.sink(sink.agentId, sink.id, 'test')}>{sink.name}</a>
      {test === null ? (
        <Badge label={{ text: 'Not tested in this tab', tone: 'warn' }} />
      ) : (
        <span>
          <Badge label={test.passed ? { text: 'Test passed', tone: 'ok' } : { text: 'Test failed', tone: 'bad' }} />{' '}
          <span class="quiet small">
            <Ago at={test.at} />
          </span>
        </span>
      )}
    </li>
  );
}
