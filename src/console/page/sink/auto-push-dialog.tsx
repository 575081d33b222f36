import { useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import type { Sink } from '../api/types.js';
import { Button } from '../ui/button.js';
import { Check } from '../ui/check.js';
import { Dialog } from '../ui/dialog.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { isTested, TestResult } from './test-result.js';

interface AutoPushDialogParts {
  readonly sinks: readonly Sink[];
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

/** Asks for confirmation before results are pushed automatically, and again if no Test has passed. */
export function AutoPushDialog({ sinks, isBusy, problem, onClose, onConfirm }: AutoPushDialogParts) {
  const [isSure, setSure] = useState(false);
  const isKnown = sinks.length > 0 && sinks.every(isTested);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isKnown || isSure) onConfirm();
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
        {!isKnown && (
          <Check isOn={isSure} onChange={setSure}>
            Switch it on although not every data source passed a test as it is set up
          </Check>
        )}
        <ProblemNotice problem={problem} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={isBusy} disabled={!isKnown && !isSure}>
            Switch on
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
