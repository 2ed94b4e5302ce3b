import { LabIcon } from '@jupyterlab/ui-components';

function drawn(name: string, path: string): LabIcon {
  const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">${path}</g>
</svg>`;
  return new LabIcon({ name: `fabric-lab:${name}`, svgstr });
}

/** One box that leads three. */
export const clustersIcon = drawn(
  'clusters',
  `<path d="M8 2h8v6h-8z"/>
  <path d="M1 16h6v6h-6zM9 16h6v6h-6zM17 16h6v6h-6z"/>
  <path d="M11 8h2v3h8v5h-2v-3h-6v3h-2v-3h-6v3h-2v-5h8z"/>`
);

/** What each page of a dashboard shows. */
export const pageIcons: Readonly<Record<string, LabIcon>> = {
  status: drawn('page-status', '<path d="M3 3h8v8H3zM13 3h8v5h-8zM13 10h8v11h-8zM3 13h8v8H3z"/>'),
  'individual-task-stream': drawn(
    'page-tasks',
    '<path d="M2 4h7v4H2zM11 4h11v4H11zM2 10h12v4H2zM16 10h6v4h-6zM2 16h4v4H2zM8 16h14v4H8z"/>'
  ),
  'individual-progress': drawn('page-progress', '<path d="M2 5h20v3H2zM2 11h13v3H2zM2 17h7v3H2z"/>'),
  'individual-workers-memory': drawn('page-memory', '<path d="M3 12h4v9H3zM10 4h4v17h-4zM17 8h4v13h-4z"/>'),
  'individual-gpu-utilization': drawn(
    'page-gpu-use',
    '<path d="M4 4h16v16H4zM7 7v10h10V7z" fill-rule="evenodd"/><path d="M9 13h2v3H9zM13 9h2v7h-2z"/>'
  ),
  'individual-gpu-memory': drawn(
    'page-gpu-memory',
    '<path d="M4 4h16v16H4zM7 7v10h10V7z" fill-rule="evenodd"/><path d="M9 9h6v2H9zM9 13h4v2H9z"/>'
  ),
  graph: drawn(
    'page-graph',
    '<circle cx="5" cy="5" r="3"/><circle cx="5" cy="19" r="3"/><circle cx="19" cy="12" r="3"/>' +
      '<path d="M6 4l13 7-1 2L5 6zM6 20l13-7-1-2L5 18z"/>'
  ),
  workers: drawn('page-workers', '<path d="M3 3h18v5H3zM3 10h18v5H3zM3 17h18v5H3z"/>'),
  system: drawn('page-system', '<path d="M2 13h5l3-9 4 15 3-6h5v2h-4l-4 8-4-15-2 7H2z"/>')
};
