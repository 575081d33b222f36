import { Icon } from './icons.js';

/** The workspace's plan does not include data sinks, or not any more. */
export function UpgradeCard() {
  return (
    <section class="upgrade" role="alert" aria-labelledby="upgrade-title">
      <span class="upgrade-mark">
        <Icon name="lock" />
      </span>
      <div>
        <h2 id="upgrade-title">Data sinks are part of Pro Max and Enterprise</h2>
        <p>
          This workspace is on a smaller plan, so nothing is sent or tested. <strong>Your configuration is kept</strong>
          : data sources, secrets, rules and the history stay as they are, and work again after the upgrade.
        </p>
        <p class="quiet">
          Someone who manages your workspace’s plan can upgrade it in the platform’s billing settings.
        </p>
      </div>
    </section>
  );
}
