import type { Problem } from '../api/problem.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Time } from '../ui/time.js';
import type { RecoverSpan } from './recover-span.js';

/** The earliest time moves on while people read. */
const SLACK_MS = 60_000;

interface RecoverProblemParts {
  readonly problem: Problem | null;
  readonly span: RecoverSpan;
  readonly onChoose: (span: RecoverSpan) => void;
  /** Shows the running recovery. */
  readonly onShow: () => Promise<void>;
}

/** Why this recovery is not possible, and which one is. */
export function RecoverProblem({ problem, span, onChoose, onShow }: RecoverProblemParts) {
  if (!problem) return null;
  const earliest = problem.text('earliestSince');
  if (problem.code === 'recovery-too-far-back' && earliest !== null) {
    const since = new Date(Date.parse(earliest) + SLACK_MS);
    return (
      <Notice tone="warn" title={problem.title} role="alert">
        The earliest time is <Time at={earliest} />; what failed before it can be redelivered one by one.{' '}
        <Button onClick={() => onChoose({ ...span, since })}>Begin as early as possible</Button>
      </Notice>
    );
  }
  if (problem.code === 'recovery-too-large') return <TooLarge problem={problem} span={span} onChoose={onChoose} />;
  if (problem.code === 'recovery-running') {
    return (
      <Notice tone="warn" title={problem.title} role="alert">
        Somebody was quicker. There is one at a time: wait until it is done, or cancel it.{' '}
        <Button onClick={() => void onShow()}>Show it</Button>
      </Notice>
    );
  }
  // Errors shown at the fields are not repeated.
  return problem.code === 'validation-failed' && problem.errors.length > 0 ? null : <ProblemNotice problem={problem} />;
}

function TooLarge({ problem, span, onChoose }: Pick<RecoverProblemParts, 'span' | 'onChoose'> & { problem: Problem }) {
  const until = problem.text('until');
  const atMost = problem.number('recoverAtMost');
  const bound = atMost === null ? 'this many' : counted(atMost, 'delivery', 'deliveries');
  return (
    <Notice tone="warn" title={problem.title} role="alert">
      A recovery has {bound} at most.{' '}
      {until === null ? (
        'More than that failed at one moment: redeliver them one by one.'
      ) : (
        <>
          Begin with what failed before <Time at={until} />; when that is done, recover the rest.{' '}
          <Button onClick={() => onChoose({ ...span, until: new Date(until) })}>Only what failed before that</Button>
        </>
      )}
    </Notice>
  );
}
