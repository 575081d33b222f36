/** The real host, which also ends when the demo does, however that ended: then this pipe closes. */
import '../../main.js';

process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume();
