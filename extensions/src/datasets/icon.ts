import { LabIcon } from '@jupyterlab/ui-components';

/** Three stacked discs with a tick: data that is at hand. */
export const datasetsIcon = new LabIcon({
  name: 'fabric-lab:datasets',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M11 2C6.6 2 3 3.6 3 5.5S6.600 9 11 9s8-1.600 8-3.500S15.400 2 11 2z"/>
    <path d="M3 7.600v3.900C3 13.400 6.600 15 11 15c.5 0 1 0 1.500-.1.900-1.700 2.700-2.900 4.700-2.900.6 0 1.200.1 1.800.3V7.600C17.400 9.400 14.400 10.500 11 10.500S4.600 9.400 3 7.600z"/>
    <path d="M3 13.600v3.900C3 19.400 6.600 21 11 21c.7 0 1.300 0 2-.1-.7-.9-1.200-2.100-1.200-3.400 0-.3 0-.7.100-1H11c-3.400 0-6.400-1.100-8-2.900z"/>
    <path d="M21.600 14.700 16.700 19.600l-2.300-2.300-1.400 1.400 3.700 3.700 6.300-6.300z"/>
  </g>
</svg>`
});
