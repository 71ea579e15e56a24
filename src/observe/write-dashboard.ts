/** Writes deploy/grafana/tonebridge.json: `npm run deploy:observe`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatDashboard } from './dashboard.ts';

const file = fileURLToPath(new URL('../../deploy/grafana/tonebridge.json', import.meta.url));
writeFileSync(file, formatDashboard());
process.stdout.write(`wrote ${file}\n`);
