import type { Sink } from '../api/types.js';
import { to } from '../app/router.js';
import type { Label } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Ago } from '../ui/time.js';

/** Result of the data source's last Test, by anyone. */
export function TestResult({ sink }: { sink: Sink }) {
  const { lastTest } = sink;
  return (
    <li class="test-result">
      <a href={to.sink(sink.agentId, sink.id, 'test')}>{sink.name}</a>
      <span>
        <Badge label={labelOf(lastTest)} />{' '}
        {lastTest && (
          <span class="quiet small">
            <Ago at={lastTest.at} />
          </span>
        )}
      </span>
    </li>
  );
}

/** Whether the current configuration passed a Test. */
export function isTested({ lastTest }: Sink): boolean {
  return lastTest !== null && lastTest.passed && lastTest.isCurrent;
}

function labelOf(test: Sink['lastTest']): Label {
  if (test === null) return { text: 'Never tested', tone: 'warn' };
  if (!test.isCurrent) return { text: 'Changed since its last test', tone: 'warn' };
  return test.passed ? { text: 'Test passed', tone: 'ok' } : { text: 'Test failed', tone: 'bad' };
}
