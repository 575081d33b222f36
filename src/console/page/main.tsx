import { render } from 'preact';
import { App } from './app/app.js';
import { readSettings } from './app/settings.js';
import './style/tokens.css';
import './style/base.css';
import './style/parts.css';
import './style/screens.css';

const root = document.getElementById('app');
if (root) render(<App settings={readSettings(document)} />, root);
