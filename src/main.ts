import 'reflect-metadata';
import { bootHost } from './reference-host/boot-host.js';

await bootHost();
