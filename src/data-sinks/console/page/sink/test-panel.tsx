import { useState } from 'preact/hooks';
import type { Sink, SinkTest } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { duration } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Ago } from '../ui/time.js';
import { TestExchange } from './test-exchange.js';
import { TestSteps } from './test-steps.js';

/** Sends a made-up payload like a real one, and explains what happened. */
export function TestPanel({ sink, onChanged }: { sink: Sink; onChanged: () => Promise<void> }) {
  const api = useApi();
  const [result, setResult] = useState<SinkTest | null>(null);
  const testing = useAction(async () => {
    setResult(null);
    const test = await api.testSink(sink.agentId, sink.id);
    setResult(test);
    // It is on record; and one that passed makes a disabled data source active again, and ends a pause.
    await onChanged();
  });
  return (
    <div class="stack">
      <section class="card pad test-start" aria-label="Test">
        <div>
          <p>
            Sends a small, made-up result to your endpoint, signed or authenticated exactly like a real push. It carries{' '}
            <code>"test": true</code> and two rows; nothing of yours is sent, and it is no delivery.
          </p>
          {!result && <LastTestLine sink={sink} />}
        </div>
        <Button kind="primary" isBusy={testing.isRunning} onClick={() => void testing.run()}>
          {result ? 'Test again' : 'Send a test'}
        </Button>
      </section>
      <ProblemNotice problem={testing.problem} />
      <div role="status">{testing.isRunning && <p class="quiet">Sending, and waiting for the answer…</p>}</div>
      {result && (
        <>
          <Verdict test={result} />
          <TestSteps test={result} />
          <TestExchange sink={sink} test={result} />
        </>
      )}
    </div>
  );
}

function LastTestLine({ sink }: { sink: Sink }) {
  const { lastTest } = sink;
  if (!lastTest) return null;
  return (
    <p class="small quiet">
      The last test {lastTest.passed ? 'passed' : 'failed'} <Ago at={lastTest.at} />
      {lastTest.isCurrent ? '.' : ', with settings that were changed since.'}
    </p>
  );
}

function Verdict({ test }: { test: SinkTest }) {
  return test.passed ? (
    <Notice tone="ok" title="It works" role="alert">
      Your endpoint took the test and answered with {test.received?.httpStatus} after {duration(test.timings.totalMs)}.
    </Notice>
  ) : (
    <Notice tone="bad" title="The test failed" role="alert">
      {test.advice}
    </Notice>
  );
}
