import type { SinkTest } from '../api/types.js';
import { Code } from '../ui/code.js';
import { Icon } from '../ui/icons.js';

/** What the Test of a bucket tried, in order, and the policy that it needs over there. */
export function ProbeSteps({ test }: { test: SinkTest }) {
  return (
    <section class="card pad stack" aria-labelledby="steps-title">
      <h2 id="steps-title">Step by step</h2>
      <ol class="steps">
        {test.steps.map(({ name, passed, detail }) => (
          <li key={name} class={`step step-${passed === null ? 'skipped' : passed ? 'passed' : 'failed'}`}>
            <span class="step-mark">
              <Icon name={passed === null ? 'dash' : passed ? 'check' : 'cross'} />
            </span>
            <span>
              <strong>{name}</strong>
              <span class="quiet small block break">{detail}</span>
            </span>
            <span class="small nowrap">{passed === null ? 'does not matter' : passed ? 'passed' : 'failed'}</span>
          </li>
        ))}
      </ol>
      {test.policy !== null && (
        <>
          <h2>What is needed over there</h2>
          <Code text={test.policy} what="the policy" />
        </>
      )}
    </section>
  );
}
