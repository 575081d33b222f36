import { useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import type { Sink } from '../api/types.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { lastTest } from './last-test.js';
import { TestResult } from './test-result.js';

interface AutoPushDialogParts {
  readonly sinks: readonly Sink[];
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

/** Asks before results leave by themselves; and once more when nobody knows whether they would arrive. */
export function AutoPushDialog({ sinks, isBusy, problem, onClose, onConfirm }: AutoPushDialogParts) {
  const [isSure, setSure] = useState(false);
  const isTested = sinks.length > 0 && sinks.every((sink) => lastTest(sink)?.passed === true);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isTested || isSure) onConfirm();
  };
  return (
    <Dialog title="Switch automatic pushes on?" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Notice tone="warn">
          From now on the results of every finished job of this agent are sent to the data sources below.{' '}
          <strong>What was sent cannot be taken back.</strong>
        </Notice>
        {sinks.length === 0 ? (
          <p>There is no active data source yet; the rule applies to those that you add.</p>
        ) : (
          <ul class="tests">
            {sinks.map((sink) => (
              <TestResult key={sink.id} sink={sink} />
            ))}
          </ul>
        )}
        {!isTested && (
          <label class="check">
            <input type="checkbox" checked={isSure} onChange={(event) => setSure(event.currentTarget.checked)} />
            <span>Switch it on although not every data source passed a test</span>
          </label>
        )}
        <ProblemNotice problem={problem} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={isBusy} disabled={!isTested && !isSure}>
            Switch on
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
