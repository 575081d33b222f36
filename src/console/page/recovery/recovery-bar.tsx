import type { Recovery } from '../api/types.js';
import { count } from '../text/format.js';
import { StackedBar } from '../ui/stacked-bar.js';

/** States of a recovery's deliveries as parts of the total. */
export function RecoveryBar({ recovery }: { recovery: Recovery }) {
  const { total, delivered, failed, cancelled, waiting } = recovery;
  const ended = delivered + failed + cancelled;
  return (
    <div
      role="progressbar"
      aria-labelledby="recovery-title"
      aria-valuemin={0}
      aria-valuemax={Math.max(total, 1)}
      aria-valuenow={ended}
      aria-valuetext={`${count(ended)} of ${count(total)} have ended`}
    >
      <StackedBar
        total={total}
        parts={[
          { fill: 'bar-ok', value: delivered },
          { fill: 'bar-bad', value: failed },
          { fill: 'bar-quiet', value: cancelled },
          { fill: 'bar-busy', value: waiting },
        ]}
      />
    </div>
  );
}
