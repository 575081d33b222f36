import 'reflect-metadata';
import Bull from 'bull';
import { startServices } from '../support/services/services.js';
import { BullWakeup } from '../../dist/src/data-sinks/wakeup/bull.wakeup.js';
import { setTimeout as delay } from 'node:timers/promises';
const s = await startServices({names:['redis']},{});
const q = new Bull('x', s.running.redis.url, { prefix: '{p}' });
const log=(...a)=>console.log(Math.round(performance.now()), ...a);
const add=q.add.bind(q); q.add=async(...a)=>{log('add',a[2].jobId); try{const r=await add(...a); log('added'); return r;}catch(e){log('add failed',e.message); throw e;}};
const get=q.client.get.bind(q.client); q.client.get=async(...a)=>{log('get'); try{const r=await get(...a); log('got',r); return r;}catch(e){log('get failed',e.message); throw e;}};
for (const ev of ['close','reconnecting','ready','end','error']) q.client.on(ev,(e)=>log('client',ev,e?.message??e));
const w = new BullWakeup(q); let wakes=0;
await w.start(()=>wakes++);
await delay(500); w.notify(); await delay(500); log('wakes',wakes);
await s.running.redis.signal('SIGKILL'); log('killed');
for (let i=0;i<8;i++){ w.notify(); await delay(300);} 
await s.running.redis.start(); log('restarted');
for (let i=0;i<12;i++){ w.notify(); await delay(500);} log('wakes',wakes);
await s.stop(); process.exit();
