/** Builds the Grafana dashboard that is shipped in deploy/grafana out of its table of panels. */
import type { DashboardPanel, DashboardRow } from './dashboard-panel.ts';
import { DASHBOARD_ROWS } from './dashboard-panels.ts';

/** Stands in the table for the choice of the reader. */
const OWN = '$own';
const CHOSEN = 'instance=~"$instance"';
const SOURCE = { type: 'prometheus', uid: '${source}' } as const;

const COLUMNS = 24;
const ROW_HEIGHT = 1;
const SIZES = { stat: { w: 6, h: 4 }, lines: { w: 12, h: 8 } } as const;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The file as Grafana reads it. */
export function formatDashboard(): string {
  return `${JSON.stringify(buildDashboard(), undefined, 2)}\n`;
}

export function buildDashboard(): object {
  return {
    uid: 'tonebridge',
    title: 'Tonebridge SBC',
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: 'browser',
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: variables() },
    panels: placed(DASHBOARD_ROWS).map((panel, index) => ({ id: index + 1, ...panel })),
  };
}

function variables(): object[] {
  return [
    { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
    {
      name: 'instance',
      label: 'SBC',
      type: 'query',
      datasource: SOURCE,
      query: { query: 'label_values(sbc_build_info, instance)', refId: 'instances' },
      refresh: 2,
      includeAll: true,
      multi: true,
      current: { text: 'All', value: '$__all' },
    },
  ];
}

/** All panels from top to bottom, each row under its title, as many side by side as fit. */
function placed(rows: readonly DashboardRow[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    const head: Place = { x: 0, y, w: COLUMNS, h: ROW_HEIGHT };
    panels.push({ type: 'row', title: row.title, collapsed: false, gridPos: head, panels: [] });
    y += ROW_HEIGHT;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const { w, h } = SIZES[panel.kind];
      if (x + w > COLUMNS) {
        y += height;
        x = 0;
        height = 0;
      }
      panels.push(formatPanel(panel, { x, y, w, h }));
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function formatPanel(panel: DashboardPanel, gridPos: Place): object {
  const { title, unit, kind, queries, description } = panel;
  return {
    type: kind === 'stat' ? 'stat' : 'timeseries',
    title,
    ...(description === undefined ? {} : { description }),
    datasource: SOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend, showsExemplars }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: SOURCE,
      expr: expr.replaceAll(OWN, CHOSEN),
      legendFormat: legend,
      ...(showsExemplars === true ? { exemplar: true } : {}),
    })),
  };
}
