import { LabIcon } from '@jupyterlab/ui-components';

/** One box that leads three. */
export const clustersIcon = new LabIcon({
  name: 'fabric-lab:clusters',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M8 2h8v6h-8z"/>
    <path d="M1 16h6v6h-6zM9 16h6v6h-6zM17 16h6v6h-6z"/>
    <path d="M11 8h2v3h8v5h-2v-3h-6v3h-2v-3h-6v3h-2v-5h8z"/>
  </g>
</svg>`
});
