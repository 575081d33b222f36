/** The real host. It also ends when the demo ends for any reason: this pipe closes then. */
import '../../main.js';

process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume();
