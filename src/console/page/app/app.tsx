import type { PageSettings } from '../../console.options.js';
import { AddScreen } from '../screens/add.js';
import { AgentScreen } from '../screens/agent.js';
import { AgentsScreen } from '../screens/agents.js';
import { DeliveryScreen } from '../screens/delivery.js';
import { NowhereScreen } from '../screens/nowhere.js';
import { SinkScreen } from '../screens/sink.js';
import { type Route, useRoute } from './router.js';
import { SessionGate } from './session.js';
import { Shell } from './shell.js';

export function App({ settings }: { settings: PageSettings }) {
  return (
    <SessionGate settings={settings}>
      <Shell>
        <CurrentScreen />
      </Shell>
    </SessionGate>
  );
}

/** Keyed by agent, so that another agent's screen starts with fresh state. */
function CurrentScreen() {
  const route = useRoute();
  return screenOf(route);
}

function screenOf(route: Route) {
  switch (route.screen) {
    case 'agents':
      return <AgentsScreen />;
    case 'agent':
      return <AgentScreen key={route.agentId} agentId={route.agentId} />;
    case 'add':
      return <AddScreen key={`add ${route.type}`} agentId={route.agentId} type={route.type} />;
    case 'sink':
      return <SinkScreen key={route.sinkId} agentId={route.agentId} sinkId={route.sinkId} tab={route.tab} />;
    case 'delivery':
      return <DeliveryScreen key={route.deliveryId} deliveryId={route.deliveryId} />;
    case 'nowhere':
      return <NowhereScreen />;
  }
}
