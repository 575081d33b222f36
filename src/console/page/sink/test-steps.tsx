import type { SinkTest } from '../api/types.js';
import { duration } from '../text/format.js';
import { STEPS } from '../text/labels.js';
import { Icon, type IconName } from '../ui/icons.js';

type StepName = keyof typeof STEPS;
type StepState = 'passed' | 'failed' | 'skipped' | 'not-reached';

const ORDER = Object.keys(STEPS) as StepName[];

const LOOKS: Readonly<Record<StepState, { readonly icon: IconName; readonly text: string }>> = {
  passed: { icon: 'check', text: 'passed' },
  failed: { icon: 'cross', text: 'failed' },
  skipped: { icon: 'dash', text: 'not needed' },
  'not-reached': { icon: 'dash', text: 'not reached' },
};

/** The diagnosis: the steps that the Test reached. */
export function TestSteps({ test }: { test: SinkTest }) {
  return (
    <section class="card pad" aria-labelledby="steps-title">
      <h2 id="steps-title">Step by step</h2>
      <ol class="steps">
        {ORDER.map((step) => {
          const state = stateOf(step, test);
          const ms = timeOf(step, test);
          return (
            <li key={step} class={`step step-${state}`}>
              <span class="step-mark">
                <Icon name={LOOKS[state].icon} />
              </span>
              <span>
                <strong>{STEPS[step].name}</strong>
                <span class="quiet small block">{STEPS[step].says}</span>
              </span>
              <span class="small nowrap">
                <span class={state === 'failed' ? 'bad-text' : 'quiet'}>{LOOKS[state].text}</span>
                {ms !== null && <span class="quiet"> · {duration(ms)}</span>}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function stateOf(step: StepName, { failedStep, passed, sent, timings }: SinkTest): StepState {
  // A failure of ours says nothing about the endpoint.
  const failedAt = failedStep === null || failedStep === 'ours' ? -1 : ORDER.indexOf(failedStep as StepName);
  const at = ORDER.indexOf(step);
  if (!passed && failedAt === -1) return 'not-reached';
  if (failedAt !== -1 && at >= failedAt) return at === failedAt ? 'failed' : 'not-reached';
  const isPlain = sent.url.startsWith('http:');
  if (step === 'tls' && isPlain) return 'skipped';
  // An IP address needs no DNS look-up.
  return step === 'dns' && timings.dnsMs === null && /^https?:\/\/(\[|[\d.]+(:|\/|$))/.test(sent.url)
    ? 'skipped'
    : 'passed';
}

function timeOf(step: StepName, { timings }: SinkTest): number | null {
  switch (step) {
    case 'dns':
      return timings.dnsMs;
    case 'connect':
      return timings.connectMs;
    case 'tls':
      return timings.tlsMs;
    case 'request':
      return timings.uploadMs;
    case 'response':
      return timings.waitMs;
    case 'url':
    case 'address':
      return null;
  }
}
