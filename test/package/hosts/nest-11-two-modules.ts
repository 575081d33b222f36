import { bullWakeup } from 'nestjs-data-sinks/bull';
import { environment } from './tenant.js';
import { startTwoModules } from './two-modules.js';

const [url, prefix] = [environment('REDIS_URL'), environment('REDIS_PREFIX')];

void startTwoModules((side) => ({ wakeup: bullWakeup({ queue: `data-sinks-${side}`, url, prefix }) }));
