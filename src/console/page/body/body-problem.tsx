import type { Problem } from '../api/problem.js';
import { Notice, ProblemNotice } from '../ui/notice.js';

/** Why the bytes are not available. Expiry is not an error. */
export function BodyProblem({ problem }: { problem: Problem | null }) {
  if (problem?.code !== 'payload-gone') return <ProblemNotice problem={problem} />;
  return (
    <Notice tone="info" title={problem.title} role="alert">
      Bodies are kept for a while only. Redeliver, and it is made again from the job’s results while they exist; then it
      says here whether it is the same.
    </Notice>
  );
}
