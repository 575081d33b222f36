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
import { ProbeSteps } from './probe-steps.js';
import { isS3 } from './s3-sink.js';

/** Sends a synthetic payload like a real one, and explains the result. */
export function TestPanel({ sink, onChanged }: { sink: Sink; onChanged: () => Promise<void> }) {
  const api = useApi();
  const [result, setResult] = useState<SinkTest | null>(null);
  const testing = useAction(async () => {
    setResult(null);
    const test = await api.testSink(sink.agentId, sink.id);
    setResult(test);
    // A Test is stored with the data source; one that passes reactivates it and closes its circuit breaker.
    await onChanged();
  });
  return (
    <div class="stack">
      <section class="card pad test-start" aria-label="Test">
        <div>
          {isS3(sink) && (
            <p>
              Writes a small object beside the results, checks that a second write of it is refused, and deletes it
              where the keys may.
            </p>
          )}
          <p hidden={isS3(sink)}>
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
          {isS3(sink) ? <ProbeSteps test={result} /> : <TestSteps test={result} />}
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
      It took the test and answered with {test.received?.httpStatus} after {duration(test.timings.totalMs)}.
    </Notice>
  ) : (
    <Notice tone="bad" title="The test failed" role="alert">
      {test.advice}
    </Notice>
  );
}
