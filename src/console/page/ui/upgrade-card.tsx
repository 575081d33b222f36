import { Icon } from './icons.js';

interface UpgradeCardProps {
  /** What the API said: it knows the plans of the platform that it runs in. */
  readonly detail?: string;
}

/** The workspace's plan does not include data sinks, or not any more. */
export function UpgradeCard({ detail }: UpgradeCardProps) {
  return (
    <section class="upgrade" role="alert" aria-labelledby="upgrade-title">
      <span class="upgrade-mark">
        <Icon name="lock" />
      </span>
      <div>
        <h2 id="upgrade-title">This workspace’s plan does not include data sinks</h2>
        <p>
          {detail} Nothing is sent or tested. <strong>Your configuration is kept</strong>: data sources, secrets, rules
          and the history stay as they are, and work again after the upgrade.
        </p>
        <p class="quiet">
          Someone who manages your workspace’s plan can upgrade it in the platform’s billing settings.
        </p>
      </div>
    </section>
  );
}
